import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { generateModel, type GeneratedModel } from './generatedModel.ts';
import { ROOT, SHARED_FILES } from './work.ts';

const USAGE = `npm run bench:memory [-- --threads N] [--growth]

Dense perplexities by the command line in processes of their own: their largest resident sets, and what was mapped then. First bare ones: Node, and Node
with ONNX Runtime. With --growth the same for more and more blocks, and longer and longer ones, with the exponents of what grows. Linux alone.`;

/** What a process is asked, and the bar on its peak in MiB where there is one. */
interface Work {
  readonly title: string;
  readonly parameters: readonly string[];
  readonly bar?: string;
}

/** Resident MiB at the peak, by what is mapped. */
interface Peak {
  readonly total: number;
  readonly parts: ReadonlyMap<string, number>;
}

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: String(availableParallelism()) },
    growth: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const CLI = join(ROOT, 'dist/cli.cjs');
const RUNTIME = `process.env.ORT_DISABLE_TELEMETRY = '1'; require(${JSON.stringify(join(ROOT, 'node_modules/onnxruntime-node'))}); setTimeout(() => {}, 300)`;

async function main(): Promise<void> {
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const model = await generateModel();
  try {
    for (const work of [...BARE, ...realWork(model)]) print(work, await peakOf(work.parameters));
    if (options.growth) await printGrowth(existsSync(SHARED_FILES.model) ? reference() : model);
  } finally {
    await rm(model.folder, { recursive: true, force: true });
  }
}

const BARE: readonly Work[] = [
  { title: 'Node', parameters: ['-e', 'setTimeout(() => {}, 300)'] },
  { title: 'Node with ONNX Runtime loaded', parameters: ['-e', RUNTIME] },
  { title: 'the command line, which only says its version', parameters: [CLI, '--version'] },
];

function realWork(generated: GeneratedModel): readonly Work[] {
  const small: Work = {
    title: '6.45M, 64 blocks of 256',
    parameters: evaluation(reference(), 64, 256),
    bar: 'at most 112, 1.5 times llama.cpp’s 75',
  };
  const large: Work = {
    title: '110M, 16 blocks of 512',
    parameters: evaluation(generated, 16, 512),
    bar: 'at most 700, llama.cpp’s with BF16 weights',
  };
  return existsSync(SHARED_FILES.model) ? [small, large] : [large];
}

function reference(): GeneratedModel {
  return { folder: SHARED_FILES.model, text: SHARED_FILES.text };
}

function evaluation({ folder, text }: GeneratedModel, blocks: number, length: number): string[] {
  const asked = ['--blocks', blocks, '--length', length, '--device', 'cpu', '--threads', options.threads];
  return [CLI, 'evaluate', '--model', folder, '--text', text, '--json', ...asked.map(String)];
}

function print({ title, bar }: Work, { total, parts }: Peak): void {
  console.log(`\n${title}: ${total.toFixed(0)} MiB${bar === undefined ? '' : `  (${bar})`}`);
  for (const [part, size] of [...parts].sort(([, a], [, b]) => b - a)) {
    if (size >= 0.5) console.log(`${size.toFixed(1).padStart(8)}  ${part}`);
  }
}

/** Peaks by blocks of one length, and by the length of two blocks; what a single short block takes is no growth. */
async function printGrowth(model: GeneratedModel): Promise<void> {
  const { total: least } = await peakOf(evaluation(model, 1, 64));
  const series: readonly (readonly [string, readonly number[], (size: number) => string[]])[] = [
    ['blocks of 256', [64, 256, 1024], (blocks) => evaluation(model, blocks, 256)],
    ['length, of two blocks', [1024, 2048, 4096, 8192], (length) => evaluation(model, 2, length)],
  ];
  for (const [title, sizes, parametersOf] of series) {
    const grown: number[] = [];
    for (const size of sizes) grown.push((await peakOf(parametersOf(size))).total - least);
    const exponents = grown.slice(1).map((peak, i) => Math.log(peak / grown[i]!) / Math.log(sizes[i + 1]! / sizes[i]!));
    const told = sizes.map((size, i) => `${size}: ${grown[i]!.toFixed(0)} MiB`).join(', ');
    console.log(
      `\n${title}, above ${least.toFixed(0)} MiB: ${told}; exponents ${exponents.map((each) => each.toFixed(2)).join(', ')}`,
    );
  }
}

/** Milliseconds between two looks. */
const INTERVAL = 5;

async function peakOf(parameters: readonly string[]): Promise<Peak> {
  const child = spawn(process.execPath, [...parameters], { stdio: ['ignore', 'ignore', 'pipe'] });
  let error = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  let peak: Peak = { total: 0, parts: new Map() };
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  while (child.exitCode === null && child.signalCode === null) {
    const total = residentOf(child.pid!);
    if (total > peak.total * 1.01) peak = { total, parts: partsOf(child.pid!) };
    await setTimeout(INTERVAL);
  }
  if ((await ended) !== 0) throw new Error(`${parameters.join(' ')}:\n${error}`);
  return peak;
}

/** MiB; 0 where the process has ended. */
function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readProcess(pid, 'status'))?.[1] ?? 0) / 1024;
}

function partsOf(pid: number): Map<string, number> {
  const parts = new Map<string, number>();
  let part = '';
  for (const line of readProcess(pid, 'smaps').split('\n')) {
    const [, begin, end, name] = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
    if (begin !== undefined) part = partOf(name!, (parseInt(end!, 16) - parseInt(begin, 16)) / 2 ** 20);
    const resident = /^Rss:\s+(\d+) kB/.exec(line)?.[1];
    if (resident !== undefined) parts.set(part, (parts.get(part) ?? 0) + Number(resident) / 1024);
  }
  return parts;
}

/** @param size of the mapping, MiB */
function partOf(name: string, size: number): string {
  if (name.endsWith('/node')) return 'code and constants of Node';
  if (name.includes('onnxruntime')) return 'code and constants of ONNX Runtime';
  if (name.startsWith('/')) return 'other libraries';
  if (name !== '') return name === '[heap]' ? 'malloc’s heap' : 'stack and others';
  if (size <= 1) return 'anonymous, of at most 1 MiB each: V8’s heap, stacks of threads';
  return 'anonymous, larger: arrays, and what ONNX Runtime allocates';
}

function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
});
