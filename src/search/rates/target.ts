import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { ComponentSparsity, UnstructuredSparsity } from '../../experiment/sparsitySchema.ts';
import type { RateAllocation } from '../../experiment/structureSchema.ts';
import { isWeightUpdate } from '../../experiment/updates.ts';
import type { RateSearchPlan, RateTarget } from './plan.ts';

/** What a search for rates prunes, with these rates, and what follows. @param name what the evaluation is called; as the target without it */
export function evaluationOf(
  { target, sparsity, update }: Pick<RateSearchPlan, 'target' | 'sparsity' | 'update'>,
  rates: RateAllocation,
  name = targetName(target),
): PlannedEvaluation {
  return target.kind === 'weights'
    ? {
        ...{ metric: name, expression: target.expression, sparsity: ofWeights(sparsity), rates },
        ...(update && isWeightUpdate(update) && { update }),
      }
    : {
        ...{ metric: name, structure: { kind: 'scored', score: target.score, rates }, sparsity },
        ...(update && !isWeightUpdate(update) && { update }),
      };
}

/** No plan has a budget for single weights: see its schema. */
function ofWeights(sparsity: ComponentSparsity): UnstructuredSparsity {
  if (sparsity.kind === 'unstructured') return sparsity;
  throw new Error('single weights have no budget');
}

/** What ranks that of which the rates say how much goes: `wanda-sp`, `mine`. */
export function targetName(target: RateTarget): string {
  return target.kind === 'weights' ? target.metric : target.name;
}

/** What the rates are of, for a person. @param quote what a name is set in */
export function targetWords(target: RateTarget, quote: (name: string) => string): string {
  return `${target.kind === 'weights' ? 'single weights' : 'heads and channels'} by ${quote(targetName(target))}`;
}
