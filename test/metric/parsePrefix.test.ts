import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import { Rng } from '../../src/base/rng.ts';
import { depthOf, sizeOf } from '../../src/metric/measure.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import { printPrefix } from '../../src/metric/print.ts';
import { anyExpression } from './arbitraryExpression.ts';

describe('prefix form', () => {
  it('comes back as it was printed', () => {
    fc.assert(
      fc.property(anyExpression, (expression) => {
        expect(parsePrefix(printPrefix(expression))).toEqual(expression);
      }),
      { numRuns: 1000, seed: 30 },
    );
  });

  it('may have any white space between its parts', () => {
    expect(printPrefix(parsePrefix(' mul (W,\n sqrt( X ))\t'))).toBe('mul(W, sqrt(X))');
  });

  it.each([
    ['', /an operation, an operand or a number, got the end of the text at character 1/],
    ['mul(W X)', /expected ,, got "X" at character 7/],
    ['mul(W)', /expected ,, got "\)" at character 6/],
    ['sqrt(W, X)', /expected \), got "," at character 7/],
    ['W W', /the end of the text, got "W" at character 3/],
    ['sqrt', /\( after sqrt/],
    ['W(X)', /an operation, got "W"/],
    ['tnah(W)', /an operation, got "tnah"/],
    ['Y', /an operand, got "Y"/],
    ['W * X', /got "\*" at character 3/],
    ['add(W, 1e999)', /a finite number, got "1e999" at character 8/],
    ['add(W, +1)', /got "\+" at character 8/],
    ['add(W, .5)', /got "\." at character 8/],
    ['constructor(W)', /an operation, got "constructor"/],
    ['sqrt('.repeat(500) + 'W' + ')'.repeat(500), /a depth of at most 500/],
    ['('.repeat(1e6), /at most 64000 characters, got 1000000/],
    [wide(10), /at most 1000 nodes/],
  ])('refuses %.40s', (text, message) => {
    expect(() => parsePrefix(text)).toThrow(message);
    expect(codeOf(text)).toBe('metric/syntax');
  });

  it('reads or refuses whatever the text', () => {
    const rng = new Rng(31);
    const pieces = ['mul(', 'W', ',', ')', '(', 'sqrt(', ' ', '-1.5e-7', 'e', '-', '\u0000', '\ud800', 'X', '0x1'];
    let read = 0;
    for (let i = 0; i < 2000; i++) {
      const text = Array.from({ length: 1 + rng.integer(7) }, () => pieces[rng.integer(pieces.length)]!).join('');
      if (codeOf(text) === undefined) {
        read++;
        const expression = parsePrefix(text);
        expect(parsePrefix(printPrefix(expression))).toEqual(expression);
      } else expect(codeOf(text)).toBe('metric/syntax');
    }
    expect(read).toBeGreaterThan(20);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => [undefined, 'metric/syntax'].includes(codeOf(text))),
      { numRuns: 1000, seed: 32 },
    );
  });

  it('reads the largest and the deepest', () => {
    const deep = 'abs('.repeat(499) + 'W' + ')'.repeat(499);
    expect(depthOf(parsePrefix(deep))).toBe(500);
    expect(sizeOf(parsePrefix(wide(9)))).toBe(511);
  });
});

/** A full binary tree of so many levels. */
function wide(levels: number): string {
  return levels === 1 ? 'W' : `add(${wide(levels - 1)}, ${wide(levels - 1)})`;
}

function codeOf(text: string): string | undefined {
  try {
    parsePrefix(text);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof EspalierError) return thrown.code;
    throw thrown;
  }
}
