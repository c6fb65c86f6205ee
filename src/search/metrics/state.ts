import type { Outcome, SearchOpening } from '../lifecycle/events.ts';
import { emptyPopulation, foldPopulation } from '../lifecycle/population.ts';
import type { PopulationState } from '../lifecycle/population.ts';
import { tick } from '../lifecycle/state.ts';
import { foldLlmEvent } from '../llm/calls.ts';
import type { LlmCall } from '../llm/calls.ts';
import type { FallbackEvent } from '../llm/events.ts';
import { NO_PROPOSAL_COUNTS } from './proposals/account.ts';
import type { Growing } from '../lifecycle/state.ts';
import type {
  MetricBaseline,
  MetricCandidate,
  MetricCounts,
  MetricEvent,
  MetricFinalist,
  ProposedEvent,
} from './events.ts';

/** All that is known of a search for metrics from its events. */
export interface MetricState extends PopulationState<
  MetricCandidate,
  MetricCounts,
  SearchOpening,
  MetricBaseline,
  MetricFinalist
> {
  readonly kind: 'metrics';
  /** Requests to the language model, without the texts; what stood in its replies; where variation stood in for it. */
  readonly calls: readonly LlmCall[];
  readonly proposed: readonly ProposedEvent[];
  readonly fallbacks: readonly FallbackEvent[];
}

export function newMetricState(): MetricState {
  const counts = { candidates: 0, invalid: 0, duplicates: 0, stoppedEarly: 0, fullEvaluations: 0, evaluations: 0 };
  return { kind: 'metrics', ...emptyPopulation(), counts, calls: [], proposed: [], fallbacks: [] };
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
  if (event.kind === 'probed' || event.kind === 'workers') return state;
  if (event.kind === 'measured') {
    // Baselines, below zero, are no work of the search.
    if (event.id >= 0 && event.measure.kind === 'loss' && growing.opening !== undefined) {
      growing.counts.evaluations += event.measure.blocks / growing.opening.blocks;
    }
  } else if (event.kind === 'llm-asked' || event.kind === 'llm-replied' || event.kind === 'fallback') {
    // The counts of an event are its own.
    const llm = { ...(growing.counts.llm ?? NO_PROPOSAL_COUNTS) };
    foldLlmEvent(growing, llm, event);
    growing.counts.llm = llm;
  } else if (event.kind === 'proposed') {
    growing.proposed.push(event);
    const llm = { ...(growing.counts.llm ?? NO_PROPOSAL_COUNTS) };
    llm.formulasUsed += event.used;
    llm.formulasRejected += event.rejected.length;
    growing.counts.llm = llm;
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
