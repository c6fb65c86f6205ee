import { EspalierError } from '../../base/errors.ts';
import { leastShare } from '../../experiment/costLimit.ts';
import { keptAtRates } from '../../experiment/goneAtRate.ts';
import { isCompensated, isStructural } from '../../experiment/planned.ts';
import { REMOVED, STRUCTURE_METHODS, UNIFORM } from '../../experiment/structure.ts';
import type { RateEffects, RateSearchOptions } from './effects.ts';
import { measureBaselines } from './measureBaselines.ts';
import { rateMethodOf } from './methods.ts';
import type { RateSearchPlan } from './plan.ts';
import { rateSpace } from './rates.ts';
import type { RateSpace } from './rates.ts';
import { evaluationOf } from './target.ts';
import { dropsLayers } from './evopress/plan.ts';
import { limitOf, shareOf } from '../lifecycle/budget.ts';
import type { ComponentsOpening } from '../lifecycle/events.ts';
import type { RateOutcome, RateSearch } from './rateSearch.ts';

/**
 * Runs a search for rates: baselines, then what its method does. Everything that is random comes from the seed and the configurations' ids;
 * with equal plans and equal answers, a language model's replies among them, searches are equal.
 *
 * @throws EspalierError `settings/invalid` for a plan that cannot be run, `cancelled` once `options.signal` is aborted; and whatever
 * `effects` throw
 */
export async function runRateSearch(
  plan: RateSearchPlan,
  effects: RateEffects,
  options: RateSearchOptions,
): Promise<RateOutcome> {
  checkTarget(plan);
  const space = budgetedSpace(plan, options.opening);
  const search: RateSearch = { plan, space, effects, options };
  const method = rateMethodOf(plan);
  method.check(search);
  return method.run(search, await measureBaselines(search));
}

/** Where the plan's mean, or budget, holds. */
function budgetedSpace(plan: RateSearchPlan, opening: ComponentsOpening): RateSpace {
  const { sparsity } = plan;
  const { components } = opening;
  const evaluation = evaluationOf(plan, UNIFORM);
  const compensated = !dropsLayers(plan) && isStructural(evaluation) && isCompensated(evaluation);
  const equal = shareOf(sparsity, opening, compensated);
  const limit = limitOf(sparsity, opening, compensated);
  if (!limit) return rateSpace(components, equal);
  // Its blocks may have sizes of their own, and share no program.
  const { budget, dense, most, outside, blocks, costOfBlock } = limit;
  const ofMany = { budget, dense, most, outside, blocks, costOfBlock };
  const mean = leastShare(ofMany, (share) =>
    keptAtRates(
      components,
      components.map(() => share),
    ),
  );
  return { ...rateSpace(components, mean), budget: { limit: ofMany, equal, components } };
}

/** Rates say how much of each block goes: a method that removes blocks as a whole has no use for them. */
function checkTarget({ name, target }: RateSearchPlan): void {
  if (target.kind === 'weights' || target.score.kind === 'metric') return;
  const { method } = target.score;
  const { removes } = STRUCTURE_METHODS[method];
  if (removes === 'components') return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `searching for rates (${name})`,
    expected: 'a score that chooses heads and channels',
    actual: `${method}, which removes ${REMOVED[removes]}`,
    remedy: 'Choose wanda-sp, magnitude, taylor, flap, or a metric.',
  });
}
