import type { Value } from '../graph/graph.ts';
import { mistralWindows, noWindows, qwenWindows } from './attentionWindows.ts';
import {
  ACTIVATIONS,
  activation,
  addBranch,
  linearLayer,
  type LinearOptions,
  parameter,
  variantOf,
} from './blockParts.ts';
import { type BlockShape, blockShape, type FamilyConfig, hasMlpOutputBias } from './config.ts';
import type { ConfigFields } from './configFields.ts';
import { LIMITS } from './configLimits.ts';
import type { BlockWriter, Family, JsonFields, Parameter } from './family.ts';
import { readRotaryPositions } from './ropeScaling.ts';

interface LlamaConfig extends FamilyConfig {
  /** Qwen3: RMS norm over each head of queries and keys before the rotation. */
  readonly queryKeyNorm: boolean;
}

/** What differs between LLaMA and its kin, with the defaults that transformers gives to absent fields. */
interface Kin extends Pick<Family<LlamaConfig>, 'title' | 'modelType' | 'aliases' | 'biasFields' | 'exportNote'> {
  /** `same`: as many key-value heads as heads. */
  readonly kvHeads: number | 'same';
  /** `derived`: hidden size divided by heads. */
  readonly headDim: number | 'derived';
  readonly maxPositions: number;
  /** Whether queries, keys and values have biases, and whether the output projection has one. */
  readonly attentionBias: (fields: ConfigFields) => {
    readonly queryKeyValue: boolean;
    readonly attentionOutput: boolean;
  };
  readonly mlpBias: (fields: ConfigFields) => boolean;
  readonly queryKeyNorm: boolean;
  readonly windows: (fields: ConfigFields, depth: number) => FamilyConfig['windows'];
  /** Whether `max_window_layers` says from which block on there are windows. */
  readonly windowsFromBlock?: boolean;
}

const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';

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
 * and a gated MLP. Biases, query/key norms and windows are the config's. A block whose heads or channels are all gone has no tensors
 * for them but the bias of their output projection.
 */
function kinOf(kin: Kin): Family<LlamaConfig> {
  return {
    ...kin,
    headTensor: HEAD,
    read: (fields) => readConfig(fields, kin),
    sizeFields,
    blockFields: (stated, config, kept) => blockFields(stated, config, kept, kin),

    embedding: (config) => ({
      table: parameter('embedding', EMBEDDING, [config.vocabulary, config.hidden]),
    }),

    block(config, index) {
      const { hidden, headDim, bias } = config;
      const shape = blockShape(config, index);
      const { heads, kvHeads, intermediate } = shape;
      const [queries, keys] = [heads * headDim, kvHeads * headDim];
      const prefix = `model.layers.${index}`;
      const linear = (name: string, size: readonly [number, number], options: LinearOptions): Parameter[] =>
        linearLayer(prefix, name, size, options);
      const attends: LinearOptions = { biased: bias.queryKeyValue, makes: 'groups', besides: 'self_attn.q_proj' };
      const opens: LinearOptions = { biased: bias.mlp, makes: 'channels', besides: 'mlp.gate_proj' };
      const norm = (name: string, size: number): Parameter => parameter(name, `${prefix}.${name}.weight`, [size]);
      const attention = [
        norm('input_layernorm', hidden),
        ...linear('self_attn.q_proj', [queries, hidden], attends),
        ...linear('self_attn.k_proj', [keys, hidden], attends),
        ...linear('self_attn.v_proj', [keys, hidden], attends),
        ...(config.queryKeyNorm ? [norm('self_attn.q_norm', headDim), norm('self_attn.k_norm', headDim)] : []),
      ];
      const gated = [
        norm('post_attention_layernorm', hidden),
        ...linear('mlp.gate_proj', [intermediate, hidden], opens),
        ...linear('mlp.up_proj', [intermediate, hidden], opens),
      ];
      return {
        variant: variantOf(config, index),
        window: config.windows[index],
        shape,
        parameters: [
          ...(heads > 0 ? attention : []),
          ...linear('self_attn.o_proj', [hidden, queries], { biased: bias.attentionOutput, reads: 'groups' }),
          ...(intermediate > 0 ? gated : []),
          ...linear('mlp.down_proj', [hidden, intermediate], { biased: hasMlpOutputBias(config), reads: 'channels' }),
        ],
      };
    },

    writeBlock(config, writer, x) {
      const { heads, intermediate } = writer.shape;
      const middle = addBranch(writer, x, 'self_attn.o_proj', heads > 0 ? () => attend(config, writer, x) : undefined);
      const gated = intermediate > 0 ? () => gate(config, writer, middle) : undefined;
      return addBranch(writer, middle, 'mlp.down_proj', gated);
    },

    head: (config) => ({
      parameters: [parameter('norm', 'model.norm.weight', [config.hidden])],
      weight: parameter('head', config.tiedEmbeddings ? EMBEDDING : HEAD, [config.vocabulary, config.hidden]),
    }),

    writeFinal: (config, writer, x) => writer.graph.rmsNorm(x, writer.parameter('norm'), config.normEpsilon),
  };
}

