import { type BlockShape, blockShape } from '../../families/config.ts';
import type { ModelConfig } from '../../families/families.ts';
import type { GgufArchitecture } from './readable.ts';

/** A block as llama.cpp gets it. */
export interface WrittenBlock extends Pick<BlockShape, 'heads' | 'kvHeads' | 'intermediate'> {
  /** Whether its one group of heads, or its one channel, is made of zeros: the block has none. */
  readonly zeroAttention: boolean;
  readonly zeroMlp: boolean;
}

/**
 * Sizes of the blocks, with zeros where llama.cpp's `deci` does not do without (tried): an MLP without channels loads and what it gives is wrong, block 0 without
 * heads does not load, and the bias of an output projection is only added behind heads. Of other blocks without heads nothing is written.
 * In `openelm` every block has both.
 */
export function writtenBlocks(config: ModelConfig, architecture: GgufArchitecture): readonly WrittenBlock[] {
  return config.windows.map((_, index) => {
    const { heads, kvHeads, intermediate } = blockShape(config, index);
    const zeroAttention = heads === 0 && (index === 0 || config.bias.attentionOutput || architecture === 'openelm');
    const zeroMlp = intermediate === 0;
    return {
      heads: zeroAttention ? 1 : heads,
      kvHeads: zeroAttention ? 1 : kvHeads,
      intermediate: zeroMlp ? 1 : intermediate,
      zeroAttention,
      zeroMlp,
    };
  });
}
