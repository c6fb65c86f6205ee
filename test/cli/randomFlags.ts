import { spawn } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import path from 'node:path';
import { Rng } from '../../src/base/rng.ts';

/** A flag, with values of which each is fine by itself; what they say together may be refused, but never by a crash. */
type Flags = Readonly<Record<string, readonly string[]>>;

const SETTINGS: Flags = {
  '--samples': ['1', '2', '4'],
  '--length': ['2', '16', '64'],
  '--offsets': ['even', 'random'],
  '--seed': ['0', '7'],
  '--group': ['row', 'layer'],
  '--calibrate': ['sequential', 'one-shot'],
  '--blocks': ['1', '2', '3'],
  '--device': ['auto', 'cpu'],
  '--precision': ['float32', 'float16'],
  '--threads': ['0', '1', '2', '3'],
};
const EXPRESSIONS = [
  'W',
  'W * sqrt(X)',
  'abs(W * W) * mms(G)',
  'W * X ^ 0.3',
  'mul(W, X)',
  'log(W)',
  '1 / W',
  'W - W',
  'exp(W * 1e9)',
];
const STRUCTURES = ['wanda-sp', 'magnitude', 'taylor', 'flap', 'shortgpt', 'W * sqrt(X)'];
const SPARSITIES = ['50%', '2:4', '4:8', '20%,40%', '0%', '1%', '99%', '30%'];
const PRUNING: Flags = {
  '--expression': EXPRESSIONS,
  '--structure': STRUCTURES,
  '--sparsity': SPARSITIES,
  '--allocation': ['uniform', 'owl', 'global'],
  '--rates': ['0.2,0.3,0.4,0.5', '20%,20%,20%,20%', '0.1,0.2', '0,0,1,0'],
  '--owl-spread': ['0', '0.1'],
};
const SEARCHING: Flags = {
  '--sparsity': ['50%', '2:4', '30%', '10%'],
  '--seed': ['0', '3'],
  '--workers': ['1', '2'],
  '--calibration-seed': ['0', '3'],
  '--test': ['sample/test.txt'],
};
const METRICS: Flags = {
  '--operands': ['W', 'W,X', 'W,X,G'],
  '--operations': ['mul,sqrt', 'mul,add,sqrt,mms,abs'],
  '--from': ['W * X'],
  '--baseline': ['wanda', 'magnitude', 'W * W'],
  '--method': ['pruner-zero', 'random'],
  '--population': ['3', '5'],
  '--tournament': ['1', '2'],
  '--elites': ['0', '2'],
  '--crossover': ['0', '0.5'],
  '--mutation': ['0.4', '0.9'],
  '--constants': ['none', 'exponents', 'all'],
  '--depth': ['2', '4'],
  '--size': ['5', '24'],
  '--parsimony': ['0', '0.01'],
  '--rungs': ['1', '2'],
  '--keep': ['2', '3'],
  '--sharing': ['on', 'off'],
};
const RATES: Flags = {
  '--target': ['wanda-sp', 'flap', 'weights(W * sqrt(X))'],
  '--baseline': ['uniform', 'owl', '0.2,0.3,0.2,0.1'],
  '--mutations': ['1', '2'],
  '--crossovers': ['1', '2'],
  '--initialise': ['classical', 'off'],
  '--mutate': ['classical', 'off'],
  '--step': ['0.05'],
  '--spread': ['0.1', '0'],
  '--provider': ['none'],
};
const EVOPRESS: Flags = {
  '--target': ['wanda-sp', 'weights(W)'],
  '--baseline': ['uniform', 'owl', '0.2,0.3,0.2,0.1'],
  '--offspring': ['1', '3'],
  '--rounds': ['1', '1,4', '2,64', '4,1', '1,2,4'],
  '--survivors': ['1', '2,1', '2,2,1', '3,3'],
  '--switches': ['1', '3'],
  '--drop': ['off', 'sublayers'],
  '--step': ['0.05', '0.3'],
  '--starts': ['1', '5'],
};
const MASKS: Flags = {
  '--score': ['wanda-sp', 'magnitude', 'taylor'],
  '--baseline': ['wanda-sp', 'structure(flap, global)'],
  '--masks': ['2', '3'],
  '--budget': ['global', 'layer'],
};

interface Command {
  readonly words: readonly string[];
  readonly flags: Flags;
  /** Flags that always stand there: with them little is computed. */
  readonly base: Readonly<Record<string, string>>;
  /** How many of `flags` are drawn at most. */
  readonly most: number;
  /** How often it is drawn. */
  readonly weight: number;
}

const INPUTS = { '--model': 'sample', '--text': 'sample/test.txt', '--calibration': 'sample/calibration.txt' };
const SMALL = { '--length': '32', '--samples': '2', '--blocks': '2' };
const SMALL_SEARCH = { ...SMALL, '--blocks': '4', '--finalists': '1' };
const FEW = { ...SMALL_SEARCH, '--population': '4', '--elites': '1', '--tournament': '2', '--generations': '2' };

