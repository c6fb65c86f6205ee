import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DEFAULT_LLM_SETTINGS } from '../../src/search/llm/settings.ts';
import { defaultsOf } from '../../src/experiment/settingRow.ts';
import type { EvoPressPlan } from '../../src/search/rates/evopress/plan.ts';
import { EVOPRESS_SETTINGS } from '../../src/search/rates/evopress/settings.ts';
import type { SelfPrunerPlan } from '../../src/search/rates/selfPruner/plan.ts';
import type { RunEvent, SearchPlan } from '../../src/search/kinds.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { loadPrompts } from '../../src/llm/promptTemplates.ts';
import { FAMILIES } from '../support/generate/families.ts';
import { generateCheckpoint } from '../support/generate/generateCheckpoint.ts';
import { generateText } from '../support/generate/text.ts';
import { ScriptedLlm } from '../support/scriptedLlm.ts';
import { killTest } from './killTest.ts';
import type { KillReport, KillTest } from './killTest.ts';
import type { KilledSearch } from './searchProcess.ts';
import { twoDrivers } from './twoDrivers.ts';
import type { TwoDriversReport, TwoDriversTest } from './twoDrivers.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../../src/search/masks/settings.ts';
import { DEFAULT_SELF_PRUNER_SETTINGS } from '../../src/search/rates/selfPruner/settings.ts';

export { noContainers } from './twoDrivers.ts';

export const KILL_METHODS = ['pruner-zero', 'self-pruner', 'evopress', 'policy-gradient', 'lora', 'norms'] as const;
export type KillMethod = (typeof KILL_METHODS)[number];

export interface GeneratedKillTest extends Omit<KillTest, 'search'> {
  readonly method: KillMethod;
  /** dist/cli.cjs */
  readonly cli: string;
  /** dist/worker.cjs */
  readonly worker: string;
  /** test/coordinator/driveRun.ts, bundled. */
  readonly driver: string;
  /** media/prompts */
  readonly prompts: string;
}

/** Of a language model that needs none; it must be nowhere in the end, not even in a bundle of this file. */
const KEY = ['sk', 'marker', 'kill', '0123456789'].join('-');

/** The kill test on a small generated checkpoint, where a search takes seconds. */
export async function killGenerated(test: GeneratedKillTest): Promise<KillReport> {
  const files = await generateFiles(test.folder);
  if (test.method === 'pruner-zero') return killTest({ ...test, search: metricSearch(test, files) });

  if (test.method === 'lora' || test.method === 'norms')
    return killTest({ ...test, search: recoverySearch(test, test.method, files) });

  const plan = path.join(test.folder, 'plan.json');
  if (test.method === 'policy-gradient') {
    await writeFile(plan, JSON.stringify(maskPlan(files)));
    return killTest({ ...test, search: { ...blockSearch(test, plan), asked: askedOfMasks } });
  }
  if (test.method === 'evopress') {
    await writeFile(plan, JSON.stringify(evoPressPlan(files)));
    return killTest({ ...test, search: { ...blockSearch(test, plan), asked: askedOfRates } });
  }
  const llm = await ScriptedLlm.start({ seed: test.seed, share: 0.5, delay: 150 });
  try {
    const asked = await ratePlan(files, llm.url, test);
    await writeFile(plan, JSON.stringify(asked));
    const killedAt: number[] = [];
    const search: KilledSearch = {
      ...blockSearch(test, plan),
      ...{ asked: askedOfRates, differsFrom: firstLost },
      // Told the same by its language model, and left without a reply where that was.
      again: async (folder, id) => {
        const file = path.join(folder, 'again.json');
        await writeFile(file, JSON.stringify({ ...asked, llm: { ...asked.llm, provider: 'replay', replay: id } }));
        return blockSearch(test, file).begin(1);
      },
      // In the middle of a request, which the server takes a while to answer.
      moment: () => llm.nextRequest(),
      onHostKilled: () => killedAt.push(llm.requests.length),
    };
    const report = await killTest({ ...test, search });
    const told = await findKey(test.folder);
    if (told.length > 0) throw new Error(`the key stands in ${told.join(', ')}`);
    const again = killedAt.flatMap((at) => askedAcross(llm, at));
    if (again.length > 0) throw new Error(`sent again after a kill: ${again.join(', ')}`);
    if (llm.askedTwice.length > 0) throw new Error(`asked again though answered: ${llm.askedTwice.join(', ')}`);
    const isKnown = llm.requests.every(({ authorization }) => authorization === `Bearer ${KEY}`);
    if (!isKnown) throw new Error('a request came without the key');
    test.log(`${llm.requests.length} requests to the language model, none of them answered twice`);
    return report;
  } finally {
    await llm.close();
  }
}

