import { foldLlmEvent } from '../llm/calls.ts';
import type { LlmCall } from '../llm/calls.ts';
import { NO_LIST_COUNTS } from './selfPruner/listAccount.ts';
import type { ComponentsOpening, MeasuredEvent } from '../lifecycle/events.ts';
import { emptyPopulation, foldPopulation } from '../lifecycle/population.ts';
import type { PopulationState } from '../lifecycle/population.ts';
import { tick } from '../lifecycle/state.ts';
import type { Growing } from '../lifecycle/state.ts';
import type { RateBaseline, RateCandidate, RateCounts, RateEvent } from './events.ts';
import type { FallbackEvent } from '../llm/events.ts';

/** All that is known of a search for rates from its events. `counts` of the lists in replies and of fallbacks go up to the end of the last generation. */
export interface RateState extends PopulationState<RateCandidate, RateCounts, ComponentsOpening, RateBaseline> {
  readonly kind: 'rates';
  /** Requests to the language model, without the texts. */
  readonly calls: readonly LlmCall[];
  readonly fallbacks: readonly FallbackEvent[];
}

export function newRateState(): RateState {
  const counts = { candidates: 0, evaluations: 0, duplicates: 0, invalid: 0, ...NO_LIST_COUNTS };
  return { kind: 'rates', ...emptyPopulation(), calls: [], fallbacks: [], counts };
}

/**
 * The one fold over the events of a search for rates.
 *
 * @param at when the event was kept, in milliseconds since 1970
 * @returns the same state, grown
 */
export function foldRateEvent(state: RateState, event: RateEvent, at: number): RateState {
  const growing = state as Growing<RateState>;
  tick(growing, event.kind, at);
  if (event.kind === 'measured') {
    // Baselines, below zero, are no work of the search.
    if (event.id >= 0) growing.counts.evaluations += shareOfText(event, growing.opening);
  } else if (event.kind === 'llm-asked' || event.kind === 'llm-replied' || event.kind === 'fallback') {
    foldLlmEvent(growing, growing.counts, event);
  } else {
    if (event.kind === 'candidate') count(growing.counts, event);
    foldPopulation(growing, event);
  }
  return state;
}

/** The best rates: of a finished search those that the finalists' evaluation puts first. */
export function bestConfiguration({ ranking, improvements, byId }: RateState): RateCandidate | undefined {
  const id = ranking[0] ?? improvements.at(-1)?.id;
  return id === undefined ? undefined : byId.get(id);
}

/** How many of the improvements are the language model's. */
export function improvementsByLlm({ improvements }: RateState): number {
  return improvements.filter(({ operator }) => operator.startsWith('llm-')).length;
}

/** What is measured of a candidate, in units of the whole fitness text; one that failed took as much as one that did not. */
function shareOfText({ measure }: MeasuredEvent, opening: ComponentsOpening | undefined): number {
  return measure.kind === 'loss' && opening ? measure.blocks / opening.blocks : 1;
}

function count(counts: Growing<RateCounts>, { outcome }: RateCandidate): void {
  counts.candidates++;
  if (outcome.kind === 'invalid') counts.invalid++;
  if (outcome.kind === 'shared') counts.duplicates++;
}