const COMMANDS: readonly Command[] = [
  { words: ['evaluate'], flags: { ...SETTINGS, ...PRUNING, '--dry-run': [] }, base: SMALL, most: 5, weight: 8 },
  { words: ['evolve'], flags: { ...SETTINGS, ...SEARCHING, ...METRICS }, base: FEW, most: 4, weight: 2 },
  { words: ['search'], flags: { ...SETTINGS, ...SEARCHING, ...METRICS }, base: FEW, most: 4, weight: 1 },
  {
    words: ['search', '--method', 'self-pruner'],
    flags: { ...SETTINGS, ...SEARCHING, ...RATES },
    base: { ...SMALL_SEARCH, '--population': '4', '--generations': '2', '--mutations': '2', '--crossovers': '2' },
    ...{ most: 4, weight: 2 },
  },
  {
    words: ['search', '--method', 'evopress'],
    flags: { ...SETTINGS, ...SEARCHING, ...EVOPRESS },
    base: { ...SMALL_SEARCH, '--generations': '2', '--offspring': '4', '--rounds': '1,4', '--survivors': '2,1' },
    ...{ most: 4, weight: 2 },
  },
  {
    words: ['search', '--method', 'policy-gradient'],
    flags: { ...SETTINGS, ...SEARCHING, ...MASKS },
    base: { ...SMALL, '--blocks': '4', '--steps': '3' },
    ...{ most: 4, weight: 2 },
  },
  {
    words: ['export'],
    flags: { ...SETTINGS, ...PRUNING, '--format': ['huggingface', 'onnx'] },
    base: SMALL,
    ...{ most: 3, weight: 2 },
  },
  {
    words: ['speed'],
    flags: { ...SETTINGS, ...PRUNING, '--batch': ['1', '2'] },
    base: { ...SMALL, '--rounds': '1' },
    ...{ most: 3, weight: 1 },
  },
];

/** Values that no flag takes, or that lead nowhere. */
const WRONG = [
  '',
  '-1',
  '0',
  'NaN',
  '1e999',
  '99999999999999999999',
  'ü',
  '50',
  '101%',
  '3:2',
  'W +',
  'nothing',
  '../nowhere',
  '\u001b[31m',
  '0x10',
];

/** One command line, as words behind the program's name. */
export function randomCommand(rng: Rng, at: number): string[] {
  const pick = <T>(list: readonly T[]): T => list[rng.integer(list.length)]!;
  const { words, flags, base, most } = pick(
    COMMANDS.flatMap((command) => Array<Command>(command.weight).fill(command)),
  );
  const chosen = new Map<string, readonly string[]>(Object.entries(base).map(([flag, value]) => [flag, [value]]));
  for (const [flag, value] of Object.entries(INPUTS)) if (rng.uniform() < 0.98) chosen.set(flag, [value]);
  const draw = (flag: string): void => {
    const values = flags[flag]!;
    // One flag in fifty has a value that is wrong.
    chosen.set(flag, values.length === 0 ? [] : [rng.uniform() < 0.02 ? pick(WRONG) : pick(values)]);
  };
  for (let count = rng.integer(most + 1); count > 0; count--) draw(pick(Object.keys(flags)));
  const isPruning = '--expression' in flags;
  // Nearly always one thing that is pruned with: of a file, or as a flag.
  const hasFile = rng.uniform() < 0.1;
  if (isPruning && rng.uniform() < 0.95) {
    chosen.delete('--expression');
    chosen.delete('--structure');
    if (hasFile) chosen.set('--metric', [pick(['wanda', 'magnitude', 'scaled'])]);
    else draw(rng.uniform() < 0.6 ? '--expression' : '--structure');
  }
  if (words[0] === 'export' && rng.uniform() < 0.95) chosen.set('--to', [`exported-${at}`]);
  return [
    ...words,
    ...(hasFile ? ['sample/metrics.prune', ...(isPruning ? [] : ['--search', 'evolved'])] : []),
    ...[...chosen].flatMap(([flag, values]) => [flag, ...values]),
    ...(rng.uniform() < 0.8 ? ['--json'] : []),
  ];
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

function run(cli: string, words: readonly string[], folder: string, seconds: number): Promise<Ended> {
  const child = spawn(process.execPath, [cli, ...words], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, XDG_CACHE_HOME: path.join(folder, 'cache') },
    timeout: seconds * 1000,
    killSignal: 'SIGKILL',
  });
  const text = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => (text.out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (text.err += data.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, ...text });
    });
  });
}

/** What stands in docs/command-line.md for a command that nobody interrupts. */
const DOCUMENTED = [0, 1, 2];

