import type { BlockComponents } from '../../experiment/structureSchema.ts';
import { unpackValues } from '../../experiment/packedValues.ts';
import type { ProbabilitiesEvent } from './events.ts';
import { checkpointOf } from './checkpoint.ts';
import type { MaskCheckpoint } from './checkpoint.ts';

/**
 * What there is to see of the keep-probabilities at one checkpoint, small whatever the size of the model: components of a block are put
 * into bins where there are many.
 */
export interface MaskPicture extends MaskCheckpoint {
  readonly groups: PicturePart;
  readonly channels: PicturePart;
  /** Of whole blocks, where they may go. */
  readonly blocks?: PicturePart;
  /** Share of each block's weights that is kept on average. */
  readonly retained: readonly number[];
}

export interface PicturePart {
  /** For each block the mean probability of each bin, in order of the components; a block with fewer has fewer. */
  readonly values: readonly (readonly number[])[];
  /** Components of a block, at most, and how many of them share a bin. */
  readonly most: number;
  readonly each: number;
  /** Share of these components in each of {@link HISTOGRAM_BINS} bins from 0 to 1. */
  readonly histogram: readonly number[];
}

const HISTOGRAM_BINS = 20;
/** Bins of a block, at most: about what a panel is wide; and of all blocks, so that many pictures have room. */
const WIDEST = 1024;
const MOST_BINS = 16_384;

/** @returns undefined for values that are not those of these components */
export function pictureOf(event: ProbabilitiesEvent, components: readonly BlockComponents[]): MaskPicture | undefined {
  const { values } = event;
  const groups = perBlock(
    values.groups,
    components.map((block) => block.groups),
  );
  const channels = perBlock(
    values.channels,
    components.map((block) => block.channels),
  );
  const blocks =
    values.blocks === undefined
      ? undefined
      : perBlock(
          values.blocks,
          components.map(() => 1),
        );
  if (!groups || !channels) return undefined;
  const retained = components.map((block, i) => {
    const { groupWeights, channelWeights } = block;
    const all = block.groups * groupWeights + block.channels * channelWeights;
    const kept = sumOf(groups[i]!) * groupWeights + sumOf(channels[i]!) * channelWeights;
    return rounded((blocks?.[i]?.[0] ?? 1) * (all > 0 ? kept / all : 1));
  });
  return {
    ...checkpointOf(event),
    retained,
    groups: partOf(groups),
    channels: partOf(channels),
    ...(blocks && { blocks: partOf(blocks) }),
  };
}

function perBlock(text: string, counts: readonly number[]): readonly Float32Array[] | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const all = unpackValues(text, total);
  if (!all) return undefined;
  let begin = 0;
  return counts.map((count) => all.subarray(begin, (begin += count)));
}

function partOf(blocks: readonly Float32Array[]): PicturePart {
  const most = Math.max(1, ...blocks.map(({ length }) => length));
  const widest = Math.min(WIDEST, Math.floor(MOST_BINS / Math.max(1, blocks.length)));
  const each = Math.ceil(most / Math.max(1, widest));
  const histogram = new Array<number>(HISTOGRAM_BINS).fill(0);
  let count = 0;
  for (const block of blocks)
    for (const value of block) {
      const bin = Math.min(HISTOGRAM_BINS - 1, Math.max(0, Math.floor(value * HISTOGRAM_BINS)));
      histogram[bin] = histogram[bin]! + 1;
      count++;
    }
  return {
    values: blocks.map((block) =>
      Array.from({ length: Math.ceil(block.length / each) }, (_, bin) => {
        const part = block.subarray(bin * each, (bin + 1) * each);
        return rounded(sumOf(part) / part.length);
      }),
    ),
    ...{ most, each },
    histogram: histogram.map((here) => rounded(here / Math.max(1, count))),
  };
}

function sumOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** Three digits are more than a colour shows. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
