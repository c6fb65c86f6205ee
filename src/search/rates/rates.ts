import { EspalierError } from '../../base/errors.ts';
import { blockWeights } from '../../experiment/components.ts';
import type { BlockComponents } from '../../experiment/structureSchema.ts';
import { projectOntoBudget } from './projectOntoBudget.ts';
import type { RateBudget } from './projectOntoBudget.ts';
import { projectionShift, shifted } from '../../base/projection.ts';

/**
 * Rates: for each block the share of its weights that goes. Their mean is weighed with the blocks' sizes, so that it is the share of
 * all blocks' weights that goes; blocks of a model as it was published are of one size.
 */
export interface RateSpace {
  /** Of each block in the weights of all; sum 1. */
  readonly shares: readonly number[];
  /** The mean of the rates; under a budget that of equal rates which are within it. */
  readonly mean: number;
  /** What models at these rates may cost, in the place of the mean. */
  readonly budget?: RateBudget;
}

/** Rates have five decimals, as language models are asked for them. */
const DECIMALS = 5;
const UNITS = 10 ** DECIMALS;

/** How far five decimals may leave a mean from where it should be, and a little for the arithmetic. */
export const MEAN_TOLERANCE = 0.5 / UNITS + 1e-12;

/** @throws EspalierError `settings/invalid` for a model without anything to remove, or a mean that is no share */
export function rateSpace(components: readonly BlockComponents[], mean: number): RateSpace {
  const weights = components.map(blockWeights);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total > 0 && mean >= 0 && mean <= 1) return { shares: weights.map((weight) => weight / total), mean };
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'searching for rates',
    expected: 'blocks with weights, and a sparsity from 0 to 1',
    actual: `${components.length} blocks with ${total} weights, and ${mean}`,
    remedy: 'Choose another checkpoint or sparsity.',
  });
}

/** The mean of rates, weighed with the blocks' sizes. */
export function meanOf(rates: readonly number[], { shares }: RateSpace): number {
  return shares.reduce((sum, share, i) => sum + share * rates[i]!, 0);
}

/**
 * The rates nearest to these (a distance counts as much as the block is large) that lie in [0, 1] and have the mean, in five decimals.
 *
 * Five decimals cannot meet every mean: they are rounded up or down so that the mean of what comes out is as near as one block's
 * rounding allows, at most 5e-6 of all weights away (for blocks of one size exactly at the mean where blocks · mean has five decimals).
 */
export function projectRates(values: readonly number[], space: RateSpace): readonly number[] {
  const { shares, mean, budget } = space;
  if (budget) return projectOntoBudget(values, budget);
  const shift = projectionShift(values, mean, shares);
  return roundRates(
    shares.map((_, i) => shifted(values[i]!, shift)),
    space,
  );
}

/** Rates of one block each, which stay in their mean as a whole, on the blocks given by their indices; the others stay as they are. */
export function projectSome(values: readonly number[], blocks: readonly number[], space: RateSpace): readonly number[] {
  if (space.budget) return projectOntoBudget(values, space.budget, blocks);
  const others = space.shares.reduce((sum, share, i) => (blocks.includes(i) ? sum : sum + share * values[i]!), 0);
  const shift = projectionShift(
    blocks.map((i) => values[i]!),
    space.mean - others,
    blocks.map((i) => space.shares[i]!),
  );
  return roundRates(
    values.map((value, i) => (blocks.includes(i) ? shifted(value, shift) : value)),
    space,
  );
}

/** Equal for equal rates only. */
export function ratesKey(rates: readonly number[]): string {
  return rates.join(' ');
}

/** As prompts and files spell them: `0.30000`. */
export function printRate(rate: number): string {
  return rate.toFixed(DECIMALS);
}

/** Rounds down, and then up again those that lost most, until the mean is met. @param exact in [0, 1], with the mean */
function roundRates(exact: readonly number[], { shares, mean }: RateSpace): readonly number[] {
  const units = exact.map((rate) => Math.floor(rate * UNITS));
  let missing = shares.reduce((sum, share, i) => sum - share * units[i]!, mean * UNITS);
  const lost = (i: number): number => exact[i]! * UNITS - units[i]!;
  const byLoss = shares.map((_, i) => i).sort((a, b) => lost(b) - lost(a) || a - b);
  for (const i of byLoss) {
    if (missing <= shares[i]! / 2 || units[i] === UNITS) continue;
    units[i]!++;
    missing -= shares[i]!;
  }
  return units.map((unit) => unit / UNITS);
}
