import { describe, expect, it } from 'vitest';
import { axisScale } from '../../src/figures/axisScale.ts';
import type { Axis } from '../../src/figures/figureSchema.ts';
import { fitText, textWidth, wrapText } from '../../src/figures/lettering.ts';
import { channelsOf, looksOf, shadeAt } from '../../src/figures/looks.ts';
import { spreadApart } from '../../src/figures/spreadApart.ts';

describe('ticks', () => {
  const linear: Axis = { label: '', scale: 'linear' };
  it.each([
    ['round numbers', linear, [2.446, 2.47], 5, ['2.45', '2.46', '2.47']],
    ['a minus sign', linear, [-1.5, 0.5], 6, ['−1.5', '−1.0', '−0.5', '0.0', '0.5']],
    ['counts', { ...linear, whole: true }, [1, 3], 10, ['1', '2', '3']],
    ['shares', { ...linear, format: 'share' }, [0, 0.5], 6, ['0 %', '10 %', '20 %', '30 %', '40 %', '50 %']],
    ['decades', { label: '', scale: 'log' }, [1, 1e5], 6, ['1', '10', '100', '1000', '10000', '100000']],
    ['far more decades', { label: '', scale: 'log' }, [1, 1e12], 5, ['1', '1000', '1e6', '1e9', '1e12']],
    ['a part of a decade', { label: '', scale: 'log' }, [2, 7], 6, ['2', '3', '5', '7']],
    ['differences', { label: '', scale: 'difference' }, [-5, 50], 6, ['−2 %', '0 %', '+2 %', '+10 %', '+50 %']],
    ['either side of a gap', { ...linear, gap: { from: 2.1, to: 5 } }, [2, 6], 8, ['2.0', '5.0', '5.5', '6.0']],
    ['a single value', linear, [7], 3, ['6.8', '7.0', '7.2']],
    ['nothing', linear, [], 3, ['0.0', '0.5', '1.0']],
  ] as const satisfies readonly (readonly [string, Axis, readonly number[], number, readonly string[]])[])(
    '%s',
    (_, axis, values, most, texts) => {
      const { ticks } = axisScale(axis, values, most);
      expect(ticks.map(({ text }) => text)).toEqual(texts);
      for (const [i, { at }] of ticks.entries()) {
        expect(at).toBeGreaterThanOrEqual(-1e-9);
        expect(at).toBeLessThanOrEqual(1 + 1e-9);
        if (i > 0) expect(at).toBeGreaterThan(ticks[i - 1]!.at);
      }
    },
  );

  it('a gap takes no room, and values keep their order across it', () => {
    const { at, gap } = axisScale({ label: '', scale: 'linear', gap: { from: 2.1, to: 100 } }, [2, 101], 6);
    expect([at(2.1), gap!, at(100)].every((place, i, all) => i === 0 || place > all[i - 1]!)).toBe(true);
    expect(at(100) - at(2.1)).toBeLessThan(0.05);
  });
});

/** Summed from Adobe's files, without kerning, at 10 points; the cross of Times is taken to be as wide as that of Helvetica. */
describe.each([
  ['perplexity 2.446', 70.59, 65.55],
  ['+0.5 % (below)', 66.97, 62.57],
  ['688 × 256, Wanda_2', 93.12, 84.16],
])('%s', (text, helvetica, times) => {
  it('is as wide as in print', () => {
    expect(textWidth(text, 10, false)).toBeCloseTo(helvetica, 2);
    expect(textWidth(text, 10, true)).toBeCloseTo(times, 2);
  });
});

describe('names that are too long', () => {
  it.each([
    ['Wanda', 100, 'Wanda'],
    ['magnitude of all', 70, 'magnitude of…'],
    ['magnitude, of all', 60, 'magnitude…'],
    ['👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧', 90, '👩‍👩‍👧…'],
    ['W', 0, '…'],
  ])('%s in %d points', (text, room, fitted) => {
    expect(fitText(text, room, 10, false)).toBe(fitted);
  });

  it('are broken at blanks', () => {
    expect(wrapText('calibration samples per block', 60, 3, 10, false)).toEqual([
      'calibration',
      'samples per',
      'block',
    ]);
    expect(wrapText('calibration samples per block', 60, 2, 10, false)).toEqual(['calibration', 'samples p…']);
  });
});

describe('places apart from each other', () => {
  it.each([
    ['alone', [5], [5]],
    ['apart already', [1, 9], [1, 9]],
    ['the same', [5, 5], [5, 7]],
    ['at the end', [10, 10, 10], [6, 8, 10]],
    ['in their own order', [9, 1, 9.5], [8, 1, 10]],
    ['more than there is room for', [5, 5, 5, 5, 5, 5, 5], [-2, 0, 2, 4, 6, 8, 10]],
  ])('%s', (_, wanted, places) => {
    expect(spreadApart(wanted, 2, 0, 10)).toEqual(places);
  });
});

describe.each(['print', 'grey'] as const)('colours: %s', (colours) => {
  it('no two of seven series look the same, nor two of five references', () => {
    for (const [emphasis, count] of [
      ['normal', 7],
      ['reference', 5],
    ] as const) {
      const looks = looksOf(
        Array.from({ length: count }, () => emphasis),
        { colours },
      );
      expect(new Set(looks.map(({ stroke: { dash = [] }, marker }) => JSON.stringify([dash, marker]))).size).toBe(
        count,
      );
      expect(new Set(looks.map(({ stroke: { dash = [] } }) => JSON.stringify(dash))).size).toBe(count);
    }
  });

  it('shades get darker evenly', () => {
    const light = Array.from({ length: 21 }, (_, i) => {
      const [red, green, blue] = channelsOf(shadeAt(i / 20, { colours }));
      return 0.299 * red + 0.587 * green + 0.114 * blue;
    });
    for (const [i, value] of light.slice(1).entries()) expect(light[i]! - value).toBeGreaterThan(4);
  });
});
