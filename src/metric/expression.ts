import type { OperandName } from './operands.ts';
import type { OperationName } from './operations.ts';

/**
 * A pruning metric, closed: references to other metrics and parameters are already replaced by what they stand for.
 * This is the form that crosses processes, is fingerprinted, compiled, printed and searched.
 */
export type Expression = OperandExpression | NumberExpression | OperationExpression;

export interface OperandExpression {
  readonly kind: 'operand';
  readonly name: OperandName;
}

export interface NumberExpression {
  readonly kind: 'number';
  readonly value: number;
}

export interface OperationExpression {
  readonly kind: 'operation';
  readonly operation: OperationName;
  readonly arguments: readonly Expression[];
}
