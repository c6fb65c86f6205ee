import { mistralWindows, noWindows, qwenWindows } from './attentionWindows.ts';
import type { FamilyConfig } from './config.ts';
import type { Family, JsonFields } from './family.ts';
import { type GatedDefaults, readGatedConfig, statedBias } from './gatedConfig.ts';
import { gatedDecoder, gatedSizeFields, type GatedStyle } from './gatedDecoder.ts';
import { RMS_NORM } from './norms.ts';
import { headNorm } from './queryKeyNorms.ts';

interface LlamaConfig extends FamilyConfig {
  /** Qwen3: RMS norm over each head of queries and keys before the rotation. */
  readonly queryKeyNorm: boolean;
}

/** What differs between LLaMA and its kin, with the defaults that transformers gives to absent fields. */
interface Kin
  extends GatedDefaults, Pick<Family<LlamaConfig>, 'title' | 'modelType' | 'aliases' | 'biasFields' | 'exportNote'> {
  readonly queryKeyNorm: boolean;
  /** Whether `max_window_layers` says from which block on there are windows. */
  readonly windowsFromBlock?: boolean;
}

const REFUSED = [
  'transformers 5 refuses a LLaMA whose hidden_size is no multiple of num_attention_heads, although head_dim is there: load it with',
  'transformers 4, from 4.45 on.',
];

export const llama = kinOf({
  title: 'LLaMA and Vicuna',
  modelType: 'llama',
  // Spelling of early conversions of the first one.
  aliases: ['LLaMAForCausalLM'],
  // They give biases to the other projections, too: zeros.
  biasFields: (bias) => ({
    ...(bias.attention_output && { attention_bias: true }),
    ...(bias.mlp_output && { mlp_bias: true }),
  }),
  exportNote: ({ hidden, heads }) => (hidden % heads === 0 ? [] : REFUSED),
  kvHeads: 'same',
  headDim: 'derived',
  maxPositions: 2048,
  attentionBias: statedBias,
  mlpBias: (fields) => fields.boolean('mlp_bias', false),
  queryKeyNorm: false,
  windows: noWindows,
});

export const mistral = kinOf({
  title: 'Mistral',
  modelType: 'mistral',
  kvHeads: 8,
  headDim: 'derived',
  maxPositions: 131_072,
  attentionBias: () => ({ queryKeyValue: false, attentionOutput: false }),
  mlpBias: () => false,
  queryKeyNorm: false,
  windows: mistralWindows,
});

export const qwen2 = kinOf({
  title: 'Qwen2',
  modelType: 'qwen2',
  windowsFromBlock: true,
  kvHeads: 32,
  headDim: 'derived',
  maxPositions: 32_768,
  attentionBias: () => ({ queryKeyValue: true, attentionOutput: false }),
  mlpBias: () => false,
  queryKeyNorm: false,
  windows: qwenWindows,
});

export const qwen3 = kinOf({
  title: 'Qwen3',
  modelType: 'qwen3',
  windowsFromBlock: true,
  kvHeads: 32,
  headDim: 128,
  maxPositions: 32_768,
  attentionBias: statedBias,
  mlpBias: () => false,
  queryKeyNorm: true,
  windows: qwenWindows,
});

/**
 * LLaMA and its kin (Vicuna, Mistral, Qwen2, Qwen3): pre-norm blocks with RMS norms, rotary positions, grouped-query attention
 * and a gated MLP. Biases, query/key norms and windows are the config's.
 */
function kinOf(kin: Kin): Family<LlamaConfig> {
  return {
    ...kin,
    ...gatedDecoder(styleOf),
    read: (fields) => ({ ...readGatedConfig(fields, kin), queryKeyNorm: kin.queryKeyNorm }),
    sizeFields: gatedSizeFields,
    blockFields: (stated, config, kept) => blockFields(stated, config, kept, kin),
  };
}

/** Qwen3: RMS norm of each head before the rotation. */
const QWEN3_NORM = headNorm(RMS_NORM);

function styleOf({ queryKeyNorm }: LlamaConfig): GatedStyle {
  return {
    norm: RMS_NORM,
    attention: { before: 'input_layernorm' },
    mlp: { before: 'post_attention_layernorm' },
    queryKeyNorm: queryKeyNorm ? QWEN3_NORM : undefined,
  };
}

/** Which blocks have a window is said block by block, or by where the windows begin. */
function blockFields(
  { layer_types: types }: JsonFields,
  { windows }: LlamaConfig,
  kept: readonly number[],
  kin: Kin,
): JsonFields {
  if (Array.isArray(types)) return { layer_types: kept.map((index) => types[index] as unknown) };
  const begin = windows.findIndex((window) => window !== undefined);
  return kin.windowsFromBlock && begin >= 0 ? { max_window_layers: kept.filter((index) => index < begin).length } : {};
}
