import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import type {
  ComponentSparsity,
  Sparsity,
  UnstructuredSparsity,
  WeightSparsity,
} from '../../experiment/sparsitySchema.ts';
import { REMOVED, STRUCTURE_METHODS } from '../../experiment/structure.ts';
import { meanRate } from '../../experiment/structureNames.ts';
import type { RateAllocation } from '../../experiment/structureSchema.ts';
import type { Pruning } from './document.ts';

/** Whether whole components go, or blocks lose different shares: then there is no N:M. */
export function needsShare(pruning: Pruning): boolean {
  return pruning.rates !== undefined;
}

/** Why single weights have no budget, behind what they are called. */
export const NOTHING_GAINED = 'leave zeros in their place, which make a model neither faster nor smaller';

/** Whether it removes single weights: zeros in their place make a model neither faster nor smaller, so that no budget can be met. */
export function takesNoBudget(pruning: Pruning): boolean {
  return !('score' in pruning) && !saysHowMuch(pruning);
}

/** Whether this can be asked of single weights. */
export function isOfWeights(sparsity: Sparsity): sparsity is WeightSparsity {
  return sparsity.kind !== 'budget';
}

/** Whether the rates themselves say how much goes, whatever the sparsities are. */
export function saysHowMuch({ rates }: Pruning): boolean {
  return rates?.kind === 'given';
}

/** Why these rates mean nothing for what is pruned with; undefined where they do. */
export function ratesProblem(pruning: Pruning, { kind }: RateAllocation): string | undefined {
  if (kind === 'uniform') return undefined;
  if (!('score' in pruning)) return kind === 'global' ? '`global` compares components, not single weights' : undefined;
  const { score } = pruning;
  if (score.kind !== 'method') return undefined;
  const { removes } = STRUCTURE_METHODS[score.method];
  // How many experts of a block go can be said of each block.
  if (removes === 'components' || (removes === 'experts' && kind === 'given')) return undefined;
  const remedy = removes === 'experts' ? 'it takes rates of its own alone, a list' : 'it takes no rates';
  return `\`${score.method}\` drops ${REMOVED[removes]}: ${remedy}`;
}

/** What a list of metrics and structures is evaluated at: each at every sparsity, rates that are given at their own mean. */
export function evaluationsAt(
  prunings: readonly Pruning[],
  sparsities: readonly Sparsity[],
  recovery?: Recovery,
): PlannedEvaluation[] {
  const trained = recovery ? { recovery } : {};
  return prunings.flatMap((pruning): PlannedEvaluation[] => {
    const metric = pruning.label;
    if ('score' in pruning) {
      const { score, rates, update } = pruning;
      return amountsFor(rates, sparsities).map((sparsity) => ({
        metric,
        structure: { kind: 'scored', score, rates },
        sparsity,
        ...(update && { update }),
        ...trained,
      }));
    }
    const { rates, update } = pruning;
    const ranked = 'expression' in pruning ? { expression: pruning.expression, group: pruning.group } : undefined;
    const own = {
      metric,
      ...(ranked && { expression: ranked.expression }),
      ...(ranked?.group && { group: ranked.group }),
      ...(update && { update }),
      ...trained,
    };
    if (rates === undefined) return sparsities.filter(isOfWeights).map((sparsity) => ({ ...own, sparsity }));
    return sharesFor(rates, sparsities).map((sparsity) => ({ ...own, sparsity, rates }));
  });
}

/** How many whole components go. */
function amountsFor(rates: RateAllocation, sparsities: readonly Sparsity[]): readonly ComponentSparsity[] {
  return rates.kind === 'given'
    ? sharesFor(rates, sparsities)
    : (sparsities.filter(({ kind }) => kind !== 'n:m') as readonly ComponentSparsity[]);
}

function sharesFor(rates: RateAllocation, sparsities: readonly Sparsity[]): readonly UnstructuredSparsity[] {
  if (rates.kind === 'given') return [{ kind: 'unstructured', share: meanRate(rates.rates) }];
  return sparsities.filter((sparsity) => sparsity.kind === 'unstructured');
}
