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

export function operand(name: OperandName): OperandExpression {
  return { kind: 'operand', name };
}

/** @param value finite; −0 becomes 0, so that equal numbers print the same */
export function number(value: number): NumberExpression {
  return { kind: 'number', value: value === 0 ? 0 : value };
}

export function operation(name: OperationName, ...args: readonly Expression[]): OperationExpression {
  return { kind: 'operation', operation: name, arguments: args };
}

/** The same tree: same operations, operands and numbers in the same places. */
export function sameExpression(a: Expression, b: Expression): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case 'operand':
      return b.kind === 'operand' && a.name === b.name;
    case 'number':
      return b.kind === 'number' && a.value === b.value;
    case 'operation':
      return (
        b.kind === 'operation' &&
        a.operation === b.operation &&
        a.arguments.length === b.arguments.length &&
        a.arguments.every((argument, i) => sameExpression(argument, b.arguments[i]!))
      );
  }
}
