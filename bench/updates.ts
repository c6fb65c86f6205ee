/**
 * What updates take, ours against the peer's in float64 and in float32, in turn and each in a process of its own:
 * `npm run bench:updates -- [--shape OUT×IN]… [--tokens N] [--threads N] [--rounds N] [--alone] [--processor] [--json]`.
 * Without shapes: the whole reference checkpoint, then its layers. `--alone` leaves the peer out, `--processor` counts seconds of processor.
 */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { Rng } from '../src/base/rng.ts';
import { multiply } from '../src/engine/algebra/tiles.ts';
import { Device } from '../src/engine/runtime/device.ts';
import { DeviceTensor } from '../src/engine/runtime/deviceTensor.ts';
import { peakMemory } from '../src/engine/runtime/memory.ts';
import { openSolver } from '../src/engine/update/openSolver.ts';
import { runProcess } from './childProcess.ts';
import { clockOf } from './clock.ts';
import { findPeer } from './peer.ts';
import { median, rowJson, rowTable } from './report.ts';
import { compareModels, measureModel, MODEL_JOBS, type ModelJobName, type ModelRun } from './updatedModel.ts';
import { SHARED_FILES } from './work.ts';

const STEPS = ['gram', 'factor', 'sparsegpt', 'own mask', '2:4', 'admm factor', 'admm'] as const;
type Step = (typeof STEPS)[number];

/** Seconds of each step; of the peer's the factor is part of every update, and so it is of ours where they are compared. */
type Seconds = Readonly<Record<Step, number>>;

interface Answer {
  readonly seconds: Seconds;
  /** MiB. */
  readonly peak: number;
  /** GFLOP/s of a product of 1024³ just before. */
  readonly rate?: number;
}

interface Layer {
  readonly out: number;
  readonly n: number;
  readonly tokens: number;
  readonly threads: number;
  /** Count seconds of processor, of all threads: on a busy machine they say more. */
  readonly processor: boolean;
}

const REFERENCE_LAYERS = ['256×256', '128×256', '688×256', '256×688'];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      shape: { type: 'string', multiple: true },
      tokens: { type: 'string', default: '4096' },
      threads: { type: 'string', default: String(os.availableParallelism()) },
      rounds: { type: 'string', default: '3' },
      alone: { type: 'boolean', default: false },
      processor: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      layer: { type: 'string' },
      model: { type: 'string' },
    },
  });
  if (values.model !== undefined) {
    console.log(JSON.stringify(await measureModel(JSON.parse(values.model) as ModelRun)));
    return;
  }
  if (values.layer !== undefined) {
    console.log(JSON.stringify(await measureOurs(JSON.parse(values.layer) as Layer)));
    return;
  }
  const peer = values.alone ? undefined : await findPeer();
  if (peer && 'missing' in peer) console.log(`without the peer: ${peer.missing}`);
  const [threads, rounds, processor] = [Number(values.threads), Number(values.rounds), values.processor];
  if (values.shape === undefined) {
    const python = peer && 'python' in peer ? peer.python : undefined;
    for (const job of Object.keys(MODEL_JOBS) as ModelJobName[]) {
      const rows = await compareModels({ job, threads, processor }, rounds, python);
      if (values.json) for (const row of rows) console.log(rowJson(row));
      else console.log(rowTable(rows));
    }
  }
  for (const shape of values.shape ?? REFERENCE_LAYERS) {
    const [out, n] = shape.split(/[×x]/).map(Number) as [number, number];
    const layer = { out, n, tokens: Number(values.tokens), threads, processor };
    const answers: Record<'ours' | 'double' | 'float', Answer[]> = { ours: [], double: [], float: [] };
    for (let round = 0; round < rounds; round++) {
      answers.ours.push(await inProcess(process.execPath, [process.argv[1]!, '--layer', JSON.stringify(layer)]));
      if (!peer || 'missing' in peer) continue;
      for (const type of ['double', 'float'] as const) {
        const parameters = [
          SHARED_FILES.peer,
          type,
          out,
          n,
          layer.tokens,
          layer.threads,
          timesOf(n),
          layer.processor ? 'process_time' : 'time',
        ].map(String);
        answers[type].push(await inProcess(peer.python, ['-B', '-c', PEER, ...parameters]));
      }
    }
    print(layer, answers);
  }
}

async function inProcess(command: string, parameters: readonly string[]): Promise<Answer> {
  return (await runProcess(command, parameters)).answer as unknown as Answer;
}

/** How often a small layer is done in a process, of which the last count: the first compiles programs, in a model once for all its blocks. */
const [REPETITIONS, REPEATED] = [6, 5];

/** Large ones take minutes, and are done once. */
function timesOf(n: number): number {
  return n < 2048 ? REPETITIONS : 1;
}

