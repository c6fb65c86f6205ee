import type { RateEffects, RateSearchOptions } from './effects.ts';
import type { RateCounts } from './events.ts';
import type { MeasuredRates } from './measure.ts';
import type { RateSearchPlan } from './plan.ts';
import type { RateSpace } from './rates.ts';

/** What a method that finds rates is given. */
export interface RateSearch<Plan extends RateSearchPlan = RateSearchPlan> {
  readonly plan: Plan;
  readonly space: RateSpace;
  readonly effects: RateEffects;
  readonly options: RateSearchOptions;
}

/** What a search for rates comes to, before its finalists are evaluated again. */
export interface RateOutcome {
  readonly counts: RateCounts;
  /** Distinct rates, the best first, as many as the plan says. */
  readonly finalists: readonly MeasuredRates[];
}
