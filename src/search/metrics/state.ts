import type { Outcome, SearchOpening } from '../lifecycle/events.ts';
import { emptyPopulation, foldPopulation } from '../lifecycle/population.ts';
import type { PopulationState } from '../lifecycle/population.ts';
import { tick } from '../lifecycle/state.ts';
import type { Growing } from '../lifecycle/state.ts';
import type { MetricBaseline, MetricCandidate, MetricCounts, MetricEvent, MetricFinalist } from './events.ts';

/** All that is known of a search for metrics from its events. */
export interface MetricState extends PopulationState<
  MetricCandidate,
  MetricCounts,
  SearchOpening,
  MetricBaseline,
  MetricFinalist
> {
  readonly kind: 'metrics';
}

export function newMetricState(): MetricState {
  const counts = { candidates: 0, invalid: 0, duplicates: 0, stoppedEarly: 0, fullEvaluations: 0, evaluations: 0 };
  return { kind: 'metrics', ...emptyPopulation(), counts };
}

/**
 * The one fold over the events of a search for metrics: command line, panel and tree view all have their state from it.
 *
 * @param at when the event was kept, in milliseconds since 1970
 * @returns the same state, grown
 */
export function foldMetricEvent(state: MetricState, event: MetricEvent, at: number): MetricState {
  const growing = state as Growing<MetricState>;
  tick(growing, event.kind, at);
  if (event.kind === 'probed') return state;
  if (event.kind === 'measured') {
    // Baselines, below zero, are no work of the search.
    if (event.id >= 0 && event.measure.kind === 'loss' && growing.opening !== undefined) {
      growing.counts.evaluations += event.measure.blocks / growing.opening.blocks;
    }
  } else {
    if (event.kind === 'candidate') count(growing.counts, event);
    foldPopulation(growing, event);
  }
  return state;
}

/** The best that was evaluated in full, or undefined while there is none. */
export function bestOf({ improvements, byId }: MetricState): MetricCandidate | undefined {
  const last = improvements.at(-1);
  return last && byId.get(last.id);
}

function count(counts: Growing<MetricCounts>, { outcome }: MetricCandidate): void {
  counts.candidates++;
  counts[COUNT_OF[outcome.kind]]++;
}

/** Where an outcome is counted. */
export const COUNT_OF = {
  full: 'fullEvaluations',
  stopped: 'stoppedEarly',
  shared: 'duplicates',
  invalid: 'invalid',
} as const satisfies Record<Outcome['kind'], keyof MetricCounts>;
