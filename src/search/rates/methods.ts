import { checkEvoPress, runEvoPress } from './evopress/runEvoPress.ts';
import type { MeasuredRates } from './measure.ts';
import type { RateSearchPlan } from './plan.ts';
import type { RateOutcome, RateSearch } from './rateSearch.ts';
import { checkSelfPruner, runSelfPruner } from './selfPruner/runSelfPruner.ts';

/** What differs between the methods that find rates. */
export interface RateMethod<Plan extends RateSearchPlan = RateSearchPlan> {
  /** Refuses what cannot be run, before anything is measured. @throws EspalierError `settings/invalid` */
  readonly check: (search: RateSearch<Plan>) => void;
  /** The search itself. @param baselines that are measured already, on the whole fitness text */
  readonly run: (search: RateSearch<Plan>, baselines: readonly MeasuredRates[]) => Promise<RateOutcome>;
}

const METHODS: Readonly<Record<RateSearchPlan['search']['method'], RateMethod<never>>> = {
  'self-pruner': { check: checkSelfPruner, run: runSelfPruner },
  evopress: { check: checkEvoPress, run: runEvoPress },
};

/** The method of a plan. */
export function rateMethodOf(plan: RateSearchPlan): RateMethod {
  // Its row takes plans of this method, which is what this one is.
  return METHODS[plan.search.method] as RateMethod;
}
