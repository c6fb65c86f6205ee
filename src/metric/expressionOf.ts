import { number, operand, operation } from './expression.ts';
import type { Expression } from './expression.ts';
import { isSame, isShapeProblem, shapeOf } from './shape.ts';
import { rounded, splitNorms } from './sumOfProducts.ts';
import type { Atom, Factor, Sum, Term } from './sumOfProducts.ts';

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

export function expressionOfTerm({ coefficient, factors }: Term): Expression {
  const [norms, rest] = splitNorms(factors);
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
