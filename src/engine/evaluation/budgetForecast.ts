import { printBudget } from '../../experiment/budget.ts';
import { costLimit, costOf, figureOf, figureText, isAboutSpeed, leastShare } from '../../experiment/costLimit.ts';
import { formatShare } from '../../experiment/format.ts';
import { keptAtRates } from '../../experiment/goneAtRate.ts';
import { isCompensated, isStructural } from '../../experiment/planned.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/planSchema.ts';
import { STRUCTURE_METHODS } from '../../experiment/structure.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { modelComponents } from '../models/components.ts';
import { costsOf } from './prepareEvaluation.ts';

/**
 * What budgets of a plan come to, a sentence each: the rate of all blocks and the figure that is predicted, as far as nothing has to be measured or
 * scored first.
 *
 * @throws EspalierError `settings/invalid` for one that no equal rates meet
 */
export function budgetForecast(plan: EvaluationPlan, checkpoint: Checkpoint): readonly string[] {
  const components = modelComponents(checkpoint.config);
  return plan.evaluations.flatMap((evaluation) => {
    const { sparsity, metric } = evaluation;
    if (!isStructural(evaluation) || sparsity.kind !== 'budget') return [];
    const { budget } = sparsity;
    const asked = `${metric} at ${printBudget(budget)}`;
    if (isAboutSpeed(budget) && !plan.times)
      return [`${asked}: what the blocks take is measured first, once for this device`];
    if (!losesAlike(evaluation)) return [`${asked}: the rates follow from the scores`];
    const limit = costLimit(budget, costsOf(checkpoint, plan), { compensated: isCompensated(evaluation) });
    const keptAt = (share: number) =>
      keptAtRates(
        components,
        components.map(() => share),
      );
    const share = leastShare(limit, keptAt);
    const figure = figureText(budget, figureOf(limit, costOf(limit, keptAt(share))));
    return [`${asked}: ${formatShare(share)} of each block, predicted ${figure}`];
  });
}

/** Whether heads and channels go at equal rates. */
function losesAlike(evaluation: PlannedEvaluation): boolean {
  if (!isStructural(evaluation) || evaluation.structure.kind !== 'scored') return false;
  const { rates, score } = evaluation.structure;
  return (
    rates.kind === 'uniform' && (score.kind === 'metric' || STRUCTURE_METHODS[score.method].removes === 'components')
  );
}
