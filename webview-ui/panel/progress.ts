import { isMaskSearch, isMetricSearch, isRateSearch } from '../../src/search/kinds.ts';
import type { RunPlan } from '../../src/search/kinds.ts';
import { figuresOf } from '../../src/search/metrics/figures.ts';
import type { MaskState } from '../../src/search/masks/state.ts';
import type { RateState } from '../../src/search/rates/state.ts';
import type { PanelRun } from '../../src/view/panelMessages.ts';
import type { PanelData } from './panelData.ts';
import { roughly } from './words.ts';

/** How far a search is, whatever it looks for. */
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

export function progressOf(data: PanelData<RunPlan>): Progress | undefined {
  const { run } = data;
  if (!run) return undefined;
  const { plan } = run;
  if (isMetricSearch(plan)) return metricProgress({ ...data, run: run as PanelRun<typeof plan> });
  if (isRateSearch(plan)) {
    return rateProgress(data.rates, plan.search.generations, plan.search.finalists + plan.baselines.length);
  }
  return isMaskSearch(plan) ? maskProgress(data.masks, plan.search.steps, 1 + plan.baselines.length) : undefined;
}

function metricProgress({ search, run }: PanelData): Progress {
  const { plan } = run!;
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
function rateProgress({ status, iterations, finalists, times }: RateState, planned: number, all: number): Progress {
  const isOver = status === 'finished' || finalists.length > 0 || iterations.length > planned;
  const recent = times.iterationEnds.slice(-6);
  const span = recent.length - 1;
  const each = span > 0 ? (recent.at(-1)! - recent[0]!) / span : undefined;
  const left = each === undefined ? undefined : ((planned + 1 - iterations.length) * each) / 1000;
  const where =
    iterations.length === 0
      ? 'first configurations'
      : `generation ${Math.min(planned, iterations.length)} / ${planned}`;
  return {
    where: isOver ? `generation ${planned} / ${planned}` : where,
    share: status === 'finished' ? 1 : iterations.length / (planned + 1),
    left: isOver ? finalistWords(finalists.length, all) : timeWords(left),
    hasBegun: iterations.length > 0,
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
