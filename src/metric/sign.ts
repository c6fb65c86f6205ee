import type { Expression } from './expression.ts';
import { OPERATIONS } from './operations.ts';
import type { OperationName } from './operations.ts';
import { rangeOf } from './range.ts';

/** Whether every value of the expression is known to be ≥ 0. */
export function isNonNegative(expression: Expression): boolean {
  return rangeOf(expression).low >= 0;
}

/**
 * Whether the operation at the root of a metric leaves every ranking as it is, so that it can be dropped: it grows strictly
 * with its argument on the argument's range. In exact arithmetic; where float32 rounds or saturates, ties can appear.
 */
export function keepsRanking(name: OperationName, argument: Expression): boolean {
  const { arity, increasing } = OPERATIONS[name];
  if (arity !== 1) return false;
  return increasing === 'everywhere' || (increasing === 'on-non-negative' && isNonNegative(argument));
}
