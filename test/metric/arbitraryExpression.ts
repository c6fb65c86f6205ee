import fc from 'fast-check';
import { number, operand, operation } from '../../src/metric/expression.ts';
import type { Expression } from '../../src/metric/expression.ts';
import { OPERAND_NAMES } from '../../src/metric/operands.ts';
import { OPERATION_NAMES, OPERATIONS } from '../../src/metric/operations.ts';

/** Any expression that the types allow, numbers with all their digits included. */
export const anyExpression: fc.Arbitrary<Expression> = fc.letrec<{ node: Expression; leaf: Expression }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom(...OPERAND_NAMES).map(operand),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }).map(number),
    fc.integer({ min: -9, max: 9 }).map(number),
  ),
  node: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    tie('leaf'),
    fc
      .constantFrom(...OPERATION_NAMES)
      .chain((name) =>
        OPERATIONS[name].arity === 1
          ? tie('node').map((x) => operation(name, x))
          : fc.tuple(tie('node'), tie('node')).map(([x, y]) => operation(name, x, y)),
      ),
  ),
})).node;

/** Expressions of Pruner-Zero's own operations and operands. */
export const prunerZeroExpression: fc.Arbitrary<Expression> = fc.letrec<{ node: Expression }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.constantFrom('W', 'X', 'G').map((name) => operand(name)),
    fc
      .constantFrom(...OPERATION_NAMES.filter((name) => OPERATIONS[name].searchable))
      .chain((name) =>
        OPERATIONS[name].arity === 1
          ? tie('node').map((x) => operation(name, x))
          : fc.tuple(tie('node'), tie('node')).map(([x, y]) => operation(name, x, y)),
      ),
  ),
})).node;
