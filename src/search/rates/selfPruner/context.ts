import type { RateSearch } from '../rateSearch.ts';
import type { ListAccount } from './listAccount.ts';
import type { SelfPrunerPlan } from './plan.ts';
import type { RateKnowledge } from './rateKnowledge.ts';

/** What all generations of a search by Self-Pruner have in common. */
export interface SelfPrunerContext extends RateSearch<SelfPrunerPlan> {
  readonly knowledge: RateKnowledge;
  readonly account: ListAccount;
  /** The last request to the language model that failed. */
  failure?: { readonly generation: number; readonly reason: string };
}
