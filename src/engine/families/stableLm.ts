import { noWindows } from './attentionWindows.ts';
import type { FamilyConfig } from './config.ts';
import type { Family } from './family.ts';
import { readGatedConfig } from './gatedConfig.ts';
import { channelSizeFields, gatedDecoder } from './gatedDecoder.ts';
import { LAYER_NORM } from './norms.ts';
import { HEAD_LIST_NORM } from './queryKeyNorms.ts';

interface StableLmConfig extends FamilyConfig {
  /** `use_parallel_residual`: attention and MLP read the same, behind one norm. */
  readonly parallel: boolean;
  /** `qk_layernorm`: each head of queries and keys has a norm of its own. */
  readonly queryKeyNorm: boolean;
}

/** StableLM 3B and 2 (Bellagente et al. 2024): layer norms, rotary positions for a part of each head, biases of queries, keys and values. */
export const stableLm: Family<StableLmConfig> = {
  title: 'StableLM',
  modelType: 'stablelm',
  ...gatedDecoder<StableLmConfig>(({ parallel, queryKeyNorm }) => ({
    norm: LAYER_NORM,
    attention: { before: 'input_layernorm' },
    mlp: { before: parallel ? 'input_layernorm' : 'post_attention_layernorm' },
    parallel,
    queryKeyNorm: queryKeyNorm ? HEAD_LIST_NORM : undefined,
  })),

  read: (fields) => ({
    ...readGatedConfig(fields, {
      ...{ kvHeads: 32, headDim: 'hidden / heads', maxPositions: 4096 },
      epsilon: { field: 'layer_norm_eps', fallback: 1e-5 },
      rotary: { share: { field: 'partial_rotary_factor', fallback: 0.25 } },
      attentionBias: (of) => ({ queryKeyValue: of.boolean('use_qkv_bias', false), attentionOutput: false }),
      ...{ mlpBias: () => false, windows: noWindows },
    }),
    parallel: fields.boolean('use_parallel_residual', false),
    queryKeyNorm: fields.boolean('qk_layernorm', false),
  }),

  sizeFields: channelSizeFields,
};
