import type { Expression } from './expression.ts';
import { OPERANDS } from './operands.ts';
import type { OperationName } from './operations.ts';

/** Bounds that no value of an expression lies outside of, in exact arithmetic. They need not be reached. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

const ANYTHING: Range = { low: -Infinity, high: Infinity };
const NON_NEGATIVE: Range = { low: 0, high: Infinity };

/** Bounds of an expression's values by those of its operands and numbers. Each occurrence of an operand is taken by itself. */
export function rangeOf(expression: Expression): Range {
  switch (expression.kind) {
    case 'number':
      return { low: expression.value, high: expression.value };
    case 'operand':
      return OPERANDS[expression.name].nonNegative ? NON_NEGATIVE : ANYTHING;
    case 'operation': {
      const [x, y] = expression.arguments.map(rangeOf);
      return checked(RANGES[expression.operation](x!, y ?? x!));
    }
  }
}

/** The bounds of each operation's result by those of its arguments. */
const RANGES: Readonly<Record<OperationName, (x: Range, y: Range) => Range>> = {
  add: (x, y) => ({ low: x.low + y.low, high: x.high + y.high }),
  sub: (x, y) => ({ low: x.low - y.high, high: x.high - y.low }),
  mul: (x, y) => corners(x, y, (a, b) => (a === 0 || b === 0 ? 0 : a * b)),
  // The norm is positive, and of unknown size.
  div: (x) => ({ low: x.low >= 0 ? 0 : -Infinity, high: x.high <= 0 ? 0 : Infinity }),
  quotient: (x, y) => (x.low >= 0 && y.low >= 0 ? NON_NEGATIVE : ANYTHING),
  power: (x, y) => (x.low < 0 ? ANYTHING : x.low >= 1 && y.low >= 0 ? { low: 1, high: Infinity } : NON_NEGATIVE),
  sqr: (x) => map(magnitude(x), (value) => value * value),
  pow: (x) => map(magnitude(x), (value) => value * value),
  neg: (x) => ({ low: -x.high, high: -x.low }),
  abs: magnitude,
  tanh: (x) => map(x, Math.tanh),
  skp: (x) => x,
  log: (x) => map(magnitude(x), (value) => Math.log(value + 0.001)),
  exp: (x) => map(x, (value) => Math.exp(Math.min(value, 100))),
  sqrt: (x) => map(magnitude(x), Math.sqrt),
  mms: () => ({ low: 0, high: 1 }),
  zsn: () => ANYTHING,
};

function magnitude({ low, high }: Range): Range {
  const least = low <= 0 && high >= 0 ? 0 : Math.min(Math.abs(low), Math.abs(high));
  return { low: least, high: Math.max(Math.abs(low), Math.abs(high)) };
}

/** Through a function that grows. */
function map({ low, high }: Range, grows: (value: number) => number): Range {
  return { low: grows(low), high: grows(high) };
}

function corners(x: Range, y: Range, combine: (a: number, b: number) => number): Range {
  const values = [combine(x.low, y.low), combine(x.low, y.high), combine(x.high, y.low), combine(x.high, y.high)];
  return { low: Math.min(...values), high: Math.max(...values) };
}

/** ∞ − ∞ says nothing. */
function checked({ low, high }: Range): Range {
  return { low: Number.isNaN(low) ? -Infinity : low, high: Number.isNaN(high) ? Infinity : high };
}
