import type { BlockMask } from '../../experiment/structureSchema.ts';
import { unpackBits } from '../../experiment/components.ts';
import type { Masking } from '../models/blockGraph.ts';
import type { BlockLayout } from '../families/family.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Weights } from './blockWeights.ts';

/** What the output projections of a block read on average where components are gone, so that their mean contribution stays. */
export interface BlockFill {
  /** [heads · headDim] and [intermediate]; only what stands where the mask is 0 is read. */
  readonly attention: Float32Array;
  readonly channels: Float32Array;
}

/** A mask as the block programs take it: arrays of this process, so that nothing has to be freed. */
export interface MaskInputs {
  readonly masking: Exclude<Masking, 'none'>;
  readonly inputs: Weights;
}

/** @returns undefined for a block that is dropped: nothing is run for it */
export function maskInputs({ shape }: BlockLayout, mask: BlockMask, fill?: BlockFill): MaskInputs | undefined {
  if (mask.dropped) return undefined;
  return {
    masking: fill ? 'fill' : 'mask',
    inputs: {
      'mask.groups': vector(Float32Array.from(unpackBits(mask.groups, shape.kvHeads))),
      'mask.channels': vector(Float32Array.from(unpackBits(mask.channels, shape.intermediate))),
      ...(shape.experts !== undefined && { 'mask.experts': vector(keptExperts(mask, shape.experts)) }),
      ...(fill && { 'fill.attention': vector(fill.attention), 'fill.channels': vector(fill.channels) }),
    },
  };
}

/** Whether all of a block stays. */
export function isWhole({ shape }: BlockLayout, { dropped, groups, channels, experts }: BlockMask): boolean {
  if (dropped) return false;
  const stays = (bits: string, count: number): boolean => unpackBits(bits, count).every((bit) => bit === 1);
  return (
    stays(groups, shape.kvHeads) &&
    stays(channels, shape.intermediate) &&
    (experts === undefined || shape.experts === undefined || stays(experts, shape.experts))
  );
}

/** 1 for each expert that stays: all, where a mask says nothing of them. */
function keptExperts({ experts }: BlockMask, count: number): Float32Array {
  return experts === undefined ? new Float32Array(count).fill(1) : Float32Array.from(unpackBits(experts, count));
}

function vector(values: Float32Array): DeviceTensor {
  return DeviceTensor.fromHost(values, [values.length]);
}
