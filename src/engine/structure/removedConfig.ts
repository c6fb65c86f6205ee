import { countBits } from '../../experiment/components.ts';
import type { ModelMask } from '../../experiment/structureSchema.ts';
import { type BlockShape, hasMlpOutputBias } from '../families/config.ts';
import type { ModelConfig } from '../families/families.ts';

/** The blocks that a mask leaves: the index of each in the dense model, and its shape now. */
export function removedShapes(
  { heads, kvHeads: groups }: ModelConfig,
  mask: ModelMask,
): { readonly kept: readonly number[]; readonly shapes: readonly BlockShape[] } {
  const kept = mask.flatMap(({ dropped }, index) => (dropped ? [] : [index]));
  const shapes = kept.map((index): BlockShape => {
    const kvHeads = countBits(mask[index]!.groups);
    return { heads: kvHeads * (heads / groups), kvHeads, intermediate: countBits(mask[index]!.channels) };
  });
  return { kept, shapes };
}

/**
 * The model that a mask leaves.
 *
 * @param compensated whether the output projections get a bias for what was removed
 */
export function removedConfig(dense: ModelConfig, mask: ModelMask, compensated: boolean): ModelConfig {
  const { kept, shapes } = removedShapes(dense, mask);
  const { bias } = dense;
  return {
    ...dense,
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
