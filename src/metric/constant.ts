import { sameExpression } from './expression.ts';
import type { Expression } from './expression.ts';
import type { OperationName } from './operations.ts';

/**
 * What each operation makes of plain numbers, with the guards of the table; undefined where it needs a whole tensor. Used for
 * parameters and for finding expressions that are constant, in float64: the engine computes tensors in float32.
 */
const VALUES: Readonly<Record<OperationName, (x: number, y: number) => number | undefined>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / Math.abs(y),
  quotient: (x, y) => x / y,
  power: (x, y) => x ** y,
  sqr: (x) => x * x,
  pow: (x) => x * x,
  neg: (x) => -x,
  abs: Math.abs,
  tanh: Math.tanh,
  skp: (x) => x,
  log: (x) => Math.log(Math.abs(x) + 0.001),
  exp: (x) => Math.exp(Math.min(x, 100)),
  sqrt: (x) => Math.sqrt(Math.abs(x)),
  mms: () => undefined,
  zsn: () => undefined,
};

/** The operation's value for plain numbers. @returns possibly not finite; undefined where it needs a whole tensor */
export function applyToNumbers(name: OperationName, args: readonly number[]): number | undefined {
  return VALUES[name](args[0] ?? NaN, args[1] ?? NaN);
}

/**
 * The one value that an expression has wherever it is evaluated, or undefined where it depends on the weights or inputs:
 * `2 ^ 3`, `W - W`, `0 * X`, `sqrt(W / W)`. Not everything that is constant is found, but what is found is constant
 * (where the operands are finite and not zero). The value may be infinite or not a number: `1 / (W - W)`.
 */
export function constantValue(expression: Expression): number | undefined {
  if (expression.kind === 'number') return expression.value;
  if (expression.kind === 'operand') return undefined;
  const values = expression.arguments.map(constantValue);
  return constantOf(expression.operation, expression.arguments, values);
}

/** As {@link constantValue}, for one operation whose arguments' constants are known already. */
export function constantOf(
  name: OperationName,
  args: readonly Expression[],
  values: readonly (number | undefined)[],
): number | undefined {
  if (values.every((value) => value !== undefined)) return applyToNumbers(name, values);
  const [x, y] = values;
  const [a, b] = args;
  if (name === 'mul' && (x === 0 || y === 0)) return 0;
  if ((name === 'quotient' || name === 'div') && x === 0) return 0;
  if (name === 'power' && (y === 0 || x === 1)) return 1;
  if (name === 'sub' && sameExpression(a!, b!)) return 0;
  if (name === 'quotient' && sameExpression(a!, b!)) return 1;
  if (name === 'add' && (isNegationOf(a!, b!) || isNegationOf(b!, a!))) return 0;
  return undefined;
}

function isNegationOf(a: Expression, b: Expression): boolean {
  return a.kind === 'operation' && a.operation === 'neg' && sameExpression(a.arguments[0]!, b);
}
