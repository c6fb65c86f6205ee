import { countBits, type ModelMask } from '../../experiment/components.ts';
import { type BlockShape, hasMlpOutputBias, type ModelConfig } from '../checkpoint/config.ts';

/** A model without what a mask removes. */
export interface RemovedConfig {
  readonly config: ModelConfig;
  /** Index in the dense model of each block that is left. */
  readonly kept: readonly number[];
}

/** @param compensated whether the output projections get a bias for what was removed */
export function removedConfig(dense: ModelConfig, mask: ModelMask, compensated: boolean): RemovedConfig {
  const kept = mask.flatMap(({ dropped }, index) => (dropped ? [] : [index]));
  const share = dense.heads / dense.kvHeads;
  const blocks = kept.map((index): BlockShape => {
    const { groups, channels } = mask[index]!;
    const kvHeads = countBits(groups);
    return { heads: kvHeads * share, kvHeads, intermediate: countBits(channels) };
  });
  const { bias } = dense;
  return {
    config: {
      ...dense,
      depth: kept.length,
      blocks,
      windows: kept.map((index) => dense.windows[index]),
      bias: {
        ...bias,
        attentionOutput: bias.attentionOutput || compensated,
        ...(compensated && !hasMlpOutputBias(dense) && { mlpOutput: true }),
      },
    },
    kept,
  };
}
