import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freeName } from '../../../src/extension/freeName.ts';
import { formulaOf, nameFrom } from '../../../src/extension/evaluate/importedMetric.ts';
import { compile, parseExpression } from '../../../src/language/check/compile.ts';
import { exportPrunerZero } from '../../../src/metric/prunerZero.ts';
import { prunerZeroExpression } from '../../metric/arbitraryExpression.ts';

describe('a metric that is imported', () => {
  it('is the formula of the tree, and the same metric in the file', () => {
    fc.assert(
      fc.property(prunerZeroExpression, (tree) => {
        const formula = formulaOf(exportPrunerZero(tree))!;
        const { declarations } = compile(`metric imported = ${formula}\n`);
        const [metric] = declarations;
        if (metric?.kind !== 'metric') throw new Error('no metric');
        if (metric.expression) expect(metric.expression).toEqual(tree);
        else expect(() => parseExpression(formula)).toThrow(/cannot rank|shape|tensor/);
      }),
      { numRuns: 200, seed: 5 },
    );
  });

  it('is none where the text is no tree', () => {
    expect(['', 'W * X', '{"data": "quotient"}', '{}', 'notes'].map(formulaOf)).toEqual(Array(5).fill(undefined));
    expect(formulaOf('((W) mul (W)) abs (#)')).toBe('abs(W * W)');
  });

  it.each([
    ['/home/me/best_tree.json', 'best_tree'],
    ['C:\\trees\\gen 12 (best).JSON', 'gen_12_best_'],
    ['/t/3.json', '_3'],
    ['/t/дерево.json', 'imported'],
    [undefined, 'imported'],
  ])('is called as its file %s: %s', (file, name) => {
    expect(nameFrom(file)).toBe(name);
  });

  it('gets a name that is free', () => {
    expect(freeName('', 'evolved_12')).toBe('evolved_12');
    expect(freeName('metric evolved_123 = W', 'evolved_12')).toBe('evolved_12');
    expect(freeName('metric evolved_12 = W\nmetric evolved_12_2 = X', 'evolved_12')).toBe('evolved_12_3');
  });
});
