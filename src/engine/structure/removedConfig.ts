import { countBits, unpackBits } from '../../experiment/components.ts';
import type { ModelMask } from '../../experiment/structureSchema.ts';
import { type BlockShape, blockShape, hasMlpOutputBias } from '../families/config.ts';
import type { ModelConfig } from '../families/families.ts';

/** The blocks that a mask leaves: the index of each in the dense model, and its shape now. */
export function removedShapes(
  dense: ModelConfig,
  mask: ModelMask,
): { readonly kept: readonly number[]; readonly shapes: readonly BlockShape[] } {
  const { heads, kvHeads: groups } = dense;
  const kept = mask.flatMap(({ dropped }, index) => (dropped ? [] : [index]));
  const shapes = kept.map((index, position): BlockShape => {
    const block = mask[index]!;
    const kvHeads = countBits(block.groups);
    const { experts } = blockShape(dense, index);
    return {
      ...{ heads: kvHeads * (heads / groups), kvHeads, intermediate: countBits(block.channels) },
      ...(experts !== undefined && { experts: block.experts === undefined ? experts : countBits(block.experts) }),
      ...placesOf(dense, mask, index, position),
    };
  });
  return { kept, shapes };
}

/** What a block that moves to `position`, and its groups, were in the model, where that matters. */
function placesOf(
  dense: ModelConfig,
  mask: ModelMask,
  index: number,
  position: number,
): Pick<BlockShape, 'groups' | 'place'> {
  const shape = blockShape(dense, index);
  const place = shape.place ?? index;
  if (dense.places === 'blocks') return place === position ? {} : { place };
  if (dense.places !== 'groups') return {};
  const bits = unpackBits(mask[index]!.groups, shape.kvHeads);
  const groups = Array.from(bits.keys(), (group) => shape.groups?.[group] ?? group).filter((_, group) => bits[group]);
  return groups.length === dense.kvHeads ? {} : { groups };
}

/**
 * The model that a mask leaves.
 *
 * @param compensated whether the output projections get a bias for what was removed
 */
export function removedConfig(dense: ModelConfig, mask: ModelMask, compensated: boolean): ModelConfig {
  const { kept, shapes } = removedShapes(dense, mask);
  const { bias, mixture } = dense;
  return {
    ...dense,
    ...(mixture && { mixture: { ...mixture, experts: shapes.map(({ experts = 0 }) => experts) } }),
    depth: kept.length,
    blocks: shapes,
    windows: kept.map((index) => dense.windows[index]),
    ...(dense.rotations && { rotations: kept.map((index) => dense.rotations![index]!) }),
    bias: {
      ...bias,
      attentionOutput: bias.attentionOutput || compensated,
      ...(compensated && !hasMlpOutputBias(dense) && { mlpOutput: true }),
    },
  };
}
