import { LIMITS } from './configLimits.ts';
import { readRotaryPositions } from './ropeScaling.ts';
import type { ArchitectureName, ModelConfig } from './config.ts';
import type { ConfigFields } from './configFields.ts';

/** What differs between LLaMA and its kin, with the defaults that transformers gives to absent fields. */
interface LlamaKin {
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
  readonly windows: (fields: ConfigFields, depth: number) => ModelConfig['windows'];
}

const KIN: Readonly<Record<Exclude<ArchitectureName, 'OPTForCausalLM'>, LlamaKin>> = {
  LlamaForCausalLM: {
    kvHeads: 'same',
    headDim: 'derived',
    maxPositions: 2048,
    attentionBias: statedBias,
    mlpBias: (fields) => fields.boolean('mlp_bias', false),
    queryKeyNorm: false,
    windows: noWindows,
  },
  MistralForCausalLM: {
    kvHeads: 8,
    headDim: 'derived',
    maxPositions: 131_072,
    attentionBias: () => ({ queryKeyValue: false, attentionOutput: false }),
    mlpBias: () => false,
    queryKeyNorm: false,
    windows: mistralWindows,
  },
  Qwen2ForCausalLM: {
    kvHeads: 32,
    headDim: 'derived',
    maxPositions: 32_768,
    attentionBias: () => ({ queryKeyValue: true, attentionOutput: false }),
    mlpBias: () => false,
    queryKeyNorm: false,
    windows: qwenWindows,
  },
  Qwen3ForCausalLM: {
    kvHeads: 32,
    headDim: 128,
    maxPositions: 32_768,
    attentionBias: statedBias,
    mlpBias: () => false,
    queryKeyNorm: true,
    windows: qwenWindows,
  },
};

/** config.json of LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM and Qwen3ForCausalLM. */
export function readLlamaConfig(fields: ConfigFields, architecture: ArchitectureName): ModelConfig {
  const kin = KIN[architecture as keyof typeof KIN];
  const hidden = fields.integer('hidden_size', LIMITS.hidden);
  const heads = fields.integer('num_attention_heads', LIMITS.heads);
  const headDim = readHeadDim(fields, kin, hidden, heads);
  const maxPositions = fields.integer('max_position_embeddings', LIMITS.positions, kin.maxPositions);
  const depth = fields.integer('num_hidden_layers', LIMITS.depth);
  return {
    architecture,
    hidden,
    intermediate: fields.integer('intermediate_size', LIMITS.intermediate),
    depth,
    heads,
    kvHeads: readKvHeads(fields, kin, heads),
    headDim,
    vocabulary: fields.integer('vocab_size', LIMITS.vocabulary),
    maxPositions,
    norm: { kind: 'rms', epsilon: fields.number('rms_norm_eps', LIMITS.epsilon, 1e-6) },
    normPlacement: 'pre',
    activation: fields.choice('hidden_act', ACTIVATIONS, 'silu'),
    gated: true,
    positions: readRotaryPositions(fields, headDim, maxPositions),
    bias: { ...kin.attentionBias(fields), mlp: kin.mlpBias(fields) },
    queryKeyNorm: kin.queryKeyNorm,
    windows: kin.windows(fields, depth),
    tiedEmbeddings: fields.boolean('tie_word_embeddings', false),
    embeddingWidth: hidden,
  };
}

/** transformers' names of the activations there are programs for. */
export const ACTIVATIONS: Readonly<Record<string, ModelConfig['activation']>> = {
  silu: 'silu',
  swish: 'silu',
  relu: 'relu',
  gelu: 'gelu',
  gelu_new: 'gelu-tanh',
  gelu_fast: 'gelu-tanh',
  gelu_pytorch_tanh: 'gelu-tanh',
};

