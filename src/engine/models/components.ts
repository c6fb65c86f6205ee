import type { BlockComponents } from '../../experiment/structureSchema.ts';
import { blockShape, type ModelConfig } from '../checkpoint/config.ts';

/**
 * What can be removed from a block, and the weights that go with it: with a key-value group its rows of the query, key and value
 * projections and its columns of the output projection, with a channel its rows of gate and up (OPT: fc1) and its column of down (fc2).
 */
export function componentsOf(config: ModelConfig, index: number): BlockComponents {
  const { hidden, headDim, gated } = config;
  const { kvHeads, intermediate } = blockShape(config, index);
  // Removal takes whole groups, so every block has the model's proportion; one without heads has no own.
  const share = config.heads / config.kvHeads;
  return {
    groups: kvHeads,
    channels: intermediate,
    groupWeights: (2 * share + 2) * headDim * hidden,
    channelWeights: (gated ? 3 : 2) * hidden,
  };
}

/** The components of every block. */
export function modelComponents(config: ModelConfig): readonly BlockComponents[] {
  return config.windows.map((_, index) => componentsOf(config, index));
}