/** The same, for searches that two want to drive. */
export async function twoDriversGenerated(
  test: Omit<TwoDriversTest, 'search'> & { readonly cli: string },
): Promise<TwoDriversReport> {
  return twoDrivers({ ...test, search: metricSearch(test, await generateFiles(test.folder)) });
}

/** A small generated checkpoint, where a search takes seconds, and its texts. */
async function generateFiles(folder: string): Promise<Files> {
  const inputs = path.join(folder, 'inputs');
  await mkdir(inputs, { recursive: true });
  const [model, text, calibration, unseen] = ['model', 'text.txt', 'calibration.txt', 'test.txt'].map((name) =>
    path.join(inputs, name),
  ) as [string, string, string, string];
  await generateCheckpoint(model, FAMILIES['llama-1']);
  await writeFile(text, generateText(1, 20_000));
  await writeFile(calibration, generateText(2, 20_000));
  await writeFile(unseen, generateText(3, 20_000));
  return { model, text, calibration, test: unseen };
}

/** Questions that were asked both before and after so many requests. */
function askedAcross({ requests }: ScriptedLlm, at: number): readonly string[] {
  const before = new Set(requests.slice(0, at).map(({ idempotencyKey }) => idempotencyKey));
  return requests.slice(at).flatMap(({ idempotencyKey: key }) => (before.has(key) ? [key] : []));
}

type Files = Readonly<Record<'model' | 'text' | 'calibration' | 'test', string>>;

const TOLD: readonly RunEvent['kind'][] = ['opened', 'baseline', 'candidate', 'generation', 'finalist', 'finished'];

function metricSearch(
  { cli, folder }: Pick<GeneratedKillTest, 'cli' | 'folder'>,
  { model, text, calibration, test }: Files,
): KilledSearch {
  const flags = [
    ...['--model', model, '--text', text, '--calibration', calibration, '--test', test],
    ...['--device', 'cpu', '--threads', '2', '--length', '32', '--samples', '4', '--blocks', '27'],
    ...['--population', '30', '--generations', '12', '--finalists', '2'],
  ];
  const line = (about: readonly string[], workers: number): string[] => [
    ...[cli, 'evolve', ...about, '--workers', String(workers), '--json'],
  ];
  return {
    begin: (workers) => line(flags, workers),
    resume: (id, workers) => line(['--resume', id], workers),
    env: { XDG_CACHE_HOME: path.join(folder, 'cache') },
    told: new Set(TOLD),
    asked: (event) => {
      if (event.kind === 'probed') return `probe ${event.id}`;
      return event.kind === 'measured' ? `measure ${event.id}/${event.rung}` : undefined;
    },
  };
}

/** What it ends with is compared byte by byte: the state's file is hashed again. */
function recoverySearch(
  { cli, folder }: Pick<GeneratedKillTest, 'cli' | 'folder'>,
  method: 'lora' | 'norms',
  { model, text, calibration, test }: Files,
): KilledSearch {
  const flags = [
    ...['--method', method, '--model', model, '--text', test, '--calibration', calibration, '--train', text],
    ...['--expression', 'W * sqrt(X)', '--device', 'cpu', '--threads', '2', '--length', '32', '--samples', '4'],
    ...['--blocks', '27', '--steps', '150', '--every', '10', '--patience', '0', '--batch', '4', '--rate', '0.003'],
  ];
  return {
    begin: () => [cli, 'recover', ...flags, '--json'],
    resume: (id) => [cli, 'recover', '--resume', id, '--json'],
    env: { XDG_CACHE_HOME: path.join(folder, 'cache') },
    told: new Set(['opened', 'trained', 'validated', 'stopped', 'finalist', 'finished'] as const),
    asked: (event) => {
      if (event.kind === 'trained') return `train ${event.from}`;
      return event.kind === 'validated' ? `look ${event.step}` : undefined;
    },
    left: async (run) => {
      const states = (await readdir(run)).filter((name) => name.startsWith('state-'));
      const bytes = await Promise.all(states.map((name) => readFile(path.join(run, name))));
      return states.map((name, i) => `${name} ${createHash('sha256').update(bytes[i]!).digest('hex')}`);
    },
  };
}