/** Numbers by the fingerprint of what they were computed from. */
type Known = Map<string, { readonly numbers: string; readonly words: readonly string[] }>;

/** What is wrong with how a command ended; empty where nothing is. */
function faultsOf(words: readonly string[], { code, signal, out, err }: Ended, known: Known): string[] {
  const faults: string[] = [];
  if (code === null) faults.push(`ended by ${signal ?? 'nobody'}: it hung, or crashed`);
  else if (!DOCUMENTED.includes(code)) faults.push(`exit code ${code}, which is not documented`);
  if (/\n\s+at .*:\d+:\d+|\[internal\]|"code":"internal"/.test(out + err)) faults.push('a defect was reported');
  if (out.includes('\u001b') || err.includes('\u001b')) faults.push('an escape of a terminal came through');
  if (code !== 0 && (out + err).trim() === '') faults.push('it failed without a word');
  if (!words.includes('--json')) {
    if (/\b(NaN|Infinity|undefined|\[object)\b/.test(out)) faults.push('the output holds NaN, Infinity or undefined');
    return faults;
  }
  let failed = false;
  for (const line of out.split('\n').filter((text) => text !== '')) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      faults.push(`no JSON: ${line.slice(0, 100)}`);
      continue;
    }
    failed ||= typeof value === 'object' && value !== null && 'error' in value;
    visit(value, (object) => {
      faults.push(...numberFaults(object));
      faults.push(...fingerprintFaults(object, words, known));
    });
  }
  if (code === 0 && out.trim() === '') faults.push('it succeeded without a word');
  if (code !== 0 && code !== null && !failed) faults.push('it failed, and no line of JSON says with what');
  return faults;
}

function visit(value: unknown, look: (object: Readonly<Record<string, unknown>>) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) look(value as Record<string, unknown>);
  for (const member of Object.values(value)) visit(member, look);
}

/** JSON writes what is not finite as null; where there is no test text, there is nothing to be finite. */
function numberFaults(object: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(object).flatMap(([name, value]) => {
    const isMeasure = /^(?!test|denseTest).*(perplexity|loss|seconds|bytes|tokensPerSecond|actualSparsity)/i.test(name);
    return isMeasure && (value === null || (typeof value === 'number' && !(value >= 0)))
      ? [`${name} is ${JSON.stringify(value)}`]
      : [];
  });
}

/** Equal fingerprints mean equal inputs: then the numbers are equal, to the last bit. */
function fingerprintFaults(
  object: Readonly<Record<string, unknown>>,
  words: readonly string[],
  known: Known,
): string[] {
  const { fingerprint, perplexity, densePerplexity, actualSparsity } = object;
  if (typeof fingerprint !== 'string' || typeof perplexity !== 'number') return [];
  const numbers = JSON.stringify([perplexity, densePerplexity, actualSparsity]);
  const before = known.get(fingerprint);
  if (!before) known.set(fingerprint, { numbers, words });
  return !before || before.numbers === numbers
    ? []
    : [
        `the fingerprint ${fingerprint.slice(0, 12)} gave ${before.numbers} (${before.words.join(' ')}), now ${numbers}`,
      ];
}

export interface RandomFlagsOptions {
  /** The built command. */
  readonly cli: string;
  /** media/sample. */
  readonly sample: string;
  /** Empty; everything is written there. */
  readonly folder: string;
  readonly runs: number;
  readonly seed: number;
  /** After which a command counts as hanging. */
  readonly seconds?: number;
  readonly log?: (line: string) => void;
}

export interface RandomFlagsReport {
  /** How many commands ended with which exit code. */
  readonly codes: Readonly<Record<string, number>>;
  /** Fingerprints that numbers were seen for. */
  readonly fingerprints: number;
  /** What went wrong, each with its command line. */
  readonly faults: readonly string[];
}

/** Runs commands with random flags on the sample, and looks at how each ends. */
export async function randomFlags(options: RandomFlagsOptions): Promise<RandomFlagsReport> {
  const { cli, sample, folder, runs, seed, seconds = 180, log = () => undefined } = options;
  if (!existsSync(path.join(folder, 'sample'))) cpSync(sample, path.join(folder, 'sample'), { recursive: true });
  const rng = new Rng(seed);
  const known: Known = new Map();
  const codes: Record<string, number> = {};
  const faults: string[] = [];
  for (let at = 0; at < runs; at++) {
    const words = randomCommand(rng, at);
    const ended = await run(cli, words, folder, seconds);
    const outcome = `${ended.code ?? ended.signal}`;
    codes[outcome] = (codes[outcome] ?? 0) + 1;
    for (const fault of faultsOf(words, ended, known)) {
      const line = `${fault}: espalier ${words.map((word) => JSON.stringify(word)).join(' ')}`;
      faults.push(line);
      log(line);
    }
  }
  return { codes, fingerprints: known.size, faults };
}
