import { noWindows } from './attentionWindows.ts';
import type { Family } from './family.ts';
import { readGatedConfig, statedBias } from './gatedConfig.ts';
import { gatedDecoder, gatedSizeFields } from './gatedDecoder.ts';
import { RMS_NORM } from './norms.ts';
import { PROJECTION_NORM } from './queryKeyNorms.ts';

/** OLMo 2 (OLMo Team 2025): norms of what attention and MLP give, and of queries and keys over all heads together. */
export const olmo2: Family = {
  title: 'OLMo 2',
  modelType: 'olmo2',
  ...gatedDecoder(() => ({
    norm: RMS_NORM,
    attention: { after: 'post_attention_layernorm' },
    mlp: { after: 'post_feedforward_layernorm' },
    queryKeyNorm: PROJECTION_NORM,
  })),
  read: (fields) =>
    readGatedConfig(fields, {
      ...{ kvHeads: 'same', headDim: 'derived', maxPositions: 2048 },
      epsilon: { field: 'rms_norm_eps', fallback: 1e-5 },
      ...{ attentionBias: statedBias, mlpBias: () => false, windows: noWindows },
    }),
  sizeFields: gatedSizeFields,
  // It gives biases to queries, keys and values, too: zeros.
  biasFields: ({ attention_output }) => (attention_output ? { attention_bias: true } : {}),
};
