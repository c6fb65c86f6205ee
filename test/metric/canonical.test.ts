import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { DEFAULT_SEARCH_OPERANDS, DEFAULT_SEARCH_OPERATIONS } from '../../src/search/metrics/plan.ts';
import { canonical } from '../../src/metric/canonical.ts';
import { constantValue } from '../../src/metric/constant.ts';
import { number, operation } from '../../src/metric/expression.ts';
import type { Expression } from '../../src/metric/expression.ts';
import { sizeOf } from '../../src/metric/measure.ts';
import { OPERAND_NAMES } from '../../src/metric/operands.ts';
import { OPERATION_NAMES } from '../../src/metric/operations.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import { printInfix, printPrefix } from '../../src/metric/print.ts';
import { isNonNegative } from '../../src/metric/sign.ts';
import { parseExpression } from '../../src/language/check/compile.ts';
import { alphabetOf } from '../../src/search/metrics/alphabet.ts';
import { withConstant } from '../../src/search/metrics/constants.ts';
import { randomTree } from '../../src/search/metrics/randomTree.ts';
import { anyExpression } from './arbitraryExpression.ts';
import { randomOperands, scores } from './randomOperands.ts';

describe('canonical form', () => {
  const table: [string, string][] = [
    ['W * sqrt(X)', 'sqr(W) * X'],
    ['mms(log(W * W * X))', 'sqr(W) * X'],
    ['zsn(exp(tanh(W)))', 'W'],
    ['abs(W * W) * mms(G)', 'sqr(W) * mms(G)'],
    ['X * mms(zsn(G / 2)) + X * 0', 'X * mms(G)'],
    ['-W', '-W'],
    ['sqr(-W)', 'W'],
    ['sqr(W - X)', 'abs(W - X)'],
    ['sqr(X - W)', 'abs(W - X)'],
    ['abs(tanh(X - W))', 'abs(W - X)'],
    ['mms(-G)', '-G'],
    ['zsn(-zsn(G))', '-G'],
    ['sqr(mms(G) - 1)', '-G'],
    ['sqr(mms(G) + 1)', 'G'],
    ['W + W', 'W'],
    ['3 - 2 * W', '-W'],
    ['X + W - X', 'W'],
    ['(W + X) * (X + W)', 'W + X'],
    ['abs(Wsigned)', 'W'],
    ['sqr(Wsigned)', 'W'],
    ['Wsigned * W', 'Wsigned'],
    ['div(W, X)', 'W'],
    ['div(W * G, G) * div(X, W)', 'G * W * X'],
    ['W + div(X, -G)', 'W + div(X, G)'],
    ['W + div(X, G) * 2', 'W + div(2 * X, G)'],
    ['W ^ 3', 'W'],
    ['W ^ 3 * Wsigned ^ 3', 'Wsigned'],
    ['W * X ^ 1.5', 'sqr(W) * X ^ 3'],
    ['W / 4', 'W'],
    ['W / X', 'W / X'],
    ['div(2 * W, X) / X', 'W / X'],
    // Numbers, with the digits that float32 could tell apart.
    ['W ^ 0.3 * X ^ 0.5', 'W ^ 3 * X ^ 5'],
    ['W ^ 0.9 * X ^ 0.3', 'W ^ 3 * X'],
    ['(W ^ 0.1) ^ 3 * X ^ 0.3', 'W * X'],
    ['(W * X ^ 0.4) ^ 1.1', 'W ^ 5 * sqr(X)'],
    ['(W ^ 0.3) ^ 0.7 * X', 'W * X ^ 4.7619047619'],
    ['W ^ 0.21 * X', 'W * X ^ 4.7619047619'],
    ['(2 * W * X) ^ 1.3', 'W * X'],
    ['0.2 * W + 0.3 * X', 'W + 1.5 * X'],
    ['0.7 * (0.2 * W + 0.3 * X) ^ 0.7', 'W + 1.5 * X'],
    ['abs(0.3 * W - 0.1 * X) * G', 'G * abs(W - 0.333333333333 * X)'],
    ['abs(0.9 * W - 0.3 * X) * G', 'G * abs(W - 0.333333333333 * X)'],
    ['0.1 * W + 0.2 * W + 0.3 * X', 'W + X'],
    ['W + X ^ 0.4 / 0.3', 'X ^ 0.4 + 0.3 * W'],
    ['W ^ 0.37', 'W'],
    ['-(3 * X) ^ 0.37', '-X'],
    ['abs(Xmean) ^ 0.37', 'abs(Xmean)'],
    // These look alike and are not.
    ['Xmean ^ 0.37', 'Xmean ^ 0.37'],
    ['W ^ -0.5', 'W ^ -0.5'],
    ['W ^ 0.31 * X ^ 0.5', 'W * X ^ 1.61290322581'],
    ['0.3 * W + X ^ 0.4', 'X ^ 0.4 + 0.3 * W'],
    ['sqrt(Xmean)', 'abs(Xmean)'],
    ['sqr(Wsigned) * Xmean', 'sqr(W) * Xmean'],
    ['Wsigned * Xmean', 'Wsigned * Xmean'],
    ['W * (X + 1)', 'W * (X + 1)'],
    ['W + X * 2', 'W + 2 * X'],
    ['log(W - X)', 'abs(W - X)'],
    ['log(W) * X', 'X * log(W)'],
    ['zsn(W) * X', 'X * zsn(W)'],
    ['abs(zsn(W))', 'abs(zsn(W))'],
    ['zsn(X + W - W) + G', 'G + zsn(X + W - W)'],
  ];
  it.each(table)('%s ranks like %s', (text, expected) => {
    expect(printInfix(canonical(parseExpression(text)).expression)).toBe(expected);
  });

  it.each([
    ['W * X', []],
    ['mms(X * W)', ['it has the values of mms(W * X)', 'mms at the root keeps the ranking']],
    ['sqrt(W) * X', ['a power of the whole keeps the ranking']],
    ['div(W, X) * 2', [/values of div\(2 \* W, X\)/, /positive factor/, /norm is one positive number/]],
    ['W + 1', ['adding a number keeps the ranking']],
  ])('%s: tells what it did', (text, expected) => {
    const { steps } = canonical(parseExpression(text));
    expect(steps).toHaveLength(expected.length);
    expected.forEach((step, i) => {
      expect(steps[i]).toMatch(step);
    });
  });

  it.each([
    ['tanh(X)', true],
    ['tanh(mms(X))', false],
    ['exp(W)', true],
    ['X + W - X', true],
    ['W + 1', true],
    ['sqr(sqr(sqr(X)))', true],
    ['mms(zsn(W * sqrt(X)))', false],
    ['W ^ 1.3 * X ^ 0.4', false],
    ['W ^ 4.5 * X ^ 2', true],
    ['W ^ 0.01', true],
  ])('%s may be told from its form by float32: %s', (text, expected) => {
    expect(canonical(parseExpression(text)).saturates).toBe(expected);
  });

  it('finds what is constant', () => {
    for (const text of ['sub(add(W, X), add(X, W))', 'div(sub(W, W), X)', 'sub(mms(W), mms(zsn(W)))']) {
      expect(constantValue(canonical(parsePrefix(text)).expression)).toBe(0);
    }
  });

  const operands = [1, 2, 3].map(randomOperands);

  it('ranks as what it was made of: random trees of the search', () => {
    const rng = new Rng(40);
    const alphabet = alphabetOf({ operations: DEFAULT_SEARCH_OPERATIONS, operands: DEFAULT_SEARCH_OPERANDS });
    const trees = Array.from({ length: 1000 }, (_, i) => randomTree(i % 2 === 0 ? 'grow' : 'full', 4, alphabet, rng));
    const compared = trees.map((tree) => countAgreements(tree, operands)).reduce((a, b) => a + b);
    expect(compared).toBeGreaterThan(2300);
    const keys = new Set(trees.map((tree) => canonical(tree).key));
    console.log(`1000 random trees have ${keys.size} canonical forms`);
    expect(keys.size).toBeLessThan(400);
  });

  it('ranks as what it was made of: all operations, operands and numbers', () => {
    const rng = new Rng(41);
    const alphabet = alphabetOf({ operations: OPERATION_NAMES, operands: OPERAND_NAMES });
    const trees = Array.from({ length: 800 }, () => withNumbers(randomTree('grow', 4, alphabet, rng), rng));
    const compared = trees.map((tree) => countAgreements(tree, operands)).reduce((a, b) => a + b);
    expect(compared).toBeGreaterThan(1500);
  });

  it('ranks as what it was made of: trees with exponents and factors of the search', () => {
    const rng = new Rng(43);
    const alphabet = alphabetOf({ operations: DEFAULT_SEARCH_OPERATIONS, operands: DEFAULT_SEARCH_OPERANDS });
    const trees = Array.from({ length: 1200 }, () => withConstants(randomTree('grow', 4, alphabet, rng), rng));
    // Factors drive tanh to 1 in float64 too; then the form says that it promises nothing.
    const safe = trees.filter((tree) => !canonical(tree).saturates);
    const compared = safe.map((tree) => countAgreements(tree, operands)).reduce((a, b) => a + b);
    expect(compared).toBeGreaterThan(1500);
    for (const tree of trees) expect(canonical(canonical(tree).expression).key).toBe(canonical(tree).key);
  });

  it('is one for all spellings of a number', () => {
    const rng = new Rng(44);
    const alphabet = alphabetOf({
      operations: ['add', 'mul', 'sqrt', 'mms', 'tanh'],
      operands: DEFAULT_SEARCH_OPERANDS,
    });
    let [respelled, changed] = [0, 0];
    for (let i = 0; i < 600; i++) {
      const tree = withConstants(randomTree('grow', 4, alphabet, rng), rng);
      const other = inOtherWords(tree, rng);
      if (printPrefix(other) !== printPrefix(tree)) respelled++;
      expect(canonical(other).key, `${printInfix(other)} against ${printInfix(tree)}`).toBe(canonical(tree).key);
      const moved = withConstant(tree, 'all', rng);
      if (moved !== undefined) changed++;
      if (moved !== undefined) expect(canonical(moved).key).not.toBe(canonical(tree).key);
    }
    expect([respelled > 400, changed > 150]).toEqual([true, true]);
  });

  it('is its own canonical form, and never fails', () => {
    fc.assert(
      fc.property(anyExpression, (expression) => {
        const { expression: form, key } = canonical(expression);
        expect(printPrefix(form)).toBe(key);
        expect(parsePrefix(key)).toEqual(form);
        expect(canonical(form).key).toBe(key);
      }),
      { numRuns: 500, seed: 42 },
    );
  });

  it('does not grow without bound', () => {
    let tree = 'W';
    // x · |x| has x twice, and so has what it is made of: a form that wrote out each x anew would double it each time.
    for (let i = 0; i < 60; i++) tree = `sqrt(sub(sqr(${tree}), X))`;
    expect(sizeOf(canonical(parsePrefix(tree)).expression)).toBeLessThan(1000);
  });
});

