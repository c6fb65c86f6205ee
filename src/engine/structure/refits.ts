import { unpackBits } from '../../experiment/components.ts';
import type { BlockMask } from '../../experiment/structureSchema.ts';
import { type BlockLayout, type Coupled, spread } from '../families/family.ts';
import { readers } from './metricScorer.ts';

/** An output projection that some of its inputs have gone from, and some are left to make up for. */
export interface Refit {
  readonly layer: Coupled;
  /** [in]: 1 for the columns that stay. */
  readonly kept: Uint8Array;
}

/**
 * What can be refitted of a block: the layers that read groups or channels, where some of these go and some stay. There is nothing in a block
 * that is dropped, and nothing where experts go: these take their own layers with them, and no column of what stays.
 */
export function refitsOf(layout: BlockLayout, mask: BlockMask): readonly Refit[] {
  if (mask.dropped) return [];
  const { kvHeads, intermediate } = layout.shape;
  const bits = { groups: unpackBits(mask.groups, kvHeads), channels: unpackBits(mask.channels, intermediate) };
  return readers(layout)
    .map((layer) => ({ layer, kept: spread(bits[layer.parts.of], layer) }))
    .filter(({ kept }) => kept.includes(0) && kept.includes(1));
}
