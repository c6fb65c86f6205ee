import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectionShift, shifted } from '../../src/base/projection.ts';

interface Problem {
  readonly values: readonly number[];
  readonly weights: readonly number[];
  readonly total: number;
}

const number = fc.double({ min: -3, max: 4, noNaN: true });
const problems = fc
  .array(fc.tuple(number, fc.double({ min: 0.01, max: 5, noNaN: true })), { minLength: 1, maxLength: 12 })
  .chain((pairs) =>
    fc.record({
      values: fc.constant(pairs.map(([value]) => value)),
      weights: fc.constant(pairs.map(([, weight]) => weight)),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  )
  .map(({ values, weights, share }): Problem => ({ values, weights, total: share * sum(weights) }));

describe('the projection', () => {
  it('is in the box and has the total', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const point = projected(problem);
        expect(point.every((value) => value >= 0 && value <= 1)).toBe(true);
        expect(weighed(point, problem)).toBeCloseTo(problem.total, 9);
      }),
      { seed: 1, numRuns: 250 },
    );
  });

  it('is where brute force finds it: at the one breakpoint interval that holds the total', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const point = projected(problem);
        const expected = bruteForce(problem);
        for (const [i, value] of point.entries()) expect(value).toBeCloseTo(expected[i]!, 8);
      }),
      { seed: 2, numRuns: 250 },
    );
  });

  it('is nearer than any other point of the set', () => {
    const twoProblems = problems.chain((problem) =>
      fc.tuple(
        fc.constant(problem),
        fc.array(number, { minLength: problem.values.length, maxLength: problem.values.length }),
      ),
    );
    fc.assert(
      fc.property(twoProblems, ([problem, start]) => {
        const other = projected({ ...problem, values: start });
        expect(distance(projected(problem), problem)).toBeLessThanOrEqual(distance(other, problem) + 1e-9);
      }),
      { seed: 3, numRuns: 250 },
    );
  });

  it.each<readonly [string, readonly number[], number, readonly number[]]>([
    ['what is there already stays', [0.2, 0.4], 0.6, [0.2, 0.4]],
    ['all alike', [7, 7, 7], 1.5, [0.5, 0.5, 0.5]],
    ['nothing is kept', [0.3, 0.9], 0, [0, 0]],
    ['everything is kept', [0.3, 0.9], 2, [1, 1]],
    ['one at its limit', [0.1, 2], 1.2, [0.2, 1]],
    ['nobody between the limits', [-5, 5], 1, [0, 1]],
    ['far beyond', [1e9, 1e9 + 1, 1e9 + 2], 1.5, [0, 0.5, 1]],
  ])('%s', (_, values, total, expected) => {
    const shift = projectionShift(values, total);
    const point = values.map((value) => shifted(value, shift));
    for (const [i, value] of point.entries()) expect(value).toBeCloseTo(expected[i]!, 6);
  });

  it('takes hundreds of thousands of values in a moment, and meets the total', () => {
    const count = 200_000;
    const values = Float64Array.from({ length: count }, (_, i) => 0.5 + 40 * Math.sin(i * 0.7) ** 5);
    const begin = performance.now();
    const shift = projectionShift(values, count / 3);
    expect(performance.now() - begin).toBeLessThan(2000);
    expect(values.reduce((total, value) => total + shifted(value, shift), 0) / count).toBeCloseTo(1 / 3, 9);
  });
});

function projected({ values, weights, total }: Problem): readonly number[] {
  const shift = projectionShift(values, total, weights);
  return values.map((value) => shifted(value, shift));
}

/**
 * The sum as a function of the shift is linear between the points where a value reaches 0 or 1: the interval is searched from left to
 * right.
 */
function bruteForce({ values, weights, total }: Problem): readonly number[] {
  const at = (shift: number): readonly number[] => values.map((value) => Math.min(1, Math.max(0, value - shift)));
  const sumAt = (shift: number): number => at(shift).reduce((all, value, i) => all + value * weights[i]!, 0);
  const points = values.flatMap((value) => [value - 1, value]).sort((a, b) => a - b);
  for (const [i, right] of points.entries()) {
    if (sumAt(right) > total) continue;
    const left = points[i - 1] ?? right;
    const [high, low] = [sumAt(left), sumAt(right)];
    return at(high === low ? right : left + ((high - total) / (high - low)) * (right - left));
  }
  return at(points.at(-1)!);
}

function distance(point: readonly number[], { values, weights }: Problem): number {
  return point.reduce((all, value, i) => all + weights[i]! * (value - values[i]!) ** 2, 0);
}

function weighed(point: readonly number[], { weights }: Problem): number {
  return point.reduce((all, value, i) => all + value * weights[i]!, 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
