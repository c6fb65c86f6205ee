import type { Expression } from './expression.ts';
import { OPERANDS } from './operands.ts';
import { OPERATIONS } from './operations.ts';
import type { OperationName } from './operations.ts';

/** Whether every value of the expression is known to be ≥ 0, by the signs that the two tables declare. */
export function isNonNegative(expression: Expression): boolean {
  switch (expression.kind) {
    case 'number':
      return expression.value >= 0;
    case 'operand':
      return OPERANDS[expression.name].nonNegative;
    case 'operation':
      switch (OPERATIONS[expression.operation].nonNegative) {
        case 'always':
          return true;
        case 'if-all-arguments':
          return expression.arguments.every(isNonNegative);
        case 'if-first-argument':
          return isNonNegative(expression.arguments[0]!);
        case 'unknown':
          return false;
      }
  }
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
