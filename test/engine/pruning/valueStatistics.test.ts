import { describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { valueStatistics } from '../../../src/engine/pruning/valueStatistics.ts';
import { HISTOGRAM_BINS } from '../../../src/experiment/inspectionSchema.ts';

const empty = new Array<number>(HISTOGRAM_BINS).fill(0);
const bins = (counts: Readonly<Record<number, number>>): number[] => empty.map((_, bin) => counts[bin] ?? 0);

describe('statistics of a value', () => {
  test.each<[string, number[], ReturnType<typeof valueStatistics>]>([
    [
      'its extremes stand in the outermost bins',
      [0, 1, 2, 24],
      { minimum: 0, maximum: 24, mean: 6.75, nonFinite: 0, histogram: bins({ 0: 1, 1: 1, 2: 1, 23: 1 }) },
    ],
    [
      'one value is all in the first bin',
      [-3, -3, -3],
      { minimum: -3, maximum: -3, mean: -3, nonFinite: 0, histogram: bins({ 0: 3 }) },
    ],
    [
      'what is not finite is counted apart',
      [NaN, 1, Infinity, 3, -Infinity],
      { minimum: 1, maximum: 3, mean: 2, nonFinite: 0.6, histogram: bins({ 0: 1, 23: 1 }) },
    ],
    [
      'nothing finite has no extremes',
      [NaN, Infinity],
      { minimum: null, maximum: null, mean: null, nonFinite: 1, histogram: empty },
    ],
    [
      'a range beyond float32 does not overflow',
      [-3.4028234663852886e38, 0, 3.4028234663852886e38],
      {
        minimum: -3.4028234663852886e38,
        maximum: 3.4028234663852886e38,
        mean: 0,
        nonFinite: 0,
        histogram: bins({ 0: 1, 12: 1, 23: 1 }),
      },
    ],
    [
      'neither does one of two denormal numbers',
      [0, 1.401298464324817e-45],
      {
        minimum: 0,
        maximum: 1.401298464324817e-45,
        mean: 1.401298464324817e-45 / 2,
        nonFinite: 0,
        histogram: bins({ 0: 1, 23: 1 }),
      },
    ],
  ])('%s', (_, values, expected) => {
    expect(valueStatistics(Float32Array.from(values))).toEqual(expected);
  });

  test('the mean of a million values keeps its digits', () => {
    const values = new Float32Array(1_000_000).fill(1.1);
    expect(valueStatistics(values).mean).toBeCloseTo(Math.fround(1.1), 12);
  });

  test('every finite value is in one bin, between its edges', () => {
    const rng = new Rng(3);
    const values = Float32Array.from({ length: 5000 }, () => (rng.uniform() < 0.1 ? NaN : rng.normal()));
    const { minimum, maximum, nonFinite, histogram } = valueStatistics(values);
    const width = (maximum! - minimum!) / HISTOGRAM_BINS;
    const within = (bin: number): number =>
      values.filter((value) => {
        const place = (value - minimum!) / width;
        return place >= bin && (place < bin + 1 || (bin === HISTOGRAM_BINS - 1 && value === maximum));
      }).length;
    expect(histogram).toEqual(histogram.map((_, bin) => within(bin)));
    expect(histogram.reduce((a, b) => a + b)).toBe(Math.round(values.length * (1 - nonFinite)));
  });
});
