import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BlockComponents, ModelMask } from '../../../src/experiment/structureSchema.ts';
import {
  blockWeights,
  countBits,
  packBits,
  removedShare,
  removedShareOfAll,
  unpackBits,
} from '../../../src/experiment/components.ts';
import type { ComponentScores } from '../../../src/engine/structure/componentScores.ts';
import { goneAtRate } from '../../../src/experiment/goneAtRate.ts';
import { maskOfSizes, sizesAtRates, maskAtThreshold, maskOfBlocks } from '../../../src/engine/structure/masks.ts';
import { givenRates, owlRates } from '../../../src/engine/structure/rates.ts';
import { failureOf } from '../../support/expectCoded.ts';

const SEEDED = { seed: 20, numRuns: 100 };

interface Scored {
  readonly components: BlockComponents[];
  readonly scores: ComponentScores[];
}

/** Models whose heads weigh more than channels, as all do; some blocks without either. */
const scored: fc.Arbitrary<Scored> = fc
  .array(
    fc
      .record({
        groups: fc.integer({ min: 0, max: 9 }),
        channels: fc.integer({ min: 1, max: 40 }),
        groupWeights: fc.integer({ min: 40, max: 400 }),
        channelWeights: fc.integer({ min: 1, max: 40 }),
      })
      .chain((components) => {
        const values = (count: number): fc.Arbitrary<Float32Array> =>
          fc
            .array(fc.float({ min: 0, max: 8, noNaN: true }), { minLength: count, maxLength: count })
            .map((numbers) => Float32Array.from(numbers));
        return fc.record({
          components: fc.constant(components),
          groups: values(components.groups),
          channels: values(components.channels),
        });
      }),
    { minLength: 1, maxLength: 5 },
  )
  .map((blocks) => ({
    components: blocks.map(({ components }) => components),
    scores: blocks.map(({ groups, channels }) => ({ groups, channels })),
  }));

const atRates = (
  components: readonly BlockComponents[],
  scores: readonly ComponentScores[],
  rates: readonly number[],
) => maskOfSizes(components, scores, sizesAtRates(components, rates));

const rate = fc.double({ min: 0, max: 1, noNaN: true });

describe('a mask at rates', () => {
  test('removes of each block what is asked, within half a component', () => {
    fc.assert(
      fc.property(scored, rate, ({ components, scores }, asked) => {
        const mask = atRates(
          components,
          scores,
          components.map(() => asked),
        );
        for (const [index, block] of components.entries()) {
          const total = blockWeights(block);
          const removed = removedShare(block, mask[index]!) * total;
          // Where groups alone go beyond the rate, or channels run out, half a group is what is missing.
          const half = Math.max(block.channelWeights, block.groups > 0 ? block.groupWeights : 0) / 2;
          expect(Math.abs(removed - asked * total)).toBeLessThanOrEqual(half + 1e-6 * total);
        }
      }),
      SEEDED,
    );
  });

  test('keeps no group at a higher rate that it lost at a lower one', () => {
    fc.assert(
      fc.property(scored, rate, rate, ({ components, scores }, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const masks = [low, high].map((asked) =>
          atRates(
            components,
            scores,
            components.map(() => asked),
          ),
        );
        for (const index of components.keys()) {
          const [few, many] = masks.map((mask) => mask[index]!) as [ModelMask[0], ModelMask[0]];
          expect(contains(few.groups, many.groups)).toBe(true);
        }
      }),
      SEEDED,
    );
  });

  test('takes the lowest scores, and of equal ones the lower index', () => {
    fc.assert(
      fc.property(scored, rate, ({ components, scores }, asked) => {
        const mask = atRates(
          components,
          scores,
          components.map(() => asked),
        );
        for (const [index, block] of components.entries()) {
          expectLowestGone(scores[index]!.groups, unpackBits(mask[index]!.groups, block.groups));
          expectLowestGone(scores[index]!.channels, unpackBits(mask[index]!.channels, block.channels));
        }
      }),
      SEEDED,
    );
  });

  test.each([
    { rate: 0, gone: { groups: 0, channels: 0 } },
    { rate: 0.125, gone: { groups: 1, channels: 0 } },
    { rate: 0.124, gone: { groups: 0, channels: 4 } },
    { rate: 0.5, gone: { groups: 2, channels: 8 } },
    { rate: 1, gone: { groups: 4, channels: 16 } },
  ])('at $rate of 4 groups of 64 and 16 channels of 16', ({ rate: asked, gone }) => {
    expect(goneAtRate({ groups: 4, channels: 16, groupWeights: 64, channelWeights: 16 }, asked)).toEqual(gone);
  });
});

