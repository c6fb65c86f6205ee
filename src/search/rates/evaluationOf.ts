import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { RateAllocation } from '../../experiment/structureSchema.ts';
import type { RateSearchPlan } from './plan.ts';

/** What a search for rates prunes, with these rates. @param name what the evaluation is called */
export function evaluationOf(
  { target, sparsity }: Pick<RateSearchPlan, 'target' | 'sparsity'>,
  name: string,
  rates: RateAllocation,
): PlannedEvaluation {
  return target.kind === 'weights'
    ? { metric: name, expression: target.expression, sparsity, rates }
    : { metric: name, structure: { kind: 'scored', score: target.score, rates }, sparsity };
}
