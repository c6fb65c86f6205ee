import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { OPERAND_NAMES } from '../../src/metric/operands.ts';
import { OPERATION_NAMES } from '../../src/metric/operations.ts';
import { sizeOf } from '../../src/metric/measure.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import { printPrefix } from '../../src/metric/print.ts';
import { simplify } from '../../src/metric/simplify.ts';
import { alphabetOf } from '../../src/search/metrics/alphabet.ts';
import { randomTree } from '../../src/search/metrics/randomTree.ts';
import { randomOperands, scores } from './randomOperands.ts';

describe('opposing operations', () => {
  it.each([
    ['skp(skp(W))', 'W'],
    ['neg(neg(X))', 'X'],
    ['abs(abs(Xmean))', 'abs(Xmean)'],
    ['abs(W)', 'W'],
    ['abs(neg(sub(W, X)))', 'abs(sub(W, X))'],
    ['sqr(neg(sub(W, X)))', 'sqr(sub(W, X))'],
    ['log(abs(neg(Xmean)))', 'log(Xmean)'],
    ['sqrt(sqr(Xmean))', 'abs(Xmean)'],
    ['sqrt(pow(W))', 'W'],
    ['sqr(sqrt(W))', 'W'],
    ['sqr(sqrt(sub(W, X)))', 'abs(sub(W, X))'],
    ['mms(zsn(mms(G)))', 'mms(G)'],
    ['add(W, sub(X, X))', 'W'],
    ['sub(add(W, X), W)', 'X'],
    ['add(sub(W, X), X)', 'W'],
    ['add(X, sub(W, X))', 'W'],
    ['sub(W, neg(X))', 'add(W, X)'],
    ['add(neg(W), X)', 'sub(X, W)'],
    ['mul(neg(W), neg(X))', 'mul(W, X)'],
    ['mul(W, exp(sub(X, X)))', 'W'],
    ['mul(W, sub(X, X))', '0'],
    ['div(W, neg(sub(X, W)))', 'div(W, sub(X, W))'],
    ['mul(W, sqrt(X))', 'mul(W, sqrt(X))'],
    // Not opposites: the guards change the values.
    ['exp(log(W))', 'exp(log(W))'],
    ['log(exp(W))', 'log(exp(W))'],
    // A matrix of zeros makes X one: its deviation is taken over more values.
    ['zsn(add(sub(W, W), X))', 'zsn(add(sub(W, W), X))'],
    ['mms(sub(W, W))', 'mms(sub(W, W))'],
  ])('%s is %s', (text, expected) => {
    expect(printPrefix(simplify(parsePrefix(text)))).toBe(expected);
  });

  it.each([
    ['exp(log(sub(W, X)))', 'abs(sub(W, X))'],
    ['log(exp(neg(W)))', 'neg(W)'],
    ['sqrt(exp(log(sqr(G))))', 'G'],
  ])('%s is nearly %s, but for the guards', (text, expected) => {
    expect(printPrefix(simplify(parsePrefix(text), 'approximately'))).toBe(expected);
  });

  it('keep the values, and never make a tree larger', () => {
    const rng = new Rng(60);
    const operands = [1, 2].map(randomOperands);
    const alphabet = alphabetOf({ operations: OPERATION_NAMES, operands: OPERAND_NAMES });
    let simplified = 0;
    for (let i = 0; i < 3000; i++) {
      const tree = randomTree(i % 2 === 0 ? 'grow' : 'full', 5, alphabet, rng);
      const simpler = simplify(tree);
      expect(sizeOf(simpler)).toBeLessThanOrEqual(sizeOf(tree));
      expect(simplify(simpler)).toEqual(simpler);
      if (simpler === tree) continue;
      for (const values of operands) {
        const [before, after] = [scores(tree, values), scores(simpler, values)];
        // What cancels may have made values infinite, or all the same but for rounding.
        if (before === undefined || after === undefined) continue;
        simplified++;
        const scale = before.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
        const worst = before.reduce((most, value, j) => Math.max(most, Math.abs(value - after[j]!)), 0);
        expect(worst / scale, `${printPrefix(tree)} and ${printPrefix(simpler)}`).toBeLessThan(1e-6);
      }
    }
    expect(simplified).toBeGreaterThan(800);
  });
});
