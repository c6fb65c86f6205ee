import { expect, it } from 'vitest';
import { estimatedLoss } from '../../../src/search/lifecycle/estimatedLoss.ts';

const denseLosses = [1, 2, 3, 6];

it.each<[string, number, { begin: number; end: number }, number]>([
  ['the first blocks', 1 + 2 + 2 * 0.5, { begin: 0, end: 2 }, 3.5],
  ['blocks of the middle, by their own dense losses', 2 + 3 + 2 * 0.5, { begin: 1, end: 3 }, 3.5],
  ['the last block alone', 6 + 0.25, { begin: 3, end: 4 }, 3.25],
  ['all blocks: the mean itself', 16, { begin: 0, end: 4 }, 4],
])('the loss on the whole text is estimated from %s', (_, total, seen, expected) => {
  expect(estimatedLoss(total, seen, { denseLosses })).toBe(expected);
});
