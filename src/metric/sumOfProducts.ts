import type { Expression } from './expression.ts';
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

export function sumOf(term: Term): Sum {
  return { constant: 0, terms: [term] };
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

/** |x|^exponent. */
export function magnitude({ coefficient, factors }: Term, exponent = 1): Term {
  return {
    coefficient: Math.abs(coefficient) ** exponent,
    factors: factors.map((factor) => ({ ...factor, exponent: factor.exponent * exponent, odd: false })),
  };
}

export function plus(x: Sum, y: Sum, notes: NormalFormNotes): Sum {
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

export function product(a: Term, b: Term, notes: NormalFormNotes): Term {
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

/** Notes a term whose values float32 may not tell apart, or not hold. */
export function noteDegree({ factors }: Term, notes: NormalFormNotes): void {
  if (factors.reduce((sum, { exponent }) => sum + exponent, 0) > SAFE_DEGREE) notes.rounds = true;
  if (factors.some(({ exponent }) => exponent < SAFE_ROOT)) notes.rounds = true;
}

/** Products of higher degree leave the range of float32 for the weights and inputs that models have. */
const SAFE_DEGREE = 6;

/** A smaller power brings values that are near each other together: two that differ by 1e-5 are one float32 after it. */
const SAFE_ROOT = 1 / 64;

export function inOrder(factors: readonly Factor[]): readonly Factor[] {
  return [...factors].sort((a, b) => (a.atom.key < b.atom.key ? -1 : 1));
}

function keyOf(factors: readonly Factor[]): string {
  return factors.map(({ atom, exponent, odd }) => `${odd ? 'odd ' : ''}${rounded(exponent)} ${atom.key}`).join(' · ');
}

export function withoutNumbers(factors: readonly Factor[]): readonly Factor[] {
  return factors.filter((factor) => !isNorm(factor));
}

/** What is the same number for all weights of a layer, and the other factors. */
export function splitNorms(factors: readonly Factor[]): readonly [norms: readonly Factor[], rest: readonly Factor[]] {
  return [factors.filter(isNorm), withoutNumbers(factors)];
}

function isNorm({ atom }: Factor): boolean {
  return atom.norm !== undefined;
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
