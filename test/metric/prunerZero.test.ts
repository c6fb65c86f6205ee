import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import { Rng } from '../../src/base/rng.ts';
import { parseExpression } from '../../src/language/check/compile.ts';
import { printPrefix } from '../../src/metric/print.ts';
import { exportNotation, exportPrunerZero, importPrunerZero } from '../../src/metric/prunerZero.ts';
import { anyExpression, prunerZeroExpression } from './arbitraryExpression.ts';

const PUBLISHED = `{"data": "mul",
  "left": {"data": "abs", "left": {"data": "mul", "left": {"data": "W"}, "right": {"data": "W"}}},
  "right": {"data": "mms", "left": {"data": "G"}}}`;

describe('Pruner-Zero trees', () => {
  it('reads the published metric', () => {
    expect(printPrefix(importPrunerZero(PUBLISHED))).toBe('mul(abs(mul(W, W)), mms(G))');
    expect(JSON.parse(exportPrunerZero(importPrunerZero(PUBLISHED)))).toEqual(JSON.parse(PUBLISHED));
  });

  it('takes null for a missing child', () => {
    const text = '{"data": "sqrt", "left": {"data": "X", "left": null, "right": null}, "right": null}';
    expect(printPrefix(importPrunerZero(text))).toBe('sqrt(X)');
  });

  it('comes back as it went out', () => {
    fc.assert(
      fc.property(prunerZeroExpression, (tree) => {
        expect(importPrunerZero(exportPrunerZero(tree))).toEqual(tree);
      }),
      { numRuns: 500, seed: 7 },
    );
  });

  it.each([
    ['((W) mul (W)) abs (#)', 'abs(mul(W, W))'],
    ['(((W) mul (W)) abs (#)) mul ((G) mms (#))', 'mul(abs(mul(W, W)), mms(G))'],
    ['((W) mul ((X) sqrt (#)))', 'mul(W, sqrt(X))'],
    [' W\n', 'W'],
    ['(W)sub(((X)sqrt(#)))', 'sub(W, sqrt(X))'],
  ])('reads what Pruner-Zero prints: %s', (text, prefix) => {
    expect(printPrefix(importPrunerZero(text))).toBe(prefix);
  });

  it('comes back as it was printed', () => {
    expect(exportNotation(importPrunerZero(PUBLISHED))).toBe('(((W) mul (W)) abs (#)) mul ((G) mms (#))');
    fc.assert(
      fc.property(prunerZeroExpression, (tree) => {
        expect(importPrunerZero(exportNotation(tree))).toEqual(tree);
      }),
      { numRuns: 500, seed: 8 },
    );
  });

  it.each([
    ['(', /operand or a parenthesis, got the end/],
    ['(W', /expected \), got the end/],
    ['(W) mul (X', /expected \), got the end/],
    ['(W) mul', /\( behind mul, got the end/],
    ['(W) mul X', /\( behind mul, got X/],
    ['(W) (X)', /name of an operation, got \( \(part 4/],
    ['(W) mul (X) add (G)', /the end, got add/],
    ['(W) tnah (#)', /Did you mean "tanh"/],
    ['(W) mul (#)', /`left` and `right` under mul, got `left`/],
    ['(W) sqrt (X)', /`left` only under sqrt/],
    ['(#) sqrt (W)', /`left` only under sqrt, got `right`/],
    ['((Y) sqrt (#)) mul (W)', /at left\.left/],
    ['(#)', /an object with `data`, got nothing/],
    ['('.repeat(100_000), /depth/],
    [`${'('.repeat(600)}W${') sqrt (#)'.repeat(600)}`, /depth/],
  ])('refuses %.40s', (text, message) => {
    expect(() => importPrunerZero(text)).toThrow(message);
    expect(codeOf(() => importPrunerZero(text))).toBe('metric/json');
  });

  it.each([
    ['', /JSON/],
    ['[]', /an object with `data`, got a list/],
    ['null', /an object/],
    ['{}', /a name as `data`, got nothing/],
    ['{"data": 3}', /got 3/],
    ['{"data": "W", "left": {"data": "X"}}', /no children of the operand W/],
    ['{"data": "tnah", "left": {"data": "X"}}', /Did you mean "tanh"/],
    ['{"data": "quotient", "left": {"data": "W"}, "right": {"data": "X"}}', /Espalier’s own/],
    ['{"data": "Xmax"}', /Espalier’s own/],
    ['{"data": "add", "left": {"data": "W"}}', /`left` and `right` under add, got `left`/],
    ['{"data": "sqrt", "right": {"data": "W"}}', /`left` only under sqrt, got `right`/],
    ['{"data": "sqrt", "left": {"data": "W"}, "right": {"data": "W"}}', /`left` only/],
    ['{"data": "W", "weight": 1}', /only `data`, `left` and `right`, got "weight"/],
    ['{"data": "W", "__proto__": {"data": "X"}}', /"__proto__"/],
    ['{"data": "toString"}', /one of W, X, G/],
    ['{"data": "add", "left": {"data": "W"}, "right": {"data": "sqrt", "left": {"data": "Y"}}}', /at right\.left/],
  ])('refuses %s', (text, message) => {
    expect(() => importPrunerZero(text)).toThrow(message);
    expect(codeOf(() => importPrunerZero(text))).toBe('metric/json');
  });

  it.each([
    ['deep', `${'{"data":"sqrt","left":'.repeat(100_000)}{"data":"W"}${'}'.repeat(100_000)}`],
    ['wide', wide(12)],
    ['long', `${' '.repeat(5_000_000)}{"data": "W"}`],
  ])('refuses a %s tree in little time', (_, text) => {
    const start = performance.now();
    expect(codeOf(() => importPrunerZero(text))).toBe('metric/json');
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it.each([
    ['W + 1', /the number 1/],
    ['W / X', /the operation quotient/],
    ['W ^ 2', /the operation power/],
    ['W * Xmax', /the operand Xmax/],
  ])('does not export %s', (text, message) => {
    expect(() => exportPrunerZero(parseExpression(text))).toThrow(message);
  });

  it('never fails otherwise, whatever the text', () => {
    const rng = new Rng(11);
    const sample = [
      '((W) mul ((X) sqrt (#))) add (G)',
      PUBLISHED,
      '{"data": "add", "left": {"data": "X"}, "right": {"data": "G", "left": null}}',
    ];
    for (let i = 0; i < 3000; i++) {
      const text = mutate(sample[i % 3]!, rng);
      const code = codeOf(() => importPrunerZero(text));
      expect([undefined, 'metric/json'], text).toContain(code);
    }
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect([undefined, 'metric/json']).toContain(codeOf(() => importPrunerZero(text)));
      }),
      { numRuns: 500, seed: 3 },
    );
    fc.assert(
      fc.property(anyExpression, (expression) => {
        expect([undefined, 'metric/json']).toContain(codeOf(() => exportPrunerZero(expression)));
      }),
      { numRuns: 300, seed: 4 },
    );
  });
});

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof EspalierError) return thrown.code;
    throw thrown;
  }
}

/** A full binary tree. */
function wide(depth: number): string {
  return depth === 0 ? '{"data":"W"}' : `{"data":"add","left":${wide(depth - 1)},"right":${wide(depth - 1)}}`;
}

function mutate(text: string, rng: Rng): string {
  let result = text;
  for (let i = rng.integer(3); i >= 0; i--) {
    const at = rng.integer(result.length + 1);
    const removed = rng.integer(4);
    const inserted = ['', '"', '{', '}', ',', 'null', '"left"', '"data"', '\u0000', '\ud800', '1e999'][
      rng.integer(11)
    ]!;
    result = result.slice(0, at) + inserted + result.slice(at + removed);
  }
  return result;
}
