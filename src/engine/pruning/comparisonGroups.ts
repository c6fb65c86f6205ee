import type { EvaluationSettings } from '../../experiment/settings.ts';
import type { WeightSparsity } from '../../experiment/sparsitySchema.ts';

/** Groups of consecutive weights, row-major, and how many of each go. */
export interface Groups {
  readonly size: number;
  readonly remove: number;
}

/** How a weight [out, in] falls into groups. */
export function comparisonGroups(
  [out, columns]: readonly [number, number],
  sparsity: WeightSparsity,
  group: EvaluationSettings['group'],
): Groups {
  if (sparsity.kind === 'n:m') return { size: sparsity.of, remove: sparsity.of - sparsity.keep };
  const size = group === 'row' ? columns : out * columns;
  // In double precision as it is, like the papers' int(columns * ratio): 29 % of 1000 removes 289.
  return { size, remove: Math.floor(size * sparsity.share) };
}
