import { applyToNumbers } from './constant.ts';
import { number, operand, operation } from './expression.ts';
import type { Expression, OperationExpression } from './expression.ts';
import type { OperationName } from './operations.ts';
import { printPrefix } from './print.ts';
import { rangeOf } from './range.ts';
import { isShapeProblem, MATRIX, shapeOf } from './shape.ts';
import type { Shape } from './shape.ts';

/**
 * Sums of products of powers: what many spellings of one metric have in common. `W * W`, `sqr(W)` and `abs(W) * W` are W²,
 * `sqrt(W * X)` is W^½ · X^½, `X + X - W` is 2X − W. Everything else (logarithms, scaled tensors, sums inside products) is an
 * atom whose own arguments are in normal form. Equal values in exact arithmetic, never the other way round: unlike forms may
 * still be equal.
 */
export interface Sum {
  readonly constant: number;
  /** In the order of their products' keys, no key twice, no coefficient 0. */
  readonly terms: readonly Term[];
}

export interface Term {
  readonly coefficient: number;
  /** In the order of their keys, no key twice; none: the number 1. */
  readonly factors: readonly Factor[];
}

/** |atom|^exponent, times the sign of the atom where `odd`. */
export interface Factor {
  readonly atom: Atom;
  /** Greater than 0. */
  readonly exponent: number;
  /** Only where the atom has two signs. */
  readonly odd: boolean;
}

export interface Atom {
  readonly expression: Expression;
  /** The expression in prefix form. */
  readonly key: string;
  readonly nonNegative: boolean;
  /** What the atom is an operation of, where that operation may be left out in places; for `log` the magnitude. */
  readonly of?: { readonly operation: 'mms' | 'zsn' | 'tanh' | 'exp' | 'log' | 'sum'; readonly argument: Sum };
  /** The atom is one over the norm of this, widened to that shape: a positive number that is the same for all weights of a layer. */
  readonly norm?: { readonly of: Expression; readonly shape: Shape };
}

/** What is noticed on the way. */
export interface NormalFormNotes {
  /**
   * Set where float32 may have ties, overflows or lost digits that exact arithmetic has not: terms that cancel, numbers that
   * are added, high powers.
   */
  rounds: boolean;
}

/** The normal form of an expression's values. */
export function normalForm(expression: Expression, notes: NormalFormNotes): Sum {
  switch (expression.kind) {
    case 'number':
      return { constant: expression.value, terms: [] };
    case 'operand':
      return single(operandFactor(expression.name));
    case 'operation': {
      const [x, y] = expression.arguments.map((argument) => normalForm(argument, notes));
      if (x!.terms.length === 0 && (y === undefined || y.terms.length === 0)) {
        const value = applyToNumbers(expression.operation, [x!.constant, y?.constant ?? NaN]);
        return value !== undefined && Number.isFinite(value) ? { constant: value, terms: [] } : opaque(expression);
      }
      const form = FORMS[expression.operation](x!, y ?? x!, expression, notes);
      return form !== undefined && isFinite(form) ? form : opaque(expression);
    }
  }
}

/** The expression that a normal form stands for: equal forms give equal expressions. */
export function expressionOf({ constant, terms }: Sum): Expression {
  const [plus, minus] = [terms.filter((term) => term.coefficient > 0), terms.filter((term) => term.coefficient < 0)];
  const add = (a: Expression, b: Expression): Expression => operation('add', a, b);
  const subtract = (a: Expression, b: Expression): Expression => operation('sub', a, b);
  let result: Expression | undefined;
  for (const term of plus) result = result ? add(result, expressionOfTerm(term)) : expressionOfTerm(term);
  if (result === undefined && (constant !== 0 || minus.length === 0)) result = number(rounded(constant));
  else if (constant !== 0)
    result = constant > 0 ? add(result!, number(rounded(constant))) : subtract(result!, number(rounded(-constant)));
  for (const term of minus) {
    const positive = expressionOfTerm({ ...term, coefficient: -term.coefficient });
    result = result ? subtract(result, positive) : operation('neg', positive);
  }
  return result!;
}

