import { costLimit, leastShare } from '../../experiment/costLimit.ts';
import type { CostLimit } from '../../experiment/costLimit.ts';
import { keptAtRates } from '../../experiment/goneAtRate.ts';
import type { ComponentSparsity } from '../../experiment/sparsitySchema.ts';
import type { ComponentsOpening } from './events.ts';

/** What of an opening a budget is resolved by. */
type Known = Pick<ComponentsOpening, 'components' | 'costs'>;

/** @returns undefined where a share is asked for @param compensated whether output projections get biases for what goes */
export function limitOf(sparsity: ComponentSparsity, { costs }: Known, compensated: boolean): CostLimit | undefined {
  return sparsity.kind === 'budget' ? costLimit(sparsity.budget, costs!, { compensated }) : undefined;
}

/**
 * The share of each block's weights that goes where all blocks lose alike.
 *
 * @throws EspalierError `settings/invalid` where no heads and channels meet the budget
 */
export function shareOf(sparsity: ComponentSparsity, opening: Known, compensated: boolean): number {
  if (sparsity.kind === 'unstructured') return sparsity.share;
  const { components } = opening;
  return leastShare(limitOf(sparsity, opening, compensated)!, (share) =>
    keptAtRates(
      components,
      components.map(() => share),
    ),
  );
}
