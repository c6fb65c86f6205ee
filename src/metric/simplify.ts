import { applyToNumbers } from './constant.ts';
import { number, operation, sameExpression } from './expression.ts';
import type { Expression, OperationExpression } from './expression.ts';
import { OPERATIONS } from './operations.ts';
import type { OperationName } from './operations.ts';
import { sameShape } from './shape.ts';
import { isNonNegative } from './sign.ts';

/**
 * Opposing operations that cancel (Pruner-Zero's OOS, opposing operation simplification): what a rule keeps says how far the
 * result is the same metric.
 * - `value`: the same numbers in exact arithmetic, wherever the expression stands.
 * - `approximately`: a pair that would cancel but for its guard, as the paper cancels it. A guarded logarithm is ln(|x| + 0.001),
 *   a guarded exponential ends at e^100; where |x| is small, or x < −7, the metric changes. Only the search does this, to its own trees.
 */
export interface SimplificationRule {
  readonly name: string;
  readonly keeps: 'value' | 'approximately';
  /** The simpler form of an operation whose arguments are simplified already; undefined where the rule does not apply. */
  readonly rewrite: (node: OperationExpression) => Expression | undefined;
}

/** Undoes what cancels, from the leaves up, until no rule applies. The result is never larger. */
export function simplify(expression: Expression, keep: SimplificationRule['keeps'] = 'value'): Expression {
  if (expression.kind !== 'operation') return expression;
  const wholeTensors = keep === 'value' && OPERATIONS[expression.operation].reach === 'tensor';
  const args = expression.arguments.map((argument) => {
    const simpler = simplify(argument, keep);
    // `W − W + X` is a matrix and `X` a row: the norm, or the deviation, of its values is another one.
    return wholeTensors && !sameShape(argument, simpler) ? argument : simpler;
  });
  const same = args.every((argument, i) => argument === expression.arguments[i]);
  const node = same ? expression : operation(expression.operation, ...args);
  for (const rule of SIMPLIFICATION_RULES) {
    if (rule.keeps !== 'value' && keep === 'value') continue;
    const simpler = rule.rewrite(node);
    if (simpler !== undefined) return simplify(simpler, keep);
  }
  return node;
}

const EVEN: readonly OperationName[] = ['abs', 'sqr', 'pow', 'sqrt', 'log'];