export function scaled({ constant, terms }: Sum, by: number): Sum {
  if (by === 0) return { constant: 0, terms: [] };
  return {
    constant: times(constant, by),
    terms: terms.map((term) => ({ ...term, coefficient: times(term.coefficient, by) })),
  };
}

/** So that the leading coefficient divided by itself is 1 and nothing near it. */
export function divided({ constant, terms }: Sum, by: number): Sum {
  return {
    constant: constant / by,
    terms: terms.map((term) => ({ ...term, coefficient: term.coefficient / by })),
  };
}

/** A sum as one product: itself where it is one, an atom otherwise. It has to have terms. */
export function asTerm(sum: Sum): Term {
  const [first] = sum.terms;
  if (sum.terms.length === 1 && sum.constant === 0) return first!;
  // The leading coefficient becomes 1, or −1 where the sum is then known to be ≥ 0: 2W + 2X and −W − X are the atom W + X.
  const content = divided(sum, first!.coefficient);
  const flipped = rangeOf(expressionOf(content)).high <= 0;
  const coefficient = flipped ? -first!.coefficient : first!.coefficient;
  const argument = flipped ? scaled(content, -1) : content;
  const atom = atomOf(expressionOf(argument), { operation: 'sum', argument });
  return { coefficient, factors: [{ atom, exponent: 1, odd: !atom.nonNegative }] };
}

/** |x|^exponent. */
export function magnitude({ coefficient, factors }: Term, exponent = 1): Term {
  return {
    coefficient: Math.abs(coefficient) ** exponent,
    factors: factors.map((factor) => ({ ...factor, exponent: factor.exponent * exponent, odd: false })),
  };
}

function isNonNegativeTerm({ coefficient, factors }: Term): boolean {
  return coefficient >= 0 && factors.every(({ odd }) => !odd);
}

type Form = (x: Sum, y: Sum, node: OperationExpression, notes: NormalFormNotes) => Sum | undefined;

