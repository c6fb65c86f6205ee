import type { Configuration } from './configuration.ts';
import type { Rung } from '../lifecycle/rung.ts';
import type { LlmRequest } from '../llm/request.ts';
import type { RateEvent } from './events.ts';
import type { LlmReply } from '../llm/events.ts';
import type { MeasureOutcome, ComponentsOpening } from '../lifecycle/events.ts';

/**
 * All that a search for rates asks of the world. As with searches for metrics (see `SearchEffects`) the same questions are asked in
 * the same order for the same plan and the same answers; a run that was interrupted goes on by asking again from the beginning.
 */
export interface RateEffects {
  /** Each configuration's loss on the blocks of a rung; answers in the order of the questions. Baselines have ids below 0. */
  measure(configurations: readonly AskedRates[], rung: Rung): Promise<readonly MeasureOutcome[]>;
  /** What the language model answers. Failures are replies too: nothing that a provider does ends the search. */
  ask(request: LlmRequest): Promise<LlmReply>;
  /** Settles when the event is kept. The loop emits `baseline`, `candidate`, `generation` and `fallback`. */
  emit(event: RateEvent): Promise<void>;
}

export interface AskedRates extends Configuration {
  readonly id: number;
}

export interface RateSearchOptions {
  readonly opening: ComponentsOpening;
  /** Looked at between two questions; the search then fails with the code `cancelled`. */
  readonly signal?: AbortSignal;
}
