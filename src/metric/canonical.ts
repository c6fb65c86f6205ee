import type { Expression } from './expression.ts';
import { expressionOf } from './expressionOf.ts';
import { asTerm, normalForm } from './normalForm.ts';
import { printInfix, printPrefix } from './print.ts';
import { rangeOf } from './range.ts';
import { BINARY_FRACTION, divided, magnitude, rounded, scaled, sumOf, withoutNumbers } from './sumOfProducts.ts';
import type { Factor, NormalFormNotes, Sum, Term } from './sumOfProducts.ts';

/** A metric that ranks the weights of every comparison group as the given one does: the same one for many spellings. */
export interface CanonicalForm {
  readonly expression: Expression;
  /** Equal keys: equal rankings within every comparison group (row, layer, N:M), in exact arithmetic. */
  readonly key: string;
  /** What was done, each in words for a person: "mms at the root keeps the ranking". Empty where nothing was. */
  readonly steps: readonly string[];
  /**
   * Whether what is written may have ties, overflows or lost digits in float32 that exact arithmetic, or the canonical spelling,
   * has not: `exp` and `tanh` that are left out, terms that cancel, high powers. Then equal keys do not promise equal masks.
   */
  readonly saturates: boolean;
}

/**
 * The canonical form by rank equivalence. Only the order of scores within a comparison group decides a mask, so at the root
 * everything goes that grows strictly with the score: `mms`, `zsn`, `tanh`, `exp` (up to its guard), `log` of a magnitude, positive
 * factors, norms, offsets, and the common exponent of a product. Below the root values count, and are brought to normal form.
 */
export function canonical(expression: Expression): CanonicalForm {
  const notes: Notes = { rounds: false, steps: [] };
  const values = normalForm(expression, notes);
  const written = expressionOf(values);
  const before = printPrefix(expression);
  if (printPrefix(written) !== before) notes.steps.push(`it has the values of ${printInfix(written)}`);
  const ranking = expressionOf(rankForm(values, notes));
  return { expression: ranking, key: printPrefix(ranking), steps: notes.steps, saturates: notes.rounds };
}

interface Notes extends NormalFormNotes {
  readonly steps: string[];
}

/** Drops what keeps the ranking, from the root down, until nothing is left to drop. */
function rankForm(values: Sum, notes: Notes): Sum {
  let sum = values;
  for (;;) {
    if (sum.constant !== 0 && sum.terms.length > 0) {
      notes.steps.push('adding a number keeps the ranking');
      notes.rounds = true;
      sum = { constant: 0, terms: sum.terms };
    }
    const [first, ...rest] = sum.terms;
    if (first === undefined) return sum;
    const size = Math.abs(first.coefficient);
    if (size !== 1) notes.steps.push('a positive factor keeps the ranking');
    if (rest.length > 0) return divided(sum, size);

    const sign = Math.sign(first.coefficient);
    const factors = withoutNumbers(first.factors);
    if (factors.length < first.factors.length) {
      notes.steps.push('a norm is one positive number for the whole layer, and keeps the ranking');
    }
    if (factors.length === 0) return { constant: sign, terms: [] };
    const below = factors.length === 1 ? underRoot(factors[0]!, notes) : undefined;
    if (below === undefined) return sumOf({ coefficient: sign, factors: withCommonExponent(factors, notes) });
    sum = scaled(below, sign);
  }
}

/** What a single power of an atom ranks like, where the atom is an operation that keeps the ranking. */
function underRoot(factor: Factor, notes: Notes): Sum | undefined {
  const { of, nonNegative } = factor.atom;
  if (of === undefined) return undefined;
  const { operation: name, argument } = of;
  const keepsSign = factor.odd || nonNegative;
  // |tanh x| = tanh |x|.
  if (!keepsSign && name !== 'tanh') return undefined;
  if (factor.exponent !== 1) notes.steps.push('a power of a magnitude keeps the ranking');
  if (name !== 'sum')
    notes.steps.push(`${name} at the root keeps the ranking${name === 'log' ? ' of magnitudes' : ''}`);
  if (name === 'exp' || (name === 'tanh' && !isSmall(argument))) notes.rounds = true;
  return keepsSign ? argument : sumOf(magnitude(asTerm(argument)));
}

/** Within −1 … 1, where tanh has nearly all the digits of its argument. */
function isSmall(sum: Sum): boolean {
  const { low, high } = rangeOf(expressionOf(sum));
  return low >= -1 && high <= 1;
}

/**
 * The factors with exponents without a common divisor: x ↦ sign(x) · |x|^p grows strictly, so that W · √X, W² · X and
 * W⁴ · X² rank the same.
 */
function withCommonExponent(factors: Term['factors'], notes: Notes): Term['factors'] {
  const divisor = commonDivisor(factors.map(({ exponent }) => exponent));
  if (divisor === 1) return factors;
  notes.steps.push('a power of the whole keeps the ranking');
  return factors.map((factor) => ({ ...factor, exponent: factor.exponent / divisor }));
}

/** What makes small integers of all of them where their ratios are ratios of such; otherwise the least of them. */
function commonDivisor(values: readonly number[]): number {
  const divisor = binaryDivisor(values);
  if (divisor !== undefined) return divisor;
  const least = Math.min(...values);
  const ratios = values.map((value) => rounded(value / least));
  return least * (binaryDivisor(ratios) ?? decimalDivisor(ratios) ?? 1);
}

/** The greatest common divisor of binary fractions; undefined where one is none. */
function binaryDivisor(values: readonly number[]): number | undefined {
  const integers = values.map((value) => value * BINARY_FRACTION);
  return integers.every(Number.isSafeInteger) ? integers.reduce(greatestCommonDivisor) / BINARY_FRACTION : undefined;
}

/** One over the least common denominator, where that is a small one. */
function decimalDivisor(ratios: readonly number[]): number | undefined {
  for (let denominator = 1; denominator <= LARGEST_DENOMINATOR; denominator++) {
    if (ratios.every((ratio) => isNearInteger(ratio * denominator))) return 1 / denominator;
  }
  return undefined;
}

/** `W ^ 0.3 * X ^ 0.5` is W³ · X⁵; with larger numbers a form is `W * X ^ 1.30769230769`, which float32 can still compute. */
const LARGEST_DENOMINATOR = 12;

/** But for the rounding of decimal fractions; float32, which scores are computed with, cannot tell such exponents apart. */
function isNearInteger(value: number): boolean {
  return Math.abs(value - Math.round(value)) <= 1e-10 * value;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
