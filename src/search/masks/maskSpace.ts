import { packBits } from '../../experiment/components.ts';
import type { BlockComponents, BlockMask, ModelMask } from '../../experiment/structureSchema.ts';
import { packValues, unpackValues } from '../../experiment/packedValues.ts';
import type { MaskSearchSettings } from './settings.ts';
import type { PackedValues } from './events.ts';

/**
 * All components of a model in one row: the groups of all blocks, then their channels, then the blocks themselves. Kinds that a search
 * does not remove are there too; they are kept for certain and are in no budget.
 */
export interface MaskSpace {
  readonly components: readonly BlockComponents[];
  readonly size: number;
  /** Where the groups, and the channels, of each block begin in the row; one more for the end. */
  readonly groups: readonly number[];
  readonly channels: readonly number[];
  /** Where the blocks begin. */
  readonly blocks: number;
  /** Which parts of the row are kept to how much. */
  readonly budgets: readonly Budget[];
}

/** Components `begin … end − 1`: their keep-probabilities have the mean `keep`, or a lower one. */
export interface Budget {
  readonly begin: number;
  readonly end: number;
  readonly keep: number;
  /** Whether less may be kept on the way. */
  readonly atMost?: boolean;
  /** What each component costs: the mean is weighed with it. Without it all weigh the same. */
  readonly costs?: Float64Array;
}

/**
 * How the share that is kept is met. Groups and channels each keep the whole share, and blocks too where they alone go. Where both go, a
 * weight stays if its component and its block stay: either level keeps the square root of the share, so that both together keep the share.
 *
 * @param keep share of the blocks' weights
 */
export function maskSpace(
  components: readonly BlockComponents[],
  { components: kinds, budget }: Pick<MaskSearchSettings, 'components' | 'budget'>,
  keep: number,
): MaskSpace {
  const groups = starts(
    0,
    components.map((block) => block.groups),
  );
  const channels = starts(
    groups.at(-1)!,
    components.map((block) => block.channels),
  );
  const blocks = channels.at(-1)!;
  const size = blocks + components.length;
  const share = kinds === 'heads-channels-layers' ? Math.sqrt(keep) : keep;

  const atMost = budget === 'at-most' && { atMost: true };
  const budgets: Budget[] = [];
  for (const kind of kinds === 'layers' ? [] : [groups, channels]) {
    if (budget === 'layer')
      for (const i of components.keys()) budgets.push({ begin: kind[i]!, end: kind[i + 1]!, keep: share });
    else budgets.push({ begin: kind[0]!, end: kind.at(-1)!, keep: share, ...atMost });
  }
  if (kinds !== 'heads-channels') budgets.push({ begin: blocks, end: size, keep: share, ...atMost });
  return { components, size, groups, channels, blocks, budgets: budgets.filter(({ begin, end }) => begin < end) };
}

/** A row of 0 and 1 as the mask of a model. */
export function toModelMask({ components, groups, channels, blocks }: MaskSpace, kept: Uint8Array): ModelMask {
  return components.map((_, i): BlockMask => {
    const bits = {
      groups: packBits(kept.subarray(groups[i], groups[i + 1])),
      channels: packBits(kept.subarray(channels[i], channels[i + 1])),
    };
    return kept[blocks + i] === 0 ? { ...bits, dropped: true } : bits;
  });
}

/** A number for each component; `blocks` are left out where none may go. */
export function packRow(space: MaskSpace, row: Float32Array): PackedValues {
  const [channels, blocks] = [space.groups.at(-1)!, space.blocks];
  return {
    groups: packValues(row.subarray(0, channels)),
    channels: packValues(row.subarray(channels, blocks)),
    ...(mayDropBlocks(space) && { blocks: packValues(row.subarray(blocks)) }),
  };
}

/** @returns undefined where these are not the values of this space; 1 for blocks that are left out */
export function unpackRow(space: MaskSpace, values: PackedValues): Float32Array | undefined {
  const [channels, blocks] = [space.groups.at(-1)!, space.blocks];
  const parts = [
    unpackValues(values.groups, channels),
    unpackValues(values.channels, blocks - channels),
    values.blocks === undefined
      ? mayDropBlocks(space)
        ? undefined
        : new Float32Array(space.size - blocks).fill(1)
      : unpackValues(values.blocks, space.size - blocks),
  ];
  const row = new Float32Array(space.size);
  let at = 0;
  for (const part of parts) {
    if (part === undefined) return undefined;
    row.set(part, at);
    at += part.length;
  }
  return row;
}

function mayDropBlocks({ budgets, blocks }: MaskSpace): boolean {
  return budgets.some(({ begin }) => begin >= blocks);
}

function starts(begin: number, counts: readonly number[]): readonly number[] {
  const positions = [begin];
  for (const count of counts) positions.push(positions.at(-1)! + count);
  return positions;
}
