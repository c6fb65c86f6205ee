import type { MetricSearchSettings } from './settings.ts';
import type { MetricState } from './state.ts';

/** What a person asks of a search that runs: how fast, how much was saved, how long still. */
export interface SearchFigures {
  /** Candidates a minute of work; undefined until there is enough to tell. */
  readonly candidatesPerMinute: number | undefined;
  /** Share of the valid candidates' full evaluations that was not needed, 0 to 1; undefined while there are none. */
  readonly saved: number | undefined;
  /** Seconds of work until the last generation, or the budget, ends; undefined until there is enough to tell. */
  readonly secondsLeft: number | undefined;
  /** Share of the generations, or of the budget, that is through: 0 to 1. */
  readonly progress: number;
}

/** Generations that the forecast looks back on: later ones are cheaper, since more of them is known. */
const RECENT = 5;

export function figuresOf(state: MetricState, settings: MetricSearchSettings): SearchFigures {
  const { counts, times } = state;
  const valid = counts.candidates - counts.invalid;
  const minutes = times.worked / 60_000;
  return {
    candidatesPerMinute: minutes > 0 && counts.candidates > 0 ? counts.candidates / minutes : undefined,
    saved: valid > 0 ? 1 - counts.evaluations / valid : undefined,
    secondsLeft: secondsLeft(state, settings),
    progress: progressOf(state, settings),
  };
}

function progressOf(
  { status, counts, generations }: MetricState,
  { generations: all, budget }: MetricSearchSettings,
): number {
  if (status === 'finished') return 1;
  const spent = budget > 0 ? counts.evaluations / budget : 0;
  return Math.min(1, Math.max(spent, generations.length / all));
}

function secondsLeft(state: MetricState, settings: MetricSearchSettings): number | undefined {
  const { generationEnds: ends, worked } = state.times;
  if (state.status === 'finished') return 0;
  if (ends.length === 0) return undefined;
  const from = Math.max(-1, ends.length - 1 - RECENT);
  const begin = from === -1 ? 0 : ends[from]!;
  const span = ends.length - 1 - from;
  const perGeneration = (ends.at(-1)! - begin) / span;
  const evaluated = (i: number): number => (i < 0 ? 0 : state.generations[i]!.counts.evaluations);
  const evaluations = (evaluated(ends.length - 1) - evaluated(from)) / span;
  const byGenerations = settings.generations - ends.length;
  const byBudget =
    settings.budget > 0 && evaluations > 0
      ? Math.max(0, Math.ceil((settings.budget - evaluated(ends.length - 1)) / evaluations))
      : Infinity;
  const left = Math.min(byGenerations, byBudget) * perGeneration - (worked - ends.at(-1)!);
  return Math.max(0, left) / 1000;
}
