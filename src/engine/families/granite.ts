import { noWindows } from './attentionWindows.ts';
import type { FamilyConfig } from './config.ts';
import type { Family } from './family.ts';
import { readGatedConfig, statedBias } from './gatedConfig.ts';
import { gatedDecoder, gatedSizeFields } from './gatedDecoder.ts';
import { RMS_NORM } from './norms.ts';

interface GraniteConfig extends FamilyConfig {
  readonly embeddingScale: number;
  /** Of attention and MLP before they are added. */
  readonly residualScale: number;
}

/** Granite 3 (IBM 2024): LLaMA with factors for embeddings, scores, what is added, and logits. */
export const granite: Family<GraniteConfig> = {
  title: 'Granite 3',
  modelType: 'granite',
  ...gatedDecoder<GraniteConfig>(({ embeddingScale, residualScale }) => ({
    norm: RMS_NORM,
    attention: { before: 'input_layernorm' },
    mlp: { before: 'post_attention_layernorm' },
    ...{ embeddingScale, residualScale },
  })),

  read(fields) {
    const factor = (name: string): number => fields.number(name, { minimum: 1e-6, maximum: 1e6 }, 1);
    return {
      ...readGatedConfig(fields, {
        ...{ kvHeads: 'same', headDim: 'derived', maxPositions: 2048 },
        ...{ attentionBias: statedBias, mlpBias: (of) => of.boolean('mlp_bias', false), windows: noWindows },
      }),
      // In the place of 1 / sqrt(headDim).
      scores: { scale: factor('attention_multiplier') },
      logits: { scale: 1 / factor('logits_scaling') },
      embeddingScale: factor('embedding_multiplier'),
      residualScale: factor('residual_multiplier'),
    };
  },

  sizeFields: gatedSizeFields,
  // They give biases to the other projections, too: zeros.
  biasFields: (bias) => ({
    ...(bias.attention_output && { attention_bias: true }),
    ...(bias.mlp_output && { mlp_bias: true }),
  }),
};