function readConfig(fields: ConfigFields, kin: Kin): LlamaConfig {
  const hidden = fields.integer('hidden_size', LIMITS.hidden);
  const heads = fields.integer('num_attention_heads', LIMITS.heads);
  const headDim = readHeadDim(fields, kin, hidden, heads);
  const maxPositions = fields.integer('max_position_embeddings', LIMITS.positions, kin.maxPositions);
  const depth = fields.integer('num_hidden_layers', LIMITS.depth);
  return {
    hidden,
    intermediate: fields.integer('intermediate_size', LIMITS.intermediate),
    depth,
    heads,
    kvHeads: readKvHeads(fields, kin, heads),
    headDim,
    vocabulary: fields.integer('vocab_size', LIMITS.vocabulary),
    maxPositions,
    normEpsilon: fields.number('rms_norm_eps', LIMITS.epsilon, 1e-6),
    activation: fields.choice('hidden_act', ACTIVATIONS, 'silu'),
    positions: readRotaryPositions(fields, { headDim, maxPositions }),
    bias: { ...kin.attentionBias(fields), mlp: kin.mlpBias(fields) },
    queryKeyNorm: kin.queryKeyNorm,
    windows: kin.windows(fields, depth),
    tiedEmbeddings: fields.boolean('tie_word_embeddings', false),
  };
}

function readHeadDim(fields: ConfigFields, kin: Kin, hidden: number, heads: number): number {
  if (kin.headDim === 'derived' && fields.value('head_dim') === undefined && hidden % heads !== 0) {
    throw fields.wrong('hidden_size', `a multiple of the ${heads} attention heads, since there is no head_dim`);
  }
  const fallback = kin.headDim === 'derived' ? hidden / heads : kin.headDim;
  const headDim = fields.integer('head_dim', LIMITS.headDim, fallback);
  // Rotation turns pairs of features.
  if (headDim % 2 !== 0) throw fields.wrong('head_dim', `even, not ${headDim}`);
  return headDim;
}

function readKvHeads(fields: ConfigFields, kin: Kin, heads: number): number {
  const whenAbsent = kin.kvHeads === 'same' || fields.isStated('num_key_value_heads') ? heads : kin.kvHeads;
  const kvHeads = fields.integer('num_key_value_heads', LIMITS.heads, whenAbsent);
  if (heads % kvHeads !== 0) throw fields.wrong('num_key_value_heads', `a divisor of the ${heads} attention heads`);
  return kvHeads;
}

function statedBias(fields: ConfigFields): ReturnType<Kin['attentionBias']> {
  const stated = fields.boolean('attention_bias', false);
  return { queryKeyValue: stated, attentionOutput: stated };
}

function sizeFields(config: LlamaConfig, { heads, kvHeads, intermediate }: BlockShape): JsonFields | undefined {
  if (heads === 0 || intermediate === 0) return undefined;
  return {
    intermediate_size: intermediate,
    // hidden_size / num_attention_heads is no longer the size of a head, and some families have defaults of their own.
    ...(heads !== config.heads && {
      num_attention_heads: heads,
      num_key_value_heads: kvHeads,
      head_dim: config.headDim,
    }),
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

function attend(config: LlamaConfig, writer: BlockWriter, x: Value): Value {
  const normed = writer.graph.rmsNorm(x, writer.parameter('input_layernorm'), config.normEpsilon);
  const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) => writer.linear(`self_attn.${name}`, normed));
  return writer.attention(
    headNorm(config, writer, query!, 'self_attn.q_norm'),
    headNorm(config, writer, key!, 'self_attn.k_norm'),
    value!,
  );
}

function gate(config: LlamaConfig, writer: BlockWriter, x: Value): Value {
  const { graph } = writer;
  const normed = graph.rmsNorm(x, writer.parameter('post_attention_layernorm'), config.normEpsilon);
  const opened = activation(config, writer, writer.linear('mlp.gate_proj', normed));
  return writer.channels(graph.mul(opened, writer.linear('mlp.up_proj', normed)));
}

/** Qwen3: RMS norm of each head before the rotation; elsewhere the value as it is. x [rows, heads · dim]. */
function headNorm(config: LlamaConfig, writer: BlockWriter, x: Value, name: string): Value {
  if (!config.queryKeyNorm) return x;
  const { graph } = writer;
  const [rows, width] = x.shape as [number, number];
  const heads = graph.reshape(x, [(rows * width) / config.headDim, config.headDim]);
  return graph.reshape(graph.rmsNorm(heads, writer.parameter(name), config.normEpsilon), [rows, width]);
}