/**
 * Compares the rankings of an expression and of its canonical form, pair by pair, ties included: a difference that is no
 * rounding has to be one in both. Returns on how many of the operand sets they could be compared.
 */
function countAgreements(tree: Expression, sets: readonly ReturnType<typeof randomOperands>[]): number {
  const form = canonical(tree);
  return sets.filter((operands) => {
    const [a, b] = [scores(tree, operands), scores(form.expression, operands)];
    if (a === undefined || b === undefined) return false;
    expect(inversions(a, b), `${printInfix(tree)} against ${printInfix(form.expression)}`).toBe(0);
    expect(inversions(b, a), `${printInfix(form.expression)} against ${printInfix(tree)}`).toBe(0);
    return true;
  }).length;
}

/** Pairs that are in order in `a` by more than rounding, and not in `b`. */
function inversions(a: Float64Array, b: Float64Array): number {
  const rounding = 1e-9 * a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let count = 0;
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < a.length; j++) if (a[i]! < a[j]! - rounding && b[i]! >= b[j]!) count++;
  }
  return count;
}

function withConstants(tree: Expression, rng: Rng): Expression {
  return [0, 1, 2].reduce((one: Expression) => withConstant(one, 'all', rng) ?? one, tree);
}

/** The same ranking, written otherwise: powers of powers, products of factors, and at the root a power where that keeps the order. */
function inOtherWords(tree: Expression, rng: Rng): Expression {
  const respell = (node: Expression): Expression => {
    if (node.kind !== 'operation') return node;
    const [x, y] = node.arguments.map(respell);
    if (node.operation === 'power' && y!.kind === 'number' && isNonNegative(x!) && rng.uniform() < 0.7) {
      const inner = [0.1, 0.3, 0.7, 1.7, 3][rng.integer(5)]!;
      return operation('power', operation('power', x!, number(inner)), number(y!.value / inner));
    }
    if (node.operation === 'mul' && x!.kind === 'number' && rng.uniform() < 0.7) {
      const inner = [0.1, 0.3, 7][rng.integer(3)]!;
      return operation('mul', operation('mul', number(x!.value / inner), y!), number(inner));
    }
    return operation(node.operation, ...[x!, ...(y ? [y] : [])]);
  };
  const values = respell(tree);
  const scaled = operation('mul', number(0.37), values);
  return isNonNegative(tree) && rng.uniform() < 0.5 ? operation('power', scaled, number(1.3)) : scaled;
}

/** Some of the operands replaced by numbers. */
function withNumbers(tree: Expression, rng: Rng): Expression {
  if (tree.kind === 'operation')
    return { ...tree, arguments: tree.arguments.map((argument) => withNumbers(argument, rng)) };
  return rng.uniform() < 0.15 ? { kind: 'number', value: [2, 1, -0.5, 0, 3][rng.integer(5)]! } : tree;
}
