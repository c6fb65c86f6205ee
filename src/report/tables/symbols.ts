import type { Expression } from '../../metric/expression.ts';
import type { OperationName } from '../../metric/operations.ts';

/** Operations that a formula names, and that readers cannot know. */
export const LATER_FORMULAS: ReadonlySet<OperationName> = new Set(['log', 'exp', 'sqrt', 'mms', 'zsn', 'skp', 'div']);

export function operationsOf(expression: Expression): readonly OperationName[] {
  if (expression.kind !== 'operation') return [];
  return [expression.operation, ...expression.arguments.flatMap(operationsOf)];
}
