import { createHash } from 'node:crypto';
import type { Expression } from '../../src/metric/expression.ts';
import { printPrefix } from '../../src/metric/print.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import type { SearchOpening } from '../../src/search/lifecycle/events.ts';
import type { Rung } from '../../src/search/lifecycle/rung.ts';
import { DEFAULT_SEARCH_OPERANDS, DEFAULT_SEARCH_OPERATIONS } from '../../src/search/metrics/plan.ts';
import type { MetricSearchPlan } from '../../src/search/metrics/plan.ts';
import { runMetricSearch } from '../../src/search/metrics/runMetricSearch.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../src/search/metrics/settings.ts';
import type { MetricSearchSettings } from '../../src/search/metrics/settings.ts';
import { GpuClock, IDLE } from './gpuClock.ts';
import type { Idle } from './gpuClock.ts';

/** What questions cost on one GPU, in seconds. */
export interface Costs {
  /** A candidate on the whole fitness text. */
  readonly candidate: number;
  /** The part of that which is there for any part of the text: scores, masks. */
  readonly fixed: number;
  /** Whether a candidate can rank. */
  readonly probe: number;
  /** Loading the model and running it dense. */
  readonly opening: number;
  /** A finalist, evaluated as an evaluation does it. */
  readonly finalist: number;
  /** Of each question, on its way. */
  readonly overhead: number;
  /** Standard deviation of a question's time, of its mean. */
  readonly spread: number;
}

export interface GenerationEstimate {
  readonly generation: number;
  /** Questions of each rung, of the rungs that were climbed. */
  readonly rungs: readonly number[];
  readonly seconds: number;
  readonly efficiency: number;
  /** GPU-seconds in which nobody worked, by reason. */
  readonly idle: Readonly<Record<Idle, number>>;
}

export interface PaperEstimate {
  readonly gpus: number;
  readonly hours: number;
  /** Of all GPU-seconds, those in which somebody worked; opening and finalists too. */
  readonly efficiency: number;
  readonly idle: Readonly<Record<Idle, number>>;
  readonly generations: readonly GenerationEstimate[];
}

/** Blocks of the fitness text: WikiText's 128 samples. */
const BLOCKS = 128;

/** Runs the loop of a search for metrics as it is, on a clock instead of GPUs; losses are drawn by the candidates' names. */
export async function estimateOnPaper(
  gpus: number,
  costs: Costs,
  search: Partial<MetricSearchSettings>,
): Promise<PaperEstimate> {
  const settings = { ...DEFAULT_METRIC_SEARCH_SETTINGS, ...search };
  const clock = new GpuClock(gpus, costs.overhead, costs.spread);
  const generations: GenerationEstimate[] = [];
  let rungs: number[] = [];
  clock.open(costs.opening);
  let before = snapshot(clock);
  const opening: SearchOpening = {
    ...{
      blocks: BLOCKS,
      denseLosses: new Array<number>(BLOCKS).fill(2),
      densePerplexity: Math.exp(2),
      parameters: 7e9,
    },
    ...{ fingerprint: 'paper', device: 'none', architecture: 'llama' },
  };
  const outcome = await runMetricSearch(
    planOf(settings),
    {
      probe(candidates) {
        clock.ask(candidates.map(() => costs.probe));
        return Promise.resolve(
          candidates.map(({ expression }) => ({ kind: 'ranks', fingerprint: nameOf(expression), whole: true })),
        );
      },
      measure(candidates, rung) {
        rungs.push(candidates.length);
        clock.ask(candidates.map(() => secondsOf(rung, costs)));
        return Promise.resolve(candidates.map(({ expression }) => lossOf(expression, rung)));
      },
      emit(event) {
        if (event.kind === 'generation') {
          const after = snapshot(clock);
          generations.push({ generation: event.generation, rungs, ...between(before, after, gpus) });
          rungs = [];
          before = after;
        }
        return Promise.resolve();
      },
    },
    { opening },
  );
  clock.ask(
    outcome.finalists.map(() => costs.finalist),
    'finalists',
  );
  return {
    ...{ gpus, hours: clock.now / 3600, idle: { ...clock.idle }, generations },
    efficiency: clock.busy / (gpus * clock.now),
  };
}

function planOf(search: MetricSearchSettings): MetricSearchPlan {
  return {
    ...{ kind: 'metrics', name: 'on paper', model: '', text: '', seeds: [], baselines: [], search },
    ...{ sparsity: { kind: 'unstructured', share: 0.5 }, settings: DEFAULT_SETTINGS },
    ...{ operations: DEFAULT_SEARCH_OPERATIONS, operands: DEFAULT_SEARCH_OPERANDS },
  };
}

function secondsOf({ begin, end }: Rung, { candidate, fixed }: Costs): number {
  return fixed + ((candidate - fixed) * (end - begin)) / BLOCKS;
}

type Snapshot = Pick<GpuClock, 'now' | 'busy' | 'idle'>;

function snapshot({ now, busy, idle }: GpuClock): Snapshot {
  return { now, busy, idle: { ...idle } };
}

function between(before: Snapshot, after: Snapshot, gpus: number): Omit<GenerationEstimate, 'generation' | 'rungs'> {
  const seconds = after.now - before.now;
  const idle = Object.fromEntries(IDLE.map((why) => [why, after.idle[why] - before.idle[why]])) as Record<Idle, number>;
  return { seconds, efficiency: (after.busy - before.busy) / (gpus * seconds), idle };
}

/** Those that are the same in algebra rank the same. */
function nameOf(expression: Expression): string {
  return printPrefix(expression);
}

/** Of every candidate the same on every number of GPUs. */
function lossOf(expression: Expression, { begin, end }: Rung) {
  const drawn = (text: string): number => createHash('sha256').update(text).digest().readUInt32LE(0) / 2 ** 32;
  const name = nameOf(expression);
  return {
    kind: 'loss',
    blocks: end - begin,
    loss: 2.2 + drawn(name) ** 2 + 0.02 * drawn(`${name} ${begin}`),
  } as const;
}
