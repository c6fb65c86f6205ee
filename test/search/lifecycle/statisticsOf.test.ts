import { expect, it } from 'vitest';
import { statisticsOf } from '../../../src/search/lifecycle/statisticsOf.ts';

it('a generation has a best, a worst, and the mean of its losses as a fitness; an empty one has none', () => {
  const losses = [Math.log(8), Math.log(2), Math.log(500)];
  const { best, mean, worst } = statisticsOf(losses, [8, 2, 500], 'perplexity');
  expect([best, worst]).toEqual([2, 500]);
  expect(mean).toBeCloseTo(20, 10);
  expect(statisticsOf([0.3, 0.1], [0.3, 0.1], 'kl').mean).toBeCloseTo(0.2, 12);
  expect(statisticsOf([], [], 'kl')).toEqual({ best: null, mean: null, worst: null });
});
