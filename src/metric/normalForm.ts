import { applyToNumbers } from './constant.ts';
import { number, operand, operation } from './expression.ts';
import type { Expression, OperationExpression } from './expression.ts';
import { expressionOf, expressionOfTerm } from './expressionOf.ts';
import type { OperationName } from './operations.ts';
import { printPrefix } from './print.ts';
import { rangeOf } from './range.ts';
import { isSame, isShapeProblem, MATRIX, sameShape, shapeOf } from './shape.ts';
import type { Shape } from './shape.ts';
import {
  divided,
  inOrder,
  magnitude,
  noteDegree,
  plus,
  product,
  rounded,
  scaled,
  splitNorms,
  sumOf,
  withoutNumbers,
} from './sumOfProducts.ts';
import type { Atom, Factor, NormalFormNotes, Sum, Term } from './sumOfProducts.ts';

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
    const [numbers, rest] = splitNorms(above.factors);
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

function raised(term: Term, exponent: number, notes: NormalFormNotes): Sum {
  const power = magnitude(term, exponent);
  noteDegree(power, notes);
  return flat(power);
}

function isFinite({ constant, terms }: Sum): boolean {
  const numbers = [constant, ...terms.flatMap((term) => [term.coefficient, ...term.factors.map((f) => f.exponent)])];
  return numbers.every(Number.isFinite) && terms.every(({ coefficient }) => coefficient !== 0);
}
