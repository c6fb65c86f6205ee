import type { BlockComponents, BlockMask, ModelMask } from '../../experiment/structureSchema.ts';
import { blockWeights, countBits, packBits } from '../../experiment/components.ts';
import { expertsGoneAtRate, goneAtRate } from '../../experiment/goneAtRate.ts';
import type { ComponentScores } from './componentScores.ts';
import type { BlockSizes } from './roundSizes.ts';

/**
 * How many components blocks keep at given rates. Groups go first, as many as the rate is of them; then channels until the block has lost its
 * share. Halves are rounded up.
 *
 * @param rates share of each block's weights that goes
 */
export function sizesAtRates(components: readonly BlockComponents[], rates: readonly number[]): readonly BlockSizes[] {
  return components.map((block, index) => {
    const { groups, channels } = goneAtRate(block, rates[index]!);
    return { groups: block.groups - groups, channels: block.channels - channels };
  });
}

/** As many components of each block as its sizes say, the lowest scores gone; of equal scores the lower index goes first. */
export function maskOfSizes(
  components: readonly BlockComponents[],
  scores: readonly ComponentScores[],
  sizes: readonly BlockSizes[],
): ModelMask {
  return components.map(({ groups, channels }, index): BlockMask => ({
    groups: packBits(withoutLowest(scores[index]!.groups, groups - sizes[index]!.groups)),
    channels: packBits(withoutLowest(scores[index]!.channels, channels - sizes[index]!.channels)),
  }));
}

/** How many components a mask keeps of each block. */
export function sizesOf(mask: ModelMask): readonly BlockSizes[] {
  return mask.map(({ groups, channels }) => ({ groups: countBits(groups), channels: countBits(channels) }));
}

/**
 * One threshold for the whole model, on scores that are standardised within each block, groups and channels apart, so that blocks whose
 * scores are larger throughout lose no less. What is below it weighs as near as can be to the share that was asked for.
 *
 * @param share of all blocks' weights
 */
export function maskAtThreshold(
  components: readonly BlockComponents[],
  scores: readonly ComponentScores[],
  share: number,
): ModelMask {
  const kept = components.map(({ groups, channels }) => ({
    groups: new Uint8Array(groups).fill(1),
    channels: new Uint8Array(channels).fill(1),
  }));
  const ranked = components.flatMap(({ groupWeights, channelWeights }, index) => [
    ...Array.from(standardised(scores[index]!.groups), (score, i) => ({
      score,
      weights: groupWeights,
      bits: kept[index]!.groups,
      i,
    })),
    ...Array.from(standardised(scores[index]!.channels), (score, i) => ({
      score,
      weights: channelWeights,
      bits: kept[index]!.channels,
      i,
    })),
  ]);
  ranked.sort((a, b) => a.score - b.score);
  let missing = share * components.reduce((sum, block) => sum + blockWeights(block), 0);
  for (const { weights, bits, i } of ranked) {
    if (weights > 2 * missing) break;
    bits[i] = 0;
    missing -= weights;
  }
  return kept.map(({ groups, channels }) => ({ groups: packBits(groups), channels: packBits(channels) }));
}

/**
 * Whole blocks gone, those of the lowest influence, until what is gone is as near as can be to the share that was asked for; one block
 * stays in any case.
 */
export function maskOfBlocks(
  components: readonly BlockComponents[],
  influence: ArrayLike<number>,
  share: number,
): ModelMask {
  const order = [...components.keys()].sort((a, b) => influence[a]! - influence[b]!);
  const dropped = new Set<number>();
  let missing = share * components.reduce((sum, block) => sum + blockWeights(block), 0);
  for (const index of order.slice(0, -1)) {
    const weights = blockWeights(components[index]!);
    if (weights > 2 * missing) break;
    dropped.add(index);
    missing -= weights;
  }
  return components.map(({ groups, channels }, index) => ({
    groups: packBits(new Uint8Array(groups).fill(1)),
    channels: packBits(new Uint8Array(channels).fill(1)),
    ...(dropped.has(index) && { dropped: true as const }),
  }));
}

/**
 * Experts gone, the lowest scores of each block: as many as the rate is of them, halves rounded up, as long as one stays and those that go were
 * ranked; of equal scores the lower index goes first.
 *
 * @param scores of each block's experts; Infinity where one was not ranked
 * @param rates share of each block's experts that goes
 */
export function maskOfExperts(
  components: readonly BlockComponents[],
  scores: readonly Float32Array[],
  rates: readonly number[],
): ModelMask {
  return components.map((block, index) => {
    const { groups, channels, experts = 0 } = block;
    const ranked = scores[index]!.filter((score) => score !== Infinity).length;
    const gone = Math.max(0, Math.min(expertsGoneAtRate(block, rates[index]!), ranked));
    return {
      groups: packBits(new Uint8Array(groups).fill(1)),
      channels: packBits(new Uint8Array(channels).fill(1)),
      ...(experts > 0 && { experts: packBits(withoutLowest(scores[index]!, gone)) }),
    };
  });
}

/** 1 for each score but for the `count` lowest. */
function withoutLowest(scores: Float32Array, count: number): Uint8Array {
  const kept = new Uint8Array(scores.length).fill(1);
  const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!);
  for (const index of order.slice(0, count)) kept[index] = 0;
  return kept;
}

/** (score − mean) / standard deviation; 0 where all are equal. */
function standardised(scores: Float32Array): Float64Array {
  const values = Float64Array.from(scores);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / Math.max(1, values.length - 1));
  return values.map((value) => (deviation > 0 ? (value - mean) / deviation : 0));
}
