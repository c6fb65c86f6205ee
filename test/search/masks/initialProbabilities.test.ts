import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { initialProbabilities } from '../../../src/search/masks/initialProbabilities.ts';
import { maskSpace } from '../../../src/search/masks/maskSpace.ts';

const BLOCK = { groups: 4, channels: 6, groupWeights: 10, channelWeights: 3 };

describe('the authors’ map of scores', () => {
  const keep = 0.7;
  const space = maskSpace([BLOCK, BLOCK], { components: 'heads-channels', budget: 'at-most' }, keep);
  const scores = Float32Array.from({ length: space.size }, (_, i) => Math.fround(((i * 37) % 17) + 0.25));
  const found = initialProbabilities(space, { initial: 'metric', map: 'authors' }, scores, new Rng(0));

  it('is a sigmoid of z-scores of each block, shifted to what is kept and cut off', () => {
    const starts = [...space.groups.slice(0, -1), ...space.channels.slice(0, -1)];
    for (const begin of starts) {
      const count = begin < space.channels[0]! ? BLOCK.groups : BLOCK.channels;
      const part = [...scores.subarray(begin, begin + count)];
      const mean = part.reduce((sum, score) => sum + score, 0) / count;
      const std = Math.sqrt(part.reduce((sum, score) => sum + (score - mean) ** 2, 0) / (count - 1));
      const sigmoids = part.map((score) => 1 / (1 + Math.exp(-(score - mean) / (std + 1e-8))));
      const shift = keep - sigmoids.reduce((sum, value) => sum + value, 0) / count;
      for (const [i, value] of sigmoids.entries())
        expect(found[begin + i]).toBeCloseTo(Math.min(1, Math.max(0, value + shift)), 6);
    }
  });

  it('says nothing of equal scores but the share', () => {
    const equal = initialProbabilities(
      space,
      { initial: 'metric', map: 'authors' },
      new Float32Array(space.size).fill(2),
      new Rng(0),
    );
    for (const value of equal.subarray(0, space.blocks)) expect(value).toBeCloseTo(keep, 6);
  });
});