describe('a mask at one threshold', () => {
  test('removes of the model what is asked, within half a component, and more at a higher share', () => {
    fc.assert(
      fc.property(scored, rate, rate, ({ components, scores }, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const total = components.reduce((sum, block) => sum + blockWeights(block), 0);
        const largest = Math.max(
          ...components.map(({ groupWeights, channelWeights }) => Math.max(groupWeights, channelWeights)),
        );
        const [few, many] = [low, high].map((share) => maskAtThreshold(components, scores, share)) as [
          ModelMask,
          ModelMask,
        ];
        expect(Math.abs(removedShareOfAll(components, few) - low) * total).toBeLessThanOrEqual(
          largest / 2 + 1e-6 * total,
        );
        for (const index of components.keys()) {
          expect(contains(few[index]!.groups, many[index]!.groups)).toBe(true);
          expect(contains(few[index]!.channels, many[index]!.channels)).toBe(true);
        }
      }),
      SEEDED,
    );
  });

  test('looks at scores as they stand in their block: a block of larger ones loses as much', () => {
    const components = Array.from({ length: 2 }, () => ({
      groups: 2,
      channels: 8,
      groupWeights: 32,
      channelWeights: 8,
    }));
    const of = (factor: number): ComponentScores => ({
      groups: Float32Array.of(factor, 2 * factor),
      channels: Float32Array.from({ length: 8 }, (_, i) => factor * (i + 1)),
    });
    const [first, second] = maskAtThreshold(components, [of(1), of(1000)], 0.5);
    expect(second).toEqual(first);
    expect(first).toEqual({ groups: packBits([0, 1]), channels: packBits([0, 0, 0, 0, 1, 1, 1, 1]) });
  });
});

describe('a mask of whole blocks', () => {
  const components = Array.from({ length: 4 }, () => ({ groups: 1, channels: 4, groupWeights: 4, channelWeights: 1 }));
  test.each([
    { share: 0.12, dropped: [] },
    { share: 0.13, dropped: [2] },
    { share: 0.5, dropped: [0, 2] },
    { share: 0.99, dropped: [0, 1, 2] },
  ])('at $share drops $dropped', ({ share, dropped }) => {
    const mask = maskOfBlocks(components, [0.2, 0.3, 0.1, 0.4], share);
    expect(mask.flatMap((block, index) => (block.dropped ? [index] : []))).toEqual(dropped);
    expect(mask.map(({ channels }) => countBits(channels))).toEqual([4, 4, 4, 4]);
  });
});

describe('rates', () => {
  test('OWL’s have the mean asked for, lie in [0, 1], and are lower where there are more outliers', () => {
    const blocks = fc.array(
      fc.record({ share: fc.double({ min: 0, max: 0.1, noNaN: true }), weights: fc.integer({ min: 1, max: 9 }) }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(blocks, rate, fc.double({ min: 0, max: 0.5, noNaN: true }), (found, asked, spread) => {
        const [outliers, weights] = [found.map(({ share }) => share), found.map((block) => block.weights)];
        const rates = owlRates(outliers, weights, asked, spread);
        const total = weights.reduce((sum, value) => sum + value, 0);
        expect(rates.reduce((sum, value, i) => sum + weights[i]! * value, 0) / total).toBeCloseTo(asked, 9);
        for (const [i, value] of rates.entries()) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
          for (const [j, other] of rates.entries()) {
            if (outliers[i]! > outliers[j]!) expect(value).toBeLessThanOrEqual(other);
          }
        }
        // A block that has nothing left changes nothing for the others.
        expect(owlRates([...outliers, 0], [...weights, 0], asked, spread).slice(0, -1)).toEqual(rates);
      }),
      SEEDED,
    );
  });

  test('OWL’s are spread as far as is asked, as the paper writes it', () => {
    const rates = owlRates([0.01, 0.03, 0.02], [7, 7, 7], 0.5, 0.08);
    expect(rates.map((value) => value.toFixed(6))).toEqual(['0.580000', '0.420000', '0.500000']);
  });

  test.each([
    { rates: [0.1, 0.2], actual: '2 rates' },
    { rates: [0.1, 0.2, 1.5], actual: 'a rate of 1.5' },
    { rates: [0.1, NaN, 0.2], actual: 'a rate of NaN' },
  ])('$rates of 3 blocks are refused', async ({ rates, actual }) => {
    const { data } = await failureOf(() => givenRates(rates, 3));
    expect(data).toMatchObject({ code: 'settings/invalid', actual });
  });
});

/** Whether every bit that the second has is in the first. */
function contains(first: string, second: string): boolean {
  const bits = (text: string): Uint8Array => unpackBits(text, 4 * text.length);
  const [a, b] = [bits(first), bits(second)];
  return b.every((bit, i) => bit <= a[i]!);
}

function expectLowestGone(scores: Float32Array, kept: Uint8Array): void {
  for (const [i, score] of scores.entries()) {
    for (const [j, other] of scores.entries()) {
      if (kept[i] === 1 && kept[j] === 0) expect(other < score || (other === score && j < i)).toBe(true);
    }
  }
}