const SIMPLIFICATION_RULES: readonly SimplificationRule[] = [
  unary('skp(x) = x', ['skp'], (x) => x),
  unary('−(−x) = x', ['neg'], (x) => argumentOf(x, 'neg')),
  unary('f(−x) = f(x) and f(|x|) = f(x) for abs, sqr, sqrt, log', EVEN, (x, name) => {
    const inner = argumentOf(x, 'neg', 'abs');
    return inner && operation(name, inner);
  }),
  unary('|x| = x where x ≥ 0', ['abs'], (x) => (isNonNegative(x) ? x : undefined)),
  unary('√(x²) = |x|', ['sqrt'], (x) => wrap('abs', argumentOf(x, 'sqr', 'pow'))),
  unary('(√|x|)² = |x|', ['sqr', 'pow'], (x) => wrap('abs', argumentOf(x, 'sqrt'))),
  unary('mms and zsn of a scaled tensor scale it anew', ['mms', 'zsn'], (x, name) => {
    const inner = argumentOf(x, 'mms', 'zsn');
    return inner && operation(name, inner);
  }),
  binary('x − x = 0', ['sub'], (x, y) => (sameExpression(x, y) ? number(0) : undefined)),
  binary('x − (−y) = x + y', ['sub'], (x, y) => pair('add', x, argumentOf(y, 'neg'))),
  binary('x + (−y) = x − y', ['add'], (x, y) => pair('sub', x, argumentOf(y, 'neg'))),
  binary('−x + y = y − x', ['add'], (x, y) => pair('sub', y, argumentOf(x, 'neg'))),
  binary('(−x)(−y) = xy', ['mul'], (x, y) => {
    const [a, b] = [argumentOf(x, 'neg'), argumentOf(y, 'neg')];
    return a && b && operation('mul', a, b);
  }),
  binary('(x + y) − y = x', ['sub'], (sum, y) => remainder(sum, 'add', y)),
  binary('(x − y) + y = x', ['add'], (x, y) => differenceWithout(x, y) ?? differenceWithout(y, x)),
  binary('x + 0 = x', ['add'], (x, y) => (isNumber(x, 0) ? y : isNumber(y, 0) ? x : undefined)),
  binary('x − 0 = x, 0 − x = −x', ['sub'], (x, y) =>
    isNumber(y, 0) ? x : isNumber(x, 0) ? operation('neg', y) : undefined,
  ),
  binary('0 · x = 0, 1 · x = x', ['mul'], (x, y) => {
    if (isNumber(x, 0) || isNumber(y, 0)) return number(0);
    return isNumber(x, 1) ? y : isNumber(y, 1) ? x : undefined;
  }),
  binary('0 / ‖y‖ = 0', ['div'], (x) => (isNumber(x, 0) ? number(0) : undefined)),
  binary('a norm knows no signs', ['div'], (x, y) => pair('div', x, argumentOf(y, 'neg', 'abs'))),
  {
    name: 'an operation on numbers is a number',
    keeps: 'value',
    rewrite({ operation: name, arguments: args }) {
      const values = args.map((argument) => (argument.kind === 'number' ? argument.value : NaN));
      const value = values.some(Number.isNaN) ? undefined : applyToNumbers(name, values);
      return value !== undefined && Number.isFinite(value) ? number(value) : undefined;
    },
  },
  { ...unary('exp(log x) ≈ |x|', ['exp'], (x) => wrap('abs', argumentOf(x, 'log'))), keeps: 'approximately' },
  { ...unary('log(exp x) ≈ x', ['log'], (x) => argumentOf(x, 'exp')), keeps: 'approximately' },
];

function unary(
  name: string,
  operations: readonly OperationName[],
  rewrite: (x: Expression, operation: OperationName) => Expression | undefined,
): SimplificationRule {
  return {
    name,
    keeps: 'value',
    rewrite: (node) => (operations.includes(node.operation) ? rewrite(node.arguments[0]!, node.operation) : undefined),
  };
}

function binary(
  name: string,
  operations: readonly OperationName[],
  rewrite: (x: Expression, y: Expression) => Expression | undefined,
): SimplificationRule {
  return {
    name,
    keeps: 'value',
    rewrite: (node) =>
      operations.includes(node.operation) ? rewrite(node.arguments[0]!, node.arguments[1]!) : undefined,
  };
}

/** The argument of one of these unary operations; undefined for anything else. */
function argumentOf(node: Expression, ...names: readonly OperationName[]): Expression | undefined {
  return node.kind === 'operation' && names.includes(node.operation) ? node.arguments[0] : undefined;
}

function wrap(name: OperationName, x: Expression | undefined): Expression | undefined {
  return x && operation(name, x);
}

function pair(name: OperationName, x: Expression, y: Expression | undefined): Expression | undefined {
  return y && operation(name, x, y);
}

/** What is left of a commutative operation without one of its two arguments. */
function remainder(node: Expression, name: OperationName, without: Expression): Expression | undefined {
  if (node.kind !== 'operation' || node.operation !== name) return undefined;
  const [x, y] = node.arguments;
  return sameExpression(y!, without) ? x : sameExpression(x!, without) ? y : undefined;
}

/** x of `x − y`. */
function differenceWithout(node: Expression, y: Expression): Expression | undefined {
  if (node.kind !== 'operation' || node.operation !== 'sub') return undefined;
  return sameExpression(node.arguments[1]!, y) ? node.arguments[0] : undefined;
}

function isNumber(node: Expression, value: number): boolean {
  return node.kind === 'number' && node.value === value;
}