/** One row an operation; undefined where it is an atom as it stands. At least one argument is no number. */
const FORMS: Readonly<Record<OperationName, Form>> = {
  add: (x, y, _, notes) => plus(x, y, notes),
  sub: (x, y, _, notes) => plus(x, scaled(y, -1), notes),
  neg: (x) => scaled(x, -1),
  skp: (x) => x,
  mul(x, y, _, notes) {
    if (x.terms.length === 0) return scaled(y, x.constant);
    if (y.terms.length === 0) return scaled(x, y.constant);
    return flat(product(asTerm(x), asTerm(y), notes));
  },
  sqr: (x, _y, _node, notes) => raised(asTerm(x), 2, notes),
  pow: (x, _y, _node, notes) => raised(asTerm(x), 2, notes),
  abs: (x, _y, _node, notes) => raised(asTerm(x), 1, notes),
  sqrt: (x, _y, _node, notes) => raised(asTerm(x), 0.5, notes),
  power(x, y, node, notes) {
    const exponent = y.terms.length === 0 ? y.constant : NaN;
    if (exponent === 0) return { constant: 1, terms: [] };
    if (!(exponent > 0) || x.terms.length === 0) return atomOfArguments(node, x, y);
    const term = asTerm(x);
    if (exponent % 2 === 0 || isNonNegativeTerm(term)) return raised(term, exponent, notes);
    if (exponent % 2 !== 1) return atomOfArguments(node, x, y);
    const { coefficient, factors } = magnitude(term, exponent);
    const odd = factors.map((factor, i) => ({ ...factor, odd: term.factors[i]!.odd }));
    return flat({ coefficient: Math.sign(term.coefficient) * coefficient, factors: odd });
  },
  quotient(x, y, node) {
    if (y.terms.length === 0) return y.constant === 0 ? undefined : divided(x, y.constant);
    if (x.terms.length === 0) return x.constant === 0 ? x : atomOfArguments(node, x, y);
    const [above, below] = [asTerm(x), asTerm(y)];
    const [numbers, rest] = partition(above.factors, isNorm);
    const one = (factors: readonly Factor[]): Expression => expressionOfTerm({ coefficient: 1, factors });
    const atom = atomOf(operation('quotient', one(rest), one(below.factors)));
    const factor = { atom, exponent: 1, odd: !atom.nonNegative };
    return sumOf({ coefficient: above.coefficient / below.coefficient, factors: inOrder([...numbers, factor]) });
  },
  div(x, y, node, notes) {
    const shape = shapeOf(node);
    if (isShapeProblem(shape) || (y.terms.length === 0 && y.constant === 0)) return undefined;
    if (x.terms.length === 0 && x.constant === 0) return x;
    const below = magnitude(y.terms.length === 0 ? { coefficient: y.constant, factors: [] } : asTerm(y));
    const norm = normFactor(expressionOfTerm({ ...below, coefficient: 1 }), shape);
    const above = x.terms.length === 0 ? { coefficient: x.constant, factors: [] } : asTerm(x);
    return sumOf(product(above, { coefficient: 1 / below.coefficient, factors: [norm] }, notes));
  },
  mms(x, _y, node, notes) {
    const { sign, argument } = affine(x, notes);
    if (argument.terms.length === 0) return undefined;
    const atom = atomOf(operation('mms', expressionOf(argument)), { operation: 'mms', argument });
    const value = single({ atom, exponent: 1, odd: false });
    // The largest becomes the smallest: mms(−x) = 1 − mms(x).
    return isShapeProblem(shapeOf(node)) ? undefined : sign > 0 ? value : { ...scaled(value, -1), constant: 1 };
  },
  zsn(x, _y, node, notes) {
    const { sign, argument } = affine(x, notes);
    if (argument.terms.length === 0 || isShapeProblem(shapeOf(node))) return undefined;
    const inner = expressionOf(argument);
    // The unbiased deviation of a row that stands for all rows is not quite that of the row.
    const same = sameShape(inner, node);
    const signed = same ? argument : scaled(argument, sign);
    const atom = atomOf(same ? operation('zsn', inner) : node, { operation: 'zsn', argument: signed });
    return scaled(single({ atom, exponent: 1, odd: true }), same ? sign : 1);
  },
  tanh(x) {
    const sign = Math.sign(x.terms[0]!.coefficient);
    const argument = scaled(x, sign);
    const atom = atomOf(operation('tanh', expressionOf(argument)), { operation: 'tanh', argument });
    return scaled(single({ atom, exponent: 1, odd: !atom.nonNegative }), sign);
  },
  exp(x) {
    const atom = atomOf(operation('exp', expressionOf(x)), { operation: 'exp', argument: x });
    return single({ atom, exponent: 1, odd: false });
  },
  log(x) {
    const argument = sumOf(magnitude(asTerm(x)));
    const atom = atomOf(operation('log', expressionOf(argument)), { operation: 'log', argument });
    return single({ atom, exponent: 1, odd: !atom.nonNegative });
  },
};

/** What `mms` and `zsn` see of their argument: neither an offset nor a positive factor, so neither each other. */
function affine(sum: Sum, notes: NormalFormNotes): { readonly sign: number; readonly argument: Sum } {
  if (sum.constant !== 0) notes.rounds = true;
  const [first, ...rest] = sum.terms;
  if (first === undefined) return { sign: 1, argument: { constant: 0, terms: [] } };
  const sign = Math.sign(first.coefficient);
  if (rest.length > 0) {
    return { sign, argument: divided({ constant: 0, terms: sum.terms }, first.coefficient) };
  }
  const factors = withoutNumbers(first.factors);
  const [factor] = factors;
  const inner = factor?.atom.of;
  const isScaling = inner?.operation === 'mms' || inner?.operation === 'zsn';
  if (
    factors.length === 1 &&
    rounded(factor!.exponent) === 1 &&
    isScaling &&
    (factor!.odd || factor!.atom.nonNegative)
  ) {
    const below = affine(inner.argument, notes);
    return { sign: sign * below.sign, argument: below.argument };
  }
  return { sign, argument: factors.length === 0 ? { constant: 0, terms: [] } : sumOf({ coefficient: 1, factors }) };
}

