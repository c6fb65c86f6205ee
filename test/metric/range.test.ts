import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { OPERAND_NAMES } from '../../src/metric/operands.ts';
import { OPERATION_NAMES } from '../../src/metric/operations.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import { printPrefix } from '../../src/metric/print.ts';
import { rangeOf } from '../../src/metric/range.ts';
import { alphabetOf } from '../../src/search/metrics/alphabet.ts';
import { randomTree } from '../../src/search/metrics/randomTree.ts';
import { randomOperands, scores } from './randomOperands.ts';

describe('ranges', () => {
  it.each([
    ['W', 0, Infinity],
    ['Wsigned', -Infinity, Infinity],
    ['neg(X)', -Infinity, 0],
    ['sub(1, mms(W))', 0, 1],
    ['mul(mms(W), -2)', -2, 0],
    ['tanh(X)', 0, 1],
    ['exp(neg(W))', 0, 1],
    ['log(add(W, 1))', Math.log(1.001), Infinity],
    ['abs(sub(mms(W), 3))', 2, 3],
    ['sqr(sub(mms(W), 0.5))', 0, 0.25],
    ['sub(W, X)', -Infinity, Infinity],
    ['div(mms(W), W)', 0, Infinity],
  ])('%s lies within %d and %d', (text, low, high) => {
    const range = rangeOf(parsePrefix(text));
    expect(range.low).toBeCloseTo(low, 12);
    expect(range.high).toBeCloseTo(high, 12);
  });

  it('hold the values of random metrics', () => {
    const rng = new Rng(80);
    // Small values make small norms, which quotients are large by.
    const operands = [1, 2].map((seed) => {
      const values = randomOperands(seed);
      return seed === 1 ? values : Object.fromEntries(Object.entries(values).map(([name, x]) => [name, small(x!)]));
    });
    const alphabet = alphabetOf({ operations: OPERATION_NAMES, operands: OPERAND_NAMES });
    let bounded = 0;
    for (let i = 0; i < 1500; i++) {
      const tree = randomTree('grow', 4, alphabet, rng);
      const { low, high } = rangeOf(tree);
      if (low === -Infinity && high === Infinity) continue;
      for (const values of operands.map((set) => scores(tree, set))) {
        if (values === undefined) continue;
        bounded++;
        const rounding = 1e-12 * values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
        const outside = values.filter((value) => value < low - rounding || value > high + rounding);
        expect([...outside], printPrefix(tree)).toEqual([]);
      }
    }
    expect(bounded).toBeGreaterThan(1000);
  });
});

function small<Matrix extends { readonly values: Float64Array }>(matrix: Matrix): Matrix {
  return { ...matrix, values: matrix.values.map((value) => value / 50) };
}
