import type { Expression } from '../../../src/metric/expression.ts';
import type { OperationName } from '../../../src/metric/operations.ts';
import { zeros, type Matrix } from './matrix.ts';

/** The operands that a metric may name; a row [1, in] broadcasts over the output rows. */
export type Operands = Readonly<Partial<Record<string, Matrix>>>;

/** The score [rows, columns] that `expression` gives each weight. Throws for a score that cannot rank: not finite, or constant. */
export function scoreOf(expression: Expression, operands: Operands, rows: number, columns: number): Matrix {
  const score = broadcast(valueOf(expression, operands), rows, columns);
  if (!score.values.every(Number.isFinite)) throw new RangeError('the score has a value that is not finite');
  if (score.values.every((entry) => entry === score.values[0])) throw new RangeError('the score is constant');
  return score;
}

export function valueOf(expression: Expression, operands: Operands): Matrix {
  switch (expression.kind) {
    case 'number':
      return { rows: 1, columns: 1, values: Float64Array.of(expression.value) };
    case 'operand': {
      const operand = operands[expression.name];
      if (!operand) throw new RangeError(`the operand ${expression.name} was not collected`);
      return operand;
    }
    case 'operation': {
      const [x, y] = expression.arguments.map((argument) => valueOf(argument, operands));
      return OPERATIONS[expression.operation](x!, y ?? x!);
    }
  }
}

type Rule = (x: Matrix, y: Matrix) => Matrix;

const OPERATIONS: Readonly<Record<OperationName, Rule>> = {
  add: pairwise((x, y) => x + y),
  sub: pairwise((x, y) => x - y),
  mul: pairwise((x, y) => x * y),
  quotient: pairwise((x, y) => x / y),
  power: pairwise((x, y) => x ** y),
  div: (x, y) => {
    const [rows, columns] = [Math.max(x.rows, y.rows), Math.max(x.columns, y.columns)];
    const norm = Math.sqrt(sum(broadcast(y, rows, columns).values.map((entry) => entry * entry)));
    return each((entry) => entry / norm)(broadcast(x, rows, columns));
  },
  sqr: each((x) => x * x),
  pow: each((x) => x * x),
  neg: each((x) => -x),
  abs: each(Math.abs),
  tanh: each(Math.tanh),
  skp: (x) => x,
  log: each((x) => Math.log(Math.abs(x) + 0.001)),
  exp: each((x) => Math.exp(Math.min(x, 100))),
  sqrt: each((x) => Math.sqrt(Math.abs(x))),
  mms: (x) => {
    const least = x.values.reduce((a, b) => Math.min(a, b), Infinity);
    const greatest = x.values.reduce((a, b) => Math.max(a, b), -Infinity);
    return each((entry) => (entry - least) / (greatest - least))(x);
  },
  zsn: (x) => {
    const mean = sum(x.values) / x.values.length;
    const squares = sum(x.values.map((entry) => (entry - mean) ** 2));
    const deviation = Math.sqrt(squares / (x.values.length - 1));
    return each((entry) => (entry - mean) / deviation)(x);
  },
};

function each(rule: (x: number) => number): (x: Matrix) => Matrix {
  return (x) => ({ ...x, values: x.values.map(rule) });
}

function pairwise(rule: (x: number, y: number) => number): Rule {
  return (a, b) => {
    const [rows, columns] = [Math.max(a.rows, b.rows), Math.max(a.columns, b.columns)];
    const [x, y] = [broadcast(a, rows, columns), broadcast(b, rows, columns)];
    return { rows, columns, values: x.values.map((entry, i) => rule(entry, y.values[i]!)) };
  };
}

function broadcast(x: Matrix, rows: number, columns: number): Matrix {
  if (x.rows === rows && x.columns === columns) return x;
  if ((x.rows !== 1 && x.rows !== rows) || (x.columns !== 1 && x.columns !== columns)) {
    throw new RangeError(`[${x.rows}, ${x.columns}] does not broadcast to [${rows}, ${columns}]`);
  }
  const wide = zeros(rows, columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      wide.values[i * columns + j] = x.values[(x.rows === 1 ? 0 : i) * x.columns + (x.columns === 1 ? 0 : j)]!;
    }
  }
  return wide;
}

function sum(values: Float64Array): number {
  return values.reduce((total, entry) => total + entry, 0);
}
