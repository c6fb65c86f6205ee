import { costOf, isWithin } from '../../experiment/costLimit.ts';
import type { CostLimit } from '../../experiment/costLimit.ts';
import { keptAtRate, keptAtRates } from '../../experiment/goneAtRate.ts';
import { sum } from '../../base/sum.ts';
import type { BlockComponents } from '../../experiment/structureSchema.ts';

/** What rates come to is whole components, and that is what costs: so a cost falls in steps. */
export interface RateBudget {
  /** Of blocks of many sizes, which rates that are searched for come to: those that are alike may take less. */
  readonly limit: CostLimit;
  /** The rate at which equal blocks meet it. */
  readonly equal: number;
  readonly components: readonly BlockComponents[];
}

/** Of rates. */
const UNITS = 100_000;

/**
 * The rates on the way of one shift of all of them, cut off at 0 and 1, at which a model is within its budget, in five decimals: those that remove
 * least, found by halving. Where several blocks lose a component at the same shift, those that need not are spared, the first blocks first. So the
 * cost is never above the limit, and below it by less than one component of any block that was spared none.
 *
 * @param blocks that are shifted; the others stay as they are, unless these alone cannot meet the budget
 */
export function projectOntoBudget(
  values: readonly number[],
  budget: RateBudget,
  blocks?: readonly number[],
): readonly number[] {
  const { limit, components } = budget;
  const moved = blocks && new Set(blocks);
  const at = (shift: number): number[] =>
    values.map((value, i) => rounded(moved && !moved.has(i) ? value : value + shift));
  const meets = (shift: number): boolean => isWithin(limit, costOf(limit, keptAtRates(components, at(shift))));
  const span = 1 + Math.max(...values.map(Math.abs));
  if (!meets(span)) return moved ? projectOntoBudget(values, budget) : at(span);
  let [without, within] = [-span, span];
  while (within - without > 0.5 / UNITS) {
    const middle = (without + within) / 2;
    if (meets(middle)) within = middle;
    else without = middle;
  }
  return spared(at(within), at(without), limit, components);
}

/** Blocks lose less as long as the model stays within its limit. */
function spared(
  rates: readonly number[],
  less: readonly number[],
  limit: CostLimit,
  components: RateBudget['components'],
): readonly number[] {
  const costAt = (index: number, rate: number): number =>
    limit.costOfBlock(index, keptAtRate(components[index]!, rate));
  const costs = rates.map((rate, index) => costAt(index, rate));
  return rates.map((rate, index) => {
    if (less[index] === rate) return rate;
    const before = costs[index]!;
    costs[index] = costAt(index, less[index]!);
    if (isWithin(limit, limit.outside + sum(costs))) return less[index]!;
    costs[index] = before;
    return rate;
  });
}

function rounded(rate: number): number {
  return Math.min(UNITS, Math.max(0, Math.round(rate * UNITS))) / UNITS;
}
