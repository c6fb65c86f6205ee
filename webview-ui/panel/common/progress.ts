import type { RunPlan } from '../../../src/search/kinds.ts';
import { figuresOf } from '../../../src/search/metrics/figures.ts';
import type { MaskState } from '../../../src/search/masks/state.ts';
import type { RecoveryState } from '../../../src/search/recovery/state.ts';
import type { RateState } from '../../../src/search/rates/state.ts';
import type { PanelData } from './panelData.ts';
import { roughly } from './words.ts';
import type { MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import type { MetricState } from '../../../src/search/metrics/state.ts';

/** How far a run is, whatever it is about. */
export interface Progress {
  /** `generation 4 / 20`. */
  readonly where: string;
  /** Of all the work, 0 to 1. */
  readonly share: number;
  /** What is left, in words; empty where nobody knows. */
  readonly left: string;
  /** Whether something is there to be looked at. */
  readonly hasBegun: boolean;
  readonly isFinished: boolean;
}

export function progressOf({ run, search }: PanelData<RunPlan>): Progress | undefined {
  if (!run) return undefined;
  const { plan } = run;
  if (plan.kind === 'metrics' && search.kind === 'metrics') return metricProgress(search, plan);
  if (plan.kind === 'rates' && search.kind === 'rates')
    return rateProgress(search, plan.search.generations, plan.search.finalists + plan.baselines.length);
  if (plan.kind === 'masks' && search.kind === 'masks')
    return maskProgress(search, plan.search.steps, 1 + plan.baselines.length);
  if (plan.kind === 'recovery' && search.kind === 'recovery') return recoveryProgress(search, plan.recovery.steps);
  return undefined;
}

function recoveryProgress({ status, steps, finalists, stopped, seconds }: RecoveryState, planned: number): Progress {
  const each = steps > 0 ? (seconds.training + seconds.looking) / steps : undefined;
  const left = each === undefined ? undefined : (planned - steps) * each;
  return {
    where: `step ${stopped?.step ?? steps} / ${planned}`,
    share: status === 'finished' || stopped ? 1 : steps / planned,
    left: stopped ? `evaluating before and after, ${finalists.length} of 2` : timeWords(left),
    hasBegun: steps > 0,
    isFinished: status === 'finished',
  };
}

function metricProgress(search: MetricState, plan: MetricSearchPlan): Progress {
  const planned = plan.search.generations;
  const { status, finalists, generations } = search;
  const isOver = status === 'finished' || finalists.length > 0 || generations.length >= planned;
  const figures = figuresOf(search, plan.search);
  const all = plan.search.finalists + search.baselines.length;
  return {
    where: `generation ${Math.min(planned, generations.length + (isOver ? 0 : 1))} / ${planned}`,
    share: figures.progress,
    left: isOver ? finalistWords(finalists.length, all) : timeWords(figures.secondsLeft),
    hasBegun: generations.length > 0,
    isFinished: status === 'finished',
  };
}

/** Initialisation is generation 0. */
function rateProgress({ status, generations, finalists, times }: RateState, planned: number, all: number): Progress {
  const isOver = status === 'finished' || finalists.length > 0 || generations.length > planned;
  const recent = times.generationEnds.slice(-6);
  const span = recent.length - 1;
  const each = span > 0 ? (recent.at(-1)! - recent[0]!) / span : undefined;
  const left = each === undefined ? undefined : ((planned + 1 - generations.length) * each) / 1000;
  const where =
    generations.length === 0
      ? 'first configurations'
      : `generation ${Math.min(planned, generations.length)} / ${planned}`;
  return {
    where: isOver ? `generation ${planned} / ${planned}` : where,
    share: status === 'finished' ? 1 : generations.length / (planned + 1),
    left: isOver ? finalistWords(finalists.length, all) : timeWords(left),
    hasBegun: generations.length > 0,
    isFinished: status === 'finished',
  };
}

function maskProgress({ status, steps, finalists, times }: MaskState, planned: number, all: number): Progress {
  const isOver = status === 'finished' || finalists.length > 0 || steps >= planned;
  const each = steps > 0 ? times.worked / steps : undefined;
  const left = each === undefined ? undefined : ((planned - steps) * each) / 1000;
  return {
    where: `step ${steps} / ${planned}`,
    share: status === 'finished' ? 1 : steps / planned,
    left: isOver ? finalistWords(finalists.length, all) : timeWords(left),
    hasBegun: steps > 0,
    isFinished: status === 'finished',
  };
}

function timeWords(seconds: number | undefined): string {
  return seconds === undefined ? '' : `${roughly(seconds)} left`;
}

function finalistWords(done: number, all: number): string {
  return `evaluating finalists, ${done} of about ${all}`;
}
