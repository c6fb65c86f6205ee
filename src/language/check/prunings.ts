import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { Sparsity, UnstructuredSparsity } from '../../experiment/sparsitySchema.ts';
import { meanRate } from '../../experiment/structureNames.ts';
import type { RateAllocation } from '../../experiment/structureSchema.ts';
import type { Pruning } from './document.ts';

/** Whether whole components go, or blocks lose different shares: then there is no N:M. */
export function needsShare(pruning: Pruning): boolean {
  return pruning.rates !== undefined;
}

/** Whether the rates themselves say how much goes, whatever the sparsities are. */
export function saysHowMuch({ rates }: Pruning): boolean {
  return rates?.kind === 'given';
}

/** What a list of metrics and structures is evaluated at: each at every sparsity, rates that are given at their own mean. */
export function evaluationsAt(prunings: readonly Pruning[], sparsities: readonly Sparsity[]): PlannedEvaluation[] {
  return prunings.flatMap((pruning): PlannedEvaluation[] => {
    const metric = pruning.label;
    if ('score' in pruning) {
      const { score, rates } = pruning;
      return sharesFor(rates, sparsities).map((sparsity) => ({
        metric,
        structure: { kind: 'scored', score, rates },
        sparsity,
      }));
    }
    const { expression, rates } = pruning;
    if (rates === undefined) return sparsities.map((sparsity) => ({ metric, expression, sparsity }));
    return sharesFor(rates, sparsities).map((sparsity) => ({ metric, expression, sparsity, rates }));
  });
}

function sharesFor(rates: RateAllocation, sparsities: readonly Sparsity[]): readonly UnstructuredSparsity[] {
  if (rates.kind === 'given') return [{ kind: 'unstructured', share: meanRate(rates.rates) }];
  return sparsities.filter((sparsity) => sparsity.kind === 'unstructured');
}
