import { formatShare } from '../../../experiment/format.ts';
import { blockWeights } from '../../../experiment/components.ts';
import type { BlockComponents } from '../../../experiment/structureSchema.ts';
import { costOf, isWithin } from '../../../experiment/costLimit.ts';
import { keptAtRates } from '../../../experiment/goneAtRate.ts';
import { projectRates } from '../rates.ts';
import type { RateBudget } from '../projectOntoBudget.ts';
import type { RateSpace } from '../rates.ts';
import { equalUnits } from './levels.ts';
import type { LevelSpace } from './levels.ts';

/** Of rates, which have five decimals. */
const UNITS = 100_000;

/**
 * The rates of blocks as levels, in units of 1e-5. All begin uniform. Under a budget a switch lowers the other rate as far as the model stays
 * within its limit: less than one component of that block below it.
 *
 * @param step by how much one switch changes a rate
 */
export function rateLevels(step: number, components: readonly BlockComponents[], space: RateSpace): LevelSpace {
  const { budget } = space;
  const equal = components.map(() => space.mean);
  // Equal rates are within a budget as they are.
  const uniform = budget ? equal : projectRates(equal, space);
  const start = uniform.map((rate) => Math.round(rate * UNITS));
  return {
    groups: budget ? [weighing(components)] : equalUnits(components.map(blockWeights)),
    ...(budget && { lowered: (levels, down) => lowest(levels, down, budget) }),
    step: Math.round(step * UNITS),
    top: UNITS,
    draw: () => start,
    configurationOf: (levels) => ({ rates: levels.map((level) => level / UNITS) }),
    needs: {
      expected: budget
        ? `two blocks, of which one can lose ${formatShare(step)} more and the other less for it`
        : `two blocks of equal size, of which one can lose ${formatShare(step)} more and the other as much less`,
      remedy: 'Choose another sparsity, or a smaller step.',
    },
  };
}

/** Blocks that have anything to lose, by their indices. */
function weighing(components: readonly BlockComponents[]): readonly number[] {
  return components.flatMap((block, index) => (blockWeights(block) > 0 ? [index] : []));
}

/** The lowest level of a block with which the model is within its limit, found by halving; undefined where its own level is none, or it would lose nothing. */
function lowest(
  levels: readonly number[],
  down: number,
  { limit, components }: RateBudget,
): readonly number[] | undefined {
  const meets = (level: number): boolean => {
    const rates = levels.map((own, index) => (index === down ? level : own) / UNITS);
    return isWithin(limit, costOf(limit, keptAtRates(components, rates)));
  };
  const own = levels[down]!;
  if (!meets(own) || meets(0)) return undefined;
  let [without, within] = [0, own];
  while (within - without > 1) {
    const middle = (without + within) >> 1;
    if (meets(middle)) within = middle;
    else without = middle;
  }
  return levels.with(down, within);
}
