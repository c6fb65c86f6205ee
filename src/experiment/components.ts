import type { BlockSize } from './costs.ts';
import type { BlockComponents, BlockMask, ModelMask } from './structureSchema.ts';

/** What a mask says, the same for all that leave the same: of a block that is dropped no bit counts. */
export function essentialMask(mask: ModelMask): readonly (Omit<BlockMask, 'dropped'> | 'dropped')[] {
  return mask.map(({ groups, channels, experts, dropped }) =>
    dropped ? 'dropped' : { groups, channels, ...(experts !== undefined && { experts }) },
  );
}

/** Weights of the block's linear layers, the share of which a sparsity means. */
export function blockWeights(components: BlockComponents): number {
  const { groups, channels, experts = 0 } = components;
  return weightsOf(components, groups, channels, experts);
}

/** Weights of so many components, and of what stays whatever goes. */
function weightsOf(components: BlockComponents, groups: number, channels: number, experts: number): number {
  const { groupWeights, channelWeights, expertWeights = 0, sharedWeights = 0 } = components;
  return groups * groupWeights + channels * channelWeights + experts * expertWeights + sharedWeights;
}

/** Share of the block's weights that a mask removes. */
export function removedShare(components: BlockComponents, mask: BlockMask): number {
  if (mask.dropped) return 1;
  const experts = mask.experts === undefined ? components.experts : countBits(mask.experts);
  const kept = weightsOf(components, countBits(mask.groups), countBits(mask.channels), experts ?? 0);
  const weights = blockWeights(components);
  return weights > 0 ? 1 - kept / weights : 0;
}

/** What each block keeps of its components by a mask. */
export function keptByMask(components: readonly BlockComponents[], mask: ModelMask): readonly BlockSize[] {
  return mask.map(({ groups, channels, experts, dropped }, index): BlockSize => {
    if (dropped) return 'dropped';
    const all = components[index]!.experts;
    const kept = { groups: countBits(groups), channels: countBits(channels) };
    return all === undefined ? kept : { ...kept, experts: experts === undefined ? all : countBits(experts) };
  });
}

/** Share of all blocks' weights that a mask of the model removes. */
export function removedShareOfAll(components: readonly BlockComponents[], mask: ModelMask): number {
  const all = components.reduce((sum, block) => sum + blockWeights(block), 0);
  const removed = components.reduce((sum, block, i) => sum + blockWeights(block) * removedShare(block, mask[i]!), 0);
  return all > 0 ? removed / all : 0;
}

/** One bit for each component, set where it is kept, as hexadecimal digits: the first component is the highest bit of the first digit. */
export function packBits(kept: ArrayLike<number | boolean>): string {
  const digits: string[] = [];
  for (let begin = 0; begin < kept.length; begin += 4) {
    let digit = 0;
    for (let i = 0; i < 4; i++) digit = digit * 2 + (begin + i < kept.length && kept[begin + i] ? 1 : 0);
    digits.push(digit.toString(16));
  }
  return digits.join('');
}

/** @returns `count` values, 1 where kept; digits beyond the text are 0 */
export function unpackBits(text: string, count: number): Uint8Array {
  const kept = new Uint8Array(count);
  for (let i = 0; i < count; i++) kept[i] = (digitAt(text, i >> 2) >> (3 - (i & 3))) & 1;
  return kept;
}

export function countBits(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) count += BITS[digitAt(text, i)]!;
  return count;
}

const BITS = [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4];

function digitAt(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return Number.isNaN(code) ? 0 : code < 58 ? code - 48 : code - 87;
}