const STRUCTURE_TOLD: readonly RunEvent['kind'][] = [
  ...(['opened', 'baseline', 'candidate', 'generation', 'fallback', 'finished'] as const),
  ...(['llm-asked', 'llm-replied', 'finalist'] as const),
  ...(['scores', 'step', 'probabilities', 'finished'] as const),
];

function blockSearch(
  { driver, worker, folder }: GeneratedKillTest,
  plan: string,
): Omit<KilledSearch, 'asked' | 'differsFrom'> {
  const line = (about: readonly string[], workers: number): string[] => [
    ...[driver, worker, '--cache', path.join(folder, 'cache'), '--workers', String(workers), ...about],
  ];
  return {
    begin: (workers) => line(['--plan', plan], workers),
    resume: (id, workers) => line(['--resume', id], workers),
    env: { ESPALIER_LLM_KEY: KEY },
    told: new Set(STRUCTURE_TOLD),
  };
}

function askedOfRates(event: RunEvent): string | undefined {
  if (event.kind === 'measured') return `configuration ${event.id} in rung ${event.rung}`;
  if (event.kind === 'llm-asked') return `request ${event.call}`;
  return event.kind === 'llm-replied' ? `reply ${event.call}` : undefined;
}

function askedOfMasks(event: RunEvent): string | undefined {
  if (event.kind === 'step') return `step ${event.step}`;
  return event.kind === 'probabilities' ? `probabilities ${event.step}` : undefined;
}

/** From the first reply that was lost on, the language model is told other things. */
function firstLost(story: readonly string[]): number | undefined {
  const at = story.findIndex((line) => line.includes('"reply":{"kind":"lost"}'));
  return at === -1 ? undefined : at;
}

const SETTINGS = { ...DEFAULT_SETTINGS, device: 'cpu', threads: 2, length: 32, samples: 4, blocks: 27 } as const;
const SPARSITY = { kind: 'unstructured', share: 0.4 } as const;
const SCORE = { kind: 'method', method: 'wanda-sp' } as const;

const RATES = {
  kind: 'rates',
  name: 'rates',
  sparsity: SPARSITY,
  settings: SETTINGS,
  target: { kind: 'structure', name: 'wanda-sp', score: SCORE },
  baselines: [{ name: 'uniform', rates: { kind: 'uniform' } }],
} as const;

async function ratePlan(
  files: Files,
  endpoint: string,
  { prompts, folder }: GeneratedKillTest,
): Promise<SelfPrunerPlan> {
  const { initialise, mutate, cross, again } = await loadPrompts({ shipped: prompts, root: folder });
  return {
    ...RATES,
    ...files,
    search: {
      ...DEFAULT_SELF_PRUNER_SETTINGS,
      ...{ population: 8, mutations: 5, crossovers: 4, generations: 5, finalists: 2 },
    },
    llm: { ...DEFAULT_LLM_SETTINGS, provider: 'openai', endpoint, llm: 'scripted', timeout: 60, retries: 2 },
    prompts: { initialise, mutate, cross, again },
  };
}

function evoPressPlan(files: Files): EvoPressPlan {
  const selection = { offspring: 8, rounds: [3, 9, 27], survivors: [4, 2, 1], generations: 16, finalists: 2 };
  return { ...RATES, ...files, search: { ...defaultsOf(EVOPRESS_SETTINGS), ...selection } };
}

function maskPlan(files: Files): SearchPlan {
  return {
    ...{ kind: 'masks', name: 'masks', ...files, sparsity: SPARSITY, settings: SETTINGS, score: SCORE },
    baselines: [{ name: 'wanda-sp', structure: { kind: 'scored', score: SCORE, rates: { kind: 'uniform' } } }],
    search: { ...DEFAULT_MASK_SEARCH_SETTINGS, steps: 400, masks: 3, batch: 4, tokens: 32, checkpoints: 8, rate: 0.05 },
  };
}

/** Files below a folder that hold the key of the language model. */
async function findKey(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && (await readFile(file)).includes(KEY)) found.push(file);
  }
  return found;
}