function readHeadDim(fields: ConfigFields, kin: LlamaKin, hidden: number, heads: number): number {
  if (kin.headDim === 'derived' && fields.value('head_dim') === undefined && hidden % heads !== 0) {
    throw fields.wrong('hidden_size', `a multiple of the ${heads} attention heads, since there is no head_dim`);
  }
  const fallback = kin.headDim === 'derived' ? hidden / heads : kin.headDim;
  const headDim = fields.integer('head_dim', LIMITS.headDim, fallback);
  // Rotation turns pairs of features.
  if (headDim % 2 !== 0) throw fields.wrong('head_dim', `even, not ${headDim}`);
  return headDim;
}

function readKvHeads(fields: ConfigFields, kin: LlamaKin, heads: number): number {
  const whenAbsent = kin.kvHeads === 'same' || fields.isStated('num_key_value_heads') ? heads : kin.kvHeads;
  const kvHeads = fields.integer('num_key_value_heads', LIMITS.heads, whenAbsent);
  if (heads % kvHeads !== 0) throw fields.wrong('num_key_value_heads', `a divisor of the ${heads} attention heads`);
  return kvHeads;
}

function statedBias(fields: ConfigFields): ReturnType<LlamaKin['attentionBias']> {
  const stated = fields.boolean('attention_bias', false);
  return { queryKeyValue: stated, attentionOutput: stated };
}

function noWindows(fields: ConfigFields, depth: number): ModelConfig['windows'] {
  return windowsByType(fields, readLayerTypes(fields, depth) ?? repeat('full_attention', depth), undefined);
}

/** One window for all blocks; absent means 4096, null none. */
function mistralWindows(fields: ConfigFields, depth: number): ModelConfig['windows'] {
  const window = fields.isStated('sliding_window') ? readWindow(fields) : 4096;
  const type = window === undefined ? 'full_attention' : 'sliding_attention';
  const stated = readLayerTypes(fields, depth);
  if (stated?.some((other) => other !== type)) {
    throw fields.wrong('layer_types', `${type} in every block, as sliding_window has it`);
  }
  return repeat(window, depth);
}

/** A window only with `use_sliding_window`, and then from block `max_window_layers` on unless `layer_types` says where. */
function qwenWindows(fields: ConfigFields, depth: number): ModelConfig['windows'] {
  const inUse = fields.boolean('use_sliding_window', false);
  const window = inUse ? (fields.isStated('sliding_window') ? readWindow(fields) : 4096) : undefined;
  const full = fields.integer('max_window_layers', { minimum: 0, maximum: LIMITS.depth.maximum }, 28);
  const byDefault = Array.from({ length: depth }, (_, block): LayerType =>
    window !== undefined && block >= full ? 'sliding_attention' : 'full_attention',
  );
  return windowsByType(fields, readLayerTypes(fields, depth) ?? byDefault, window);
}

type LayerType = 'full_attention' | 'sliding_attention';

function windowsByType(
  fields: ConfigFields,
  types: readonly LayerType[],
  window: number | undefined,
): ModelConfig['windows'] {
  if (window === undefined && types.includes('sliding_attention')) {
    throw fields.wrong('layer_types', 'full_attention everywhere, since there is no window');
  }
  return types.map((type) => (type === 'sliding_attention' ? window : undefined));
}

function readLayerTypes(fields: ConfigFields, depth: number): readonly LayerType[] | undefined {
  const types = fields.value('layer_types');
  if (types === undefined) return undefined;
  const isKnown = (type: unknown): boolean => type === 'full_attention' || type === 'sliding_attention';
  if (!Array.isArray(types) || types.length !== depth || !types.every(isKnown)) {
    throw fields.wrong('layer_types', `a list of ${depth}, each full_attention or sliding_attention`);
  }
  return types as LayerType[];
}

function readWindow(fields: ConfigFields): number | undefined {
  if (fields.value('sliding_window') === undefined) return undefined;
  return fields.integer('sliding_window', { minimum: 1, maximum: LIMITS.positions.maximum });
}

function repeat<Item>(item: Item, count: number): Item[] {
  return Array.from({ length: count }, () => item);
}
