import { readFileSync } from 'node:fs';
import type { EvaluationPlan } from '../src/experiment/planSchema.ts';
import { asRanked } from '../src/experiment/planned.ts';
import { openCheckpoint } from '../src/engine/checkpoint/checkpoint.ts';
import { BlockWeights } from '../src/engine/forward/blockWeights.ts';
import { ForwardStatistics } from '../src/engine/evaluation/blockStatistics.ts';
import { collectGradients, type GradientSink } from '../src/engine/gradient/collectGradients.ts';
import { ModelPrograms } from '../src/engine/forward/modelPrograms.ts';
import { sweep } from '../src/engine/evaluation/sweep.ts';
import type { SweepInputs } from '../src/engine/evaluation/sweepInputs.ts';
import { cutSamples } from '../src/engine/corpus/cutSamples.ts';
import { DEFAULT_ROWS } from '../src/experiment/corpusRows.ts';
import { calibrationSettings } from '../src/experiment/settings.ts';
import { evaluationBlocks } from '../src/engine/forward/tokenBlocks.ts';
import { TokenCache } from '../src/engine/forward/tokenCache.ts';
import { Pruner } from '../src/engine/pruning/pruner.ts';
import { Device } from '../src/engine/runtime/device.ts';
import { DeviceTensor } from '../src/engine/runtime/deviceTensor.ts';
import { buildGemmGraph } from '../src/engine/runtime/gemmGraph.ts';
import { generateModel } from './generatedModel.ts';
import { measureMaskSteps } from './maskSteps.ts';
import type { ChildJob } from './ours.ts';
import { median } from './report.ts';

/** One job in this process; prints its measurement as one line of JSON. */
export async function runChild(text: string): Promise<void> {
  const job = JSON.parse(text) as ChildJob;
  console.log(JSON.stringify({ ...(await answerOf(job)), peakMemory: peakMemory() }));
}

async function answerOf(job: ChildJob): Promise<object> {
  if (job.kind === 'generate') return generateModel();
  if (job.kind === 'mask steps') return measureMaskSteps(job.plan, job.comparison);
  return JOBS[job.kind](await openInputs(job.plan));
}

interface Opened {
  readonly plan: EvaluationPlan;
  readonly device: Device;
  readonly inputs: SweepInputs;
}

const JOBS: Record<Exclude<ChildJob['kind'], 'generate' | 'mask steps'>, (opened: Opened) => Promise<object>> = {
  /** The dense model alone, or one pruned model alone: the peer evaluates no dense model beside a pruned one either. */
  async evaluate({ plan, device, inputs }) {
    const pruners = plan.evaluations.map((evaluation) => {
      const { metric, expression, sparsity } = asRanked(evaluation, 'measuring an evaluation');
      return new Pruner(device, { metric, expression, sparsity, group: plan.settings.group });
    });
    const { result, seconds } = await timed(() => sweep(inputs, pruners.length === 0, pruners, yieldOnce));
    const outcome = result.dense ?? result.variants[0]!;
    if (outcome instanceof Error) throw outcome;
    return { value: Math.exp(outcome.loss), seconds };
  },

  /** X and G of every linear layer of the dense model, in one pass there and back, as a search opens with. */
  async operands({ inputs: { checkpoint, device, weights, calibration: samples } }) {
    const { result, seconds } = await timed(async () => {
      const norms = new ForwardStatistics(weights.layouts, ['X']);
      let gradient = 0;
      const sink: GradientSink = (_, gradients) => {
        for (const values of gradients.values()) gradient += sum(values);
        return Promise.resolve();
      };
      await collectGradients({ checkpoint, device, weights, samples }, sink, yieldOnce, norms);
      const layers = norms.blocks.flatMap((block) => [...block.values()]);
      return { gradient, value: layers.reduce((total, layer) => total + sum(layer.row('X')), 0) };
    });
    return { ...result, seconds };
  },

  /** The machine's rate before and after the model, in one process with one runtime; the higher one counts. */
  async gemm({ device, inputs }) {
    const before = await measureGemm(device);
    const { seconds } = await timed(() => sweep(inputs, true, [], yieldOnce));
    return { gigaflops: Math.max(before, await measureGemm(device)), seconds };
  },
};

/** Everything that the peer has done too before its clock starts: checkpoint opened, texts tokenised. */
export async function openInputs(plan: EvaluationPlan): Promise<Opened> {
  const { settings } = plan;
  const device = new Device({ name: 'cpu', precision: 'float32', threads: settings.threads });
  const checkpoint = await openCheckpoint(plan.model);
  const cache = new TokenCache();
  const open = (file: string) =>
    cache.text({ folder: checkpoint.folder, vocabulary: checkpoint.config.vocabulary }, { file, rows: DEFAULT_ROWS });
  const text = await open(plan.text!);
  const calibration = plan.calibration === undefined ? undefined : await open(plan.calibration);
  const samples = calibration
    ? cutSamples(await calibration.ids(), { ...calibrationSettings(settings), offsets: 'even' }, plan.calibration!).tokens
    : [];
  const programs = await ModelPrograms.create(checkpoint.config, device, settings.length);
  const inputs: SweepInputs = {
    checkpoint,
    device,
    weights: new BlockWeights(checkpoint, device, 'again'),
    programs,
    // Samples are as long as blocks here.
    calibrationPrograms: programs,
    evaluation: await evaluationBlocks(text, settings, plan.text!),
    calibration: samples,
    gradientSamples: samples,
    calibrate: settings.calibrate,
    now: () => performance.now() / 1000,
  };
  return { plan, device, inputs };
}

/** Rate of x [2048, 1024] · weightᵀ [1024, 1024], weight as input, float32: median of 21 products after three. */
async function measureGemm(device: Device): Promise<number> {
  const [m, k, n] = [2048, 1024, 1024];
  const program = await device.program(
    'gemm',
    () => buildGemmGraph(m, k, n, 'float32'),
    () => true,
  );
  const ones = (rows: number, columns: number) =>
    DeviceTensor.fromHost(new Float32Array(rows * columns).fill(1), [rows, columns]);
  const inputs = { x: ones(m, k), weight: ones(n, k) };
  const y = DeviceTensor.empty([m, n]);
  const seconds: number[] = [];
  for (let i = 0; i < 24; i++) seconds.push((await timed(() => program.run(inputs, { y }))).seconds);
  return (2 * m * k * n) / median(seconds.slice(3)) / 1e9;
}

async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; seconds: number }> {
  const began = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - began) / 1000 };
}

function sum(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** What an engine does after every step, so that messages and signals are seen. */
export function yieldOnce(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Largest resident set so far, MiB. */
function peakMemory(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1024;
  // ru_maxrss of a forked process starts at its parent's size; VmHWM is this program's own.
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}
