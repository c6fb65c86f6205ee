import { expect, it } from 'vitest';
import {
  areAlike,
  type BlockSize,
  blockTime,
  modelTime,
  speedUp,
  type TimedCosts,
} from '../../src/experiment/costs.ts';
import { predict, predictionWords } from '../../src/experiment/prediction.ts';
import { sampleCosts } from '../protocol/samples.ts';

/** Two blocks of 2 groups and 4 channels: a second for each group, half of one for each channel; in decode a tenth of that. */
const seconds = (groups: number, channels: number) => ({
  prefill: groups + channels / 2,
  decode: (groups + channels / 2) / 10,
});
const costs: TimedCosts = {
  ...sampleCosts(),
  times: {
    ...{ fingerprint: 'a'.repeat(64), device: 'cpu', batch: 4, decodeBatch: 4, length: 256 },
    outside: { prefill: 1, decode: 0.2 },
    kinds: [
      {
        ...{ groups: [0, 1, 2], channels: [0, 4] },
        times: [0, 1, 2].map((groups) => [0, 4].map((channels) => seconds(groups, channels))),
        alike: [
          { groups: 1, channels: 2, time: { prefill: 1, decode: 0.1 } },
          { groups: 2, channels: 4, time: { prefill: 2, decode: 0.2 } },
        ],
      },
    ],
  },
};

it.each<[string, BlockSize, number]>([
  ['all', { groups: 2, channels: 4 }, 4],
  ['between the points', { groups: 1, channels: 3 }, 2.5],
  ['no heads', { groups: 0, channels: 2 }, 1],
  ['nothing', { groups: 0, channels: 0 }, 0],
  ['one that is dropped', 'dropped', 0],
])('%s: what a block takes is linear in what it keeps', (_, kept, prefill) => {
  expect(blockTime(costs, 0, kept).prefill).toBeCloseTo(prefill, 12);
  expect(blockTime(costs, 0, kept).decode).toBeCloseTo(prefill / 10, 12);
});

it.each<[string, readonly BlockSize[], boolean, number]>([
  // Blocks that are alike take half of what the table says of them.
  ['the dense model', costs.blocks, true, 5],
  ['half of every block', [{ groups: 1, channels: 2 }, { groups: 1, channels: 2 }], true, 3], // prettier-ignore
  ['one block less', ['dropped', { groups: 2, channels: 4 }], true, 3],
  ['blocks of two sizes', [{ groups: 1, channels: 2 }, { groups: 2, channels: 4 }], false, 7], // prettier-ignore
  ['no heads anywhere', [{ groups: 0, channels: 4 }, { groups: 0, channels: 4 }], false, 5], // prettier-ignore
])('%s: blocks that are alike share a program, others have each their own', (_, kept, alike, prefill) => {
  expect(areAlike(kept)).toBe(alike);
  expect(modelTime(costs, kept).prefill).toBeCloseTo(prefill, 12);
  expect(speedUp(costs, kept, 'prefill')).toBeCloseTo(5 / prefill, 12);
});

it('a prediction says what of it is known', () => {
  const kept: readonly BlockSize[] = [{ groups: 1, channels: 2 }, { groups: 1, channels: 2 }]; // prettier-ignore
  const prediction = predict(costs, kept);
  expect(prediction).toMatchObject({
    dense: { parameters: 184, bytes: 368 },
    pruned: { parameters: 144, bytes: 288 },
    speedUp: { on: 'cpu, 4 × 256' },
  });
  expect(predictionWords(prediction)).toBe("about 1.67 × prefill, 1.50 × decode, 78.3 % of the weights' bytes (288 B)");
  expect(predictionWords(predict(sampleCosts(), kept))).toBe("78.3 % of the weights' bytes (288 B)");
  // Zeros in place.
  expect(predict(costs).speedUp).toMatchObject({ prefill: 1, decode: 1 });
});
