import { describe, expect, it } from 'vitest';
import { leastSquaresSlope } from '../../bench/leastSquares.ts';
import { PART_NAMES, partsOf } from '../../bench/parts.ts';

describe('parts by name', () => {
  it.each([
    [['dense-6m'], ['dense-6m']],
    [['dense'], ['dense-6m', 'dense-110m', 'dense-tinyllama']],
    [
      ['keystroke', 'gemm'],
      ['gemm-110m', 'gemm-tinyllama', 'gemm-7b', 'keystroke'],
    ],
  ])('%j', (names, parts) => {
    expect(partsOf(names)).toEqual(parts);
  });

  it('without names: all but growth', () => {
    expect(partsOf([])).toEqual(PART_NAMES.filter((name) => !name.startsWith('growth-')));
    expect(partsOf(['growth'])).toHaveLength(5);
  });

  it.each(['den', 'dense-', '7b', ''])('%j is none', (name) => {
    expect(partsOf(['start', name])).toEqual({ unknown: name });
  });
});

describe('least squares', () => {
  const logs = (values: readonly number[]): readonly number[] => values.map(Math.log);

  it.each([
    [[1, 2, 4], [3, 6, 12], 1],
    [[1, 2, 4, 8], [1, 4, 16, 64], 2],
    // Around a line of slope 1 the errors of both ends cancel out.
    [[1, Math.E, Math.E ** 2], [Math.E, Math.E ** 1.5, Math.E ** 3], 1],
  ])('%j, %j → %d', (x, y, slope) => {
    expect(leastSquaresSlope(logs(x), logs(y))).toBeCloseTo(slope, 12);
  });
});
