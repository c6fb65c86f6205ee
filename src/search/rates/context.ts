import type { RateSearchPlan } from './plan.ts';
import type { RateEffects, RateSearchOptions } from './effects.ts';
import type { LlmAccount } from './llmAccount.ts';
import type { RateKnowledge } from './rateKnowledge.ts';
import type { RateSpace } from './rates.ts';

/** What all generations of a search for rates have in common. */
export interface RateContext {
  readonly plan: RateSearchPlan;
  readonly space: RateSpace;
  readonly knowledge: RateKnowledge;
  readonly account: LlmAccount;
  readonly effects: RateEffects;
  readonly options: RateSearchOptions;
  /** The last request to the language model that failed. */
  failure?: { readonly generation: number; readonly reason: string };
}