export function withoutNumbers(factors: readonly Factor[]): readonly Factor[] {
  return factors.filter((factor) => !isNorm(factor));
}

export function sumOf(term: Term): Sum {
  return { constant: 0, terms: [term] };
}

/** A term as a sum: that of its only factor, where this is a sum as it stands. */
function flat(term: Term): Sum {
  const [factor, ...others] = term.factors;
  const of = factor?.atom.of;
  const isSum = others.length === 0 && of?.operation === 'sum' && rounded(factor!.exponent) === 1;
  return isSum && (factor!.odd || factor!.atom.nonNegative) ? scaled(of.argument, term.coefficient) : sumOf(term);
}

function single(factor: Factor): Sum {
  return sumOf({ coefficient: 1, factors: [factor] });
}

/** The magnitude W is that of the signed weight: an even power of it. */
function operandFactor(name: Parameters<typeof operand>[0]): Factor {
  const atom = atomOf(operand(name === 'W' ? 'Wsigned' : name));
  return { atom, exponent: 1, odd: !atom.nonNegative && name !== 'W' };
}

function atomOf(expression: Expression, of?: Atom['of']): Atom {
  const nonNegative = rangeOf(expression).low >= 0;
  const atom = { expression, key: printPrefix(expression), nonNegative };
  return of === undefined ? atom : { ...atom, of };
}

function opaque(node: Expression): Sum {
  const atom = atomOf(node);
  return single({ atom, exponent: 1, odd: !atom.nonNegative });
}

function atomOfArguments(node: OperationExpression, x: Sum, y: Sum): Sum {
  return opaque(operation(node.operation, expressionOf(x), expressionOf(y)));
}

/** 1 / ‖y‖ over the shape that x and y had together. */
function normFactor(y: Expression, shape: Shape): Factor {
  const own = shapeOf(y);
  // Zero times a tensor widens y to the shape over which its values are counted.
  const filler = operand(isSame(shape, MATRIX) ? 'W' : 'X');
  const whole =
    !isShapeProblem(own) && isSame(own, shape) ? y : operation('add', y, operation('mul', number(0), filler));
  const atom = { ...atomOf(operation('div', number(1), whole)), norm: { of: y, shape } };
  return { atom, exponent: 1, odd: false };
}

function isNorm({ atom }: Factor): boolean {
  return atom.norm !== undefined;
}

function plus(x: Sum, y: Sum, notes: NormalFormNotes): Sum {
  const terms = new Map<string, Term>();
  for (const term of [...x.terms, ...y.terms]) {
    const key = keyOf(term.factors);
    const other = terms.get(key);
    const coefficient = term.coefficient + (other?.coefficient ?? 0);
    if (other !== undefined && Math.sign(other.coefficient) !== Math.sign(term.coefficient)) notes.rounds = true;
    if (coefficient === 0) terms.delete(key);
    else terms.set(key, { coefficient, factors: term.factors });
  }
  const sorted = [...terms].sort(([a], [b]) => (a < b ? -1 : 1));
  return { constant: x.constant + y.constant, terms: sorted.map(([, term]) => term) };
}

function product(a: Term, b: Term, notes: NormalFormNotes): Term {
  const factors = new Map(a.factors.map((factor) => [factor.atom.key, factor]));
  for (const factor of b.factors) {
    const { atom, exponent, odd } = factor;
    const other = factors.get(atom.key);
    const both = other && { atom, exponent: other.exponent + exponent, odd: other.odd !== odd };
    factors.set(atom.key, both ?? factor);
  }
  const term = { coefficient: times(a.coefficient, b.coefficient), factors: inOrder([...factors.values()]) };
  noteDegree(term, notes);
  return term;
}

function raised(term: Term, exponent: number, notes: NormalFormNotes): Sum {
  const power = magnitude(term, exponent);
  noteDegree(power, notes);
  return flat(power);
}

/** Products of higher degree leave the range of float32 for the weights and inputs that models have. */
const SAFE_DEGREE = 6;

