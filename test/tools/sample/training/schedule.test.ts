import { describe, expect, it } from 'vitest';
import { learningRate } from '../../../../tools/sample/training/schedule.ts';

const settings = { steps: 110, warmup: 10, peakRate: 0.5, finalShare: 0.1 };

describe('learning rate', () => {
  it.each([
    ['the first update', 0, 0.05],
    ['half of the warm-up', 4, 0.25],
    ['the last of the warm-up', 9, 0.5],
    ['the first behind it: the peak', 10, 0.5],
    // 0.5 · (0.1 + 0.9 · (1 + cos(π/3)) / 2)
    ['a third of the way down', 43, 0.3875],
    ['two thirds', 76, 0.1625],
    ['the last update', 109, 0.05],
    ['one that should not be', 300, 0.05],
  ])('%s', (_, step, rate) => {
    expect(learningRate(step, settings)).toBeCloseTo(rate, 12);
  });

  it('never rises behind the warm-up', () => {
    const rates = Array.from({ length: 100 }, (_, i) => learningRate(10 + i, settings));
    expect(rates).toEqual(rates.toSorted((a, b) => b - a));
  });

  it('works without a warm-up, and for a single update', () => {
    expect(learningRate(0, { ...settings, warmup: 0 })).toBe(0.5);
    expect(learningRate(0, { ...settings, warmup: 0, steps: 1 })).toBe(0.5);
  });
});