async function measureOurs({ out, n, tokens, threads, processor }: Layer): Promise<Answer> {
  const device = new Device({ name: 'cpu', precision: 'float32', threads });
  const now = clockOf(processor);
  const rate = await rateOf(device, now);
  const times: Partial<Record<Step, number[]>> = {};
  const timed = async <T>(step: Step, work: () => Promise<T>): Promise<T> => {
    const begin = now();
    const made = await work();
    (times[step] ??= []).push(now() - begin);
    return made;
  };
  const rng = new Rng(n);
  const random = (rows: number, columns: number): DeviceTensor =>
    DeviceTensor.fromHost(
      Float32Array.from({ length: rows * columns }, () => rng.uniform() - 0.5),
      [rows, columns],
    );
  const x = random(tokens, n);
  const weight = random(out, n);
  const pruned = DeviceTensor.fromHost(
    weight.floats().map((value) => (rng.uniform() < 0.5 ? 0 : value)),
    [out, n],
  );
  for (let time = 0; time < timesOf(n); time++) {
    const sums = await timed('gram', () => multiply(device, x, x, { transposeA: true }));
    const gram = { size: n, sums, tokens, dispose: () => undefined };
    const sparseGpt = await timed('factor', () =>
      openSolver(device, gram, { method: 'sparsegpt', damping: 0.01, columns: 128 }),
    );
    await timed('sparsegpt', () => sparseGpt.update(weight, pruned));
    await timed('own mask', () => sparseGpt.prune(weight, { kind: 'unstructured', share: 0.5 }));
    await timed('2:4', () => sparseGpt.prune(weight, { kind: 'n:m', keep: 2, of: 4 }));
    sparseGpt.dispose();
    const admm = await timed('admm factor', () =>
      openSolver(device, gram, { method: 'admm', damping: 0.1, iterations: 20 }),
    );
    await timed('admm', () => admm.update(weight, pruned));
    admm.dispose();
  }
  const seconds = Object.fromEntries(STEPS.map((step) => [step, median(times[step]!.slice(-REPEATED))])) as Seconds;
  return { seconds, peak: peakMemory() / 2 ** 20, rate };
}

/** GFLOP/s of a product of 1024³ by the same clock: the best of a few. */
async function rateOf(device: Device, now: () => number): Promise<number> {
  const x = DeviceTensor.fromHost(new Float32Array(1024 ** 2).fill(1), [1024, 1024]);
  let best = Infinity;
  for (let time = 0; time < 5; time++) {
    const begin = now();
    await multiply(device, x, x, { transposeA: true });
    best = Math.min(best, now() - begin);
  }
  return (2 * 1024 ** 3) / best / 1e9;
}

/** recovery.py's functions on a random layer; `float` computes in float32 what it computes in float64. */
const PEER = `
import json, os, resource, sys, time
path, kind, out, n, tokens, threads, repetitions, clock = sys.argv[1:]
sys.path.insert(0, os.path.dirname(path))
import torch
import recovery
if kind == 'float': torch.Tensor.double = torch.Tensor.float
torch.set_num_threads(int(threads)); torch.manual_seed(1)
x = torch.rand(int(tokens), int(n)) - 0.5; w = torch.rand(int(out), int(n)) - 0.5; gone = torch.rand(int(out), int(n)) < 0.5
seconds = {}; now = getattr(time, clock)
def timed(step, work):
    begin = now(); made = work(); seconds.setdefault(step, []).append(now() - begin); return made
for _ in range(int(repetitions)):
    h = timed('gram', lambda: (lambda y: y.T @ y)(x.double()))
    timed('factor', lambda: recovery.inverse_factor(h))
    timed('sparsegpt', lambda: recovery.sparsegpt(w, h, 0.5, gone=gone))
    timed('own mask', lambda: recovery.sparsegpt(w, h, 0.5))
    timed('2:4', lambda: recovery.sparsegpt(w, h, 0.5, (2, 4)))
    timed('admm', lambda: recovery.admm(w, h, gone))
middle = {step: sorted(all[-5:])[len(all[-5:]) // 2] for step, all in seconds.items()}
print(json.dumps({'seconds': {**middle, 'admm factor': 0}, 'peak': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
`;

/** Operations of the products that a step cannot do without. */
const OPERATIONS: Readonly<Record<Step, (layer: Layer) => number>> = {
  gram: ({ n, tokens }) => 2 * tokens * n ** 2,
  factor: ({ n }) => (2 / 3) * n ** 3,
  sparsegpt: ({ out, n }) => out * n ** 2,
  'own mask': ({ out, n }) => out * n ** 2,
  '2:4': ({ out, n }) => out * n ** 2,
  'admm factor': ({ n }) => n ** 3,
  admm: ({ out, n }) => 20 * 2 * out * n ** 2,
};

function print(layer: Layer, answers: Readonly<Record<'ours' | 'double' | 'float', readonly Answer[]>>): void {
  const { ours, double, float } = answers;
  const rate = median(ours.map((answer) => answer.rate!));
  console.log(
    `${layer.out} × ${layer.n}, ${layer.tokens} tokens, ${layer.threads} threads, product of 1024³ ${rate.toFixed(0)} GFLOP/s`,
  );
  for (const step of STEPS) {
    const seconds = median(ours.map((answer) => answer.seconds[step]));
    const gigaflops = OPERATIONS[step](layer) / seconds / 1e9;
    const ratio = (others: readonly Answer[]): string =>
      others.length === 0 || others[0]!.seconds[step] === 0
        ? ''
        : median(others.map((other, i) => other.seconds[step] / withFactor(ours[i]!.seconds, step))).toFixed(1);
    const columns = [
      (seconds * 1000).toFixed(1).padStart(9) + ' ms',
      gigaflops.toFixed(1).padStart(7) + ' GFLOP/s',
      (gigaflops / rate).toFixed(2).padStart(5),
      ratio(double).padStart(7) + '× float64',
      ratio(float).padStart(7) + '× float32',
    ];
    console.log(`  ${step.padEnd(12)}${columns.slice(0, double.length > 0 ? 5 : 3).join('  ')}`);
  }
  const peaks = [ours, double, float].filter((all) => all.length > 0);
  console.log(`  peak memory ${peaks.map((all) => median(all.map(({ peak }) => peak)).toFixed(0)).join(', ')} MiB`);
}

/** Ours with the factor that the peer computes for every layer anew. */
function withFactor(seconds: Seconds, step: Step): number {
  const factor: Partial<Record<Step, Step>> = {
    sparsegpt: 'factor',
    'own mask': 'factor',
    '2:4': 'factor',
    admm: 'admm factor',
  };
  const other = factor[step];
  return seconds[step] + (other ? seconds[other] : 0);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