/** A smaller power brings values that are near each other together: two that differ by 1e-5 are one float32 after it. */
const SAFE_ROOT = 1 / 64;

function noteDegree({ factors }: Term, notes: NormalFormNotes): void {
  if (factors.reduce((sum, { exponent }) => sum + exponent, 0) > SAFE_DEGREE) notes.rounds = true;
  if (factors.some(({ exponent }) => exponent < SAFE_ROOT)) notes.rounds = true;
}

function inOrder(factors: readonly Factor[]): readonly Factor[] {
  return [...factors].sort((a, b) => (a.atom.key < b.atom.key ? -1 : 1));
}

function keyOf(factors: readonly Factor[]): string {
  return factors.map(({ atom, exponent, odd }) => `${odd ? 'odd ' : ''}${rounded(exponent)} ${atom.key}`).join(' · ');
}

/**
 * A number as forms spell it: 0.1 · 3, 0.9 / 3 and 0.3 are one. Twelve digits, far more than the seven of float32 that scores are computed
 * with; binary fractions, of which roots and sums of roots are made, keep all of theirs. Inside, forms count with all digits.
 */
export function rounded(value: number): number {
  return Number.isSafeInteger(value * BINARY_FRACTION) ? value : Number(value.toPrecision(12));
}

/** Roots of roots are exact in binary: down to x^(1/2^20), deeper than anyone writes. */
export const BINARY_FRACTION = 2 ** 20;

/** NaN, which no normal form has, where a product of numbers other than 0 is too small to be told from 0. */
function times(a: number, b: number): number {
  const result = a * b;
  return result === 0 && a !== 0 && b !== 0 ? NaN : result;
}

function isFinite({ constant, terms }: Sum): boolean {
  const numbers = [constant, ...terms.flatMap((term) => [term.coefficient, ...term.factors.map((f) => f.exponent)])];
  return numbers.every(Number.isFinite) && terms.every(({ coefficient }) => coefficient !== 0);
}

function expressionOfTerm({ coefficient, factors }: Term): Expression {
  const [norms, rest] = partition(factors, isNorm);
  const parts = rest.map(expressionOfFactor);
  const shown = rounded(coefficient);
  if (shown !== 1 || parts.length === 0) parts.unshift(number(shown));
  return norms.reduce(
    overNorm,
    parts.reduce((a, b) => operation('mul', a, b)),
  );
}

/** `div(x, y)`, where the norm of y is then taken over the shape that it has to be taken over. */
function overNorm(x: Expression, factor: Factor): Expression {
  const { of, shape } = factor.atom.norm!;
  const divided = operation('div', x, of);
  const own = shapeOf(divided);
  const isPlain = rounded(factor.exponent) === 1 && !isShapeProblem(own) && isSame(own, shape);
  return isPlain ? divided : operation('mul', x, expressionOfFactor(factor));
}

function expressionOfFactor({ atom, exponent, odd }: Factor): Expression {
  if (!odd) return powerOf(atom, exponent);
  if (rounded(exponent) === 1) return atom.expression;
  return operation('mul', atom.expression, powerOf(atom, exponent - 1));
}

/** |atom|^exponent. */
function powerOf(atom: Atom, exact: number): Expression {
  const exponent = rounded(exact);
  const isWeight = atom.expression.kind === 'operand' && atom.expression.name === 'Wsigned';
  const base = isWeight ? operand('W') : atom.expression;
  if (exponent === 2) return operation('sqr', base);
  if (exponent === 0.5) return operation('sqrt', base);
  const positive = atom.nonNegative || isWeight ? base : operation('abs', base);
  return exponent === 1 ? positive : operation('power', positive, number(exponent));
}

function partition<Item>(items: readonly Item[], belongs: (item: Item) => boolean): readonly [Item[], Item[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}

function sameShape(a: Expression, b: Expression): boolean {
  const [x, y] = [shapeOf(a), shapeOf(b)];
  return !isShapeProblem(x) && !isShapeProblem(y) && isSame(x, y);
}

function isSame(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
