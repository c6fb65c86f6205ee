import { EspalierError } from '../base/errors.ts';
import { sum } from '../base/sum.ts';
import { printBudget } from './budget.ts';
import type { Budget } from './budgetSchema.ts';
import { areAlike, blockSize, blockTime, isTimed, modelTime } from './costs.ts';
import type { BlockSize, TimedCosts } from './costs.ts';
import type { ModelCosts } from './costSchema.ts';

/** What a budget comes to for one model: a bound on its cost, which is a sum over its blocks and what is outside them. */
export interface CostLimit {
  readonly budget: Budget;
  /** What the dense model costs, and what a pruned one may cost: seconds, parameters or bytes. */
  readonly dense: number;
  readonly most: number;
  /** Whatever goes of the blocks. */
  readonly outside: number;
  /** What each block has in the dense model. */
  readonly blocks: ModelCosts['blocks'];
  /** What a model costs whose blocks all keep the same, where that is not the sum over its blocks; undefined for others. */
  readonly costOfAlike?: (kept: readonly BlockSize[]) => number | undefined;
  /** Cost of block `index` with what it keeps, in a model of blocks of many sizes. */
  readonly costOfBlock: (index: number, kept: BlockSize) => number;
}

export interface LimitOptions {
  /** Whether the output projections get biases for what goes (FLAP). */
  readonly compensated?: boolean;
  /**
   * Whether blocks that all keep the same are priced as such, which they are less than in a model of many sizes: not in a search, where
   * a step away from equal rates would be out of the limit.
   */
  readonly alike?: boolean;
}

/** Whether times have to be measured for it. */
export function isAboutSpeed({ quantity }: Budget): boolean {
  return quantity === 'prefill' || quantity === 'decode';
}

/** @throws EspalierError `engine/invariant` where times are asked for that nobody has measured */
export function costLimit(
  budget: Budget,
  costs: ModelCosts,
  { compensated = false, alike = false }: LimitOptions = {},
): CostLimit {
  const { quantity } = budget;
  const { blocks } = costs;
  if (quantity === 'parameters' || quantity === 'bytes') {
    const denseBlocks = sum(blocks.map((block, index) => blockSize(costs, index, block)[quantity]));
    const outside = costs.outside[quantity];
    const dense = outside + denseBlocks;
    const most = quantity === 'bytes' ? budget.bytes : (1 - budget.share) * dense;
    const costOfBlock: CostLimit['costOfBlock'] = (index, kept) => blockSize(costs, index, kept, compensated)[quantity];
    return { budget, dense, most, outside, blocks, costOfBlock };
  }
  const timed = requireTimes(costs, budget);
  const costOfBlock: CostLimit['costOfBlock'] = (index, kept) => blockTime(timed, index, kept)[quantity];
  const outside = timed.times.outside[quantity];
  const costOfAlike = (kept: readonly BlockSize[]): number | undefined =>
    alike && areAlike(kept) ? modelTime(timed, kept)[quantity] : undefined;
  const dense = modelTime(timed, blocks)[quantity];
  return { budget, dense, most: dense / budget.times, outside, blocks, costOfAlike, costOfBlock };
}

/** Cost of a model. @param kept of each block */
export function costOf({ outside, costOfAlike, costOfBlock }: CostLimit, kept: readonly BlockSize[]): number {
  return costOfAlike?.(kept) ?? outside + sum(kept.map((size, index) => costOfBlock(index, size)));
}

/** Whether a cost is within the limit, but for the arithmetic. */
export function isWithin({ most, dense }: CostLimit, cost: number): boolean {
  return cost <= most + 1e-12 * dense;
}

/** What a cost is in the words of the budget: times as fast, share of the parameters that is gone, or bytes. */
export function figureOf({ budget, dense }: CostLimit, cost: number): number {
  if (isAboutSpeed(budget)) return dense / cost;
  return budget.quantity === 'bytes' ? cost : 1 - cost / dense;
}

/** Shares have five decimals, as rates. */
const UNITS = 100_000;

/**
 * The least share, in five decimals, at which a model is within the limit. Where costs fall as the share grows it is the least of all; where they
 * rise here and there (a group goes, and channels come back for it) it is one below which they are not within it.
 *
 * @param keptAt what the blocks keep at a share, from 0 to 1
 * @throws EspalierError `settings/invalid` where nothing meets the budget, or the dense model does
 */
export function leastShare(limit: CostLimit, keptAt: (share: number) => readonly BlockSize[]): number {
  const meets = (units: number): boolean => isWithin(limit, costOf(limit, keptAt(units / UNITS)));
  if (!meets(UNITS)) throw unreachable(limit, costOf(limit, keptAt(1)));
  requireRemoving(limit);
  let [without, within] = [0, UNITS];
  while (within - without > 1) {
    const middle = (without + within) >> 1;
    if (meets(middle)) within = middle;
    else without = middle;
  }
  return within / UNITS;
}

/** @throws EspalierError `settings/invalid` where the dense model is within the limit: nothing would go */
export function requireRemoving(limit: CostLimit): void {
  if (!isWithin(limit, limit.dense)) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: removing(limit),
    expected: `less than the dense model has: ${figureText(limit.budget, limit.dense)}`,
    actual: printBudget(limit.budget),
    remedy: 'Ask for less.',
  });
}

/** @param least what is left at the least, of all that could go */
export function unreachable(limit: CostLimit, least: number): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: removing(limit),
    expected: `what can be reached: ${isAboutSpeed(limit.budget) || limit.budget.quantity === 'parameters' ? 'up to' : 'from'} ${figureText(limit.budget, figureOf(limit, least))}`,
    actual: printBudget(limit.budget),
    remedy: 'Ask for less, or choose what removes more: the rest of the model costs that much by itself.',
  });
}

/** A figure as its budget is written, in few digits: `1.49x faster`, `39.8% fewer parameters`, `1.87 GB`. */
export function figureText({ quantity }: Budget, figure: number): string {
  switch (quantity) {
    case 'prefill':
      return `${figure.toFixed(2)}x faster`;
    case 'decode':
      return `${figure.toFixed(2)}x faster decode`;
    case 'parameters':
      return `${(figure * 100).toFixed(1)}% fewer parameters`;
    case 'bytes':
      return figure >= 1e9 ? `${(figure / 1e9).toFixed(2)} GB` : `${(figure / 1e6).toFixed(2)} MB`;
  }
}

function removing({ budget }: CostLimit): string {
  return `removing components (${printBudget(budget)})`;
}

function requireTimes(costs: ModelCosts, budget: Budget): TimedCosts {
  if (isTimed(costs)) return costs;
  throw new EspalierError({
    code: 'engine/invariant',
    operation: `removing components (${printBudget(budget)})`,
    expected: 'what the blocks take on this device, measured before',
    actual: 'a model without measurements',
    remedy: 'This is a defect of Espalier: please report it with the log.',
  });
}
