import { ACTIVATIONS } from './blockParts.ts';
import type { Activation, FamilyConfig } from './config.ts';
import type { ConfigFields } from './configFields.ts';
import { LIMITS } from './configLimits.ts';
import { readRotaryPositions, type RotaryOptions } from './ropeScaling.ts';

/** What families with LLaMA's linear layers read of config.json, with the defaults that transformers gives to absent fields. */
export interface GatedDefaults {
  /** `same`: as many key-value heads as heads. */
  readonly kvHeads: number | 'same';
  /** `derived`: hidden size divided by heads, where it is absent; `hidden / heads`: always. */
  readonly headDim: number | 'derived' | 'hidden / heads';
  readonly maxPositions: number;
  readonly epsilon?: { readonly field: 'rms_norm_eps' | 'layer_norm_eps'; readonly fallback: number };
  readonly activation?: (fields: ConfigFields) => Activation;
  readonly rotary?: Omit<RotaryOptions, 'headDim' | 'maxPositions'>;
  readonly tied?: boolean;
  /** Whether queries, keys and values have biases, and whether the output projection has one. */
  readonly attentionBias: (fields: ConfigFields) => {
    readonly queryKeyValue: boolean;
    readonly attentionOutput: boolean;
  };
  readonly mlpBias: (fields: ConfigFields) => boolean;
  readonly windows: (fields: ConfigFields, depth: number) => FamilyConfig['windows'];
}

/** @throws EspalierError `checkpoint/config` */
export function readGatedConfig(fields: ConfigFields, defaults: GatedDefaults): FamilyConfig {
  const hidden = fields.integer('hidden_size', LIMITS.hidden);
  const heads = fields.integer('num_attention_heads', LIMITS.heads);
  const headDim = readHeadDim(fields, defaults, hidden, heads);
  const maxPositions = fields.integer('max_position_embeddings', LIMITS.positions, defaults.maxPositions);
  const depth = fields.integer('num_hidden_layers', LIMITS.depth);
  const { epsilon = RMS_EPSILON, activation = hiddenAct, rotary, tied = false } = defaults;
  return {
    hidden,
    intermediate: fields.integer('intermediate_size', LIMITS.intermediate),
    depth,
    heads,
    kvHeads: readKvHeads(fields, defaults, heads),
    headDim,
    vocabulary: fields.integer('vocab_size', LIMITS.vocabulary),
    maxPositions,
    normEpsilon: fields.number(epsilon.field, LIMITS.epsilon, epsilon.fallback),
    activation: activation(fields),
    positions: readRotaryPositions(fields, { headDim, maxPositions, ...rotary }),
    bias: { ...defaults.attentionBias(fields), mlp: defaults.mlpBias(fields) },
    windows: defaults.windows(fields, depth),
    tiedEmbeddings: fields.boolean('tie_word_embeddings', tied),
  };
}

const RMS_EPSILON = { field: 'rms_norm_eps', fallback: 1e-6 } as const;

function hiddenAct(fields: ConfigFields): Activation {
  return fields.choice('hidden_act', ACTIVATIONS, 'silu');
}

/** `attention_bias`: of all four projections. */
export function statedBias(fields: ConfigFields): ReturnType<GatedDefaults['attentionBias']> {
  const stated = fields.boolean('attention_bias', false);
  return { queryKeyValue: stated, attentionOutput: stated };
}

function readHeadDim(fields: ConfigFields, defaults: GatedDefaults, hidden: number, heads: number): number {
  const fallback = typeof defaults.headDim === 'string' ? hidden / heads : defaults.headDim;
  if (!Number.isInteger(fallback) && fields.value('head_dim') === undefined) {
    throw fields.wrong('hidden_size', `a multiple of the ${heads} attention heads, since there is no head_dim`);
  }
  const headDim = fields.integer('head_dim', LIMITS.headDim, fallback);
  // Rotation turns pairs of features.
  if (headDim % 2 !== 0) throw fields.wrong('head_dim', `even, not ${headDim}`);
  if (defaults.headDim === 'hidden / heads' && headDim * heads !== hidden) {
    throw fields.wrong('head_dim', `absent, or hidden_size / num_attention_heads (${hidden / heads})`);
  }
  return headDim;
}

function readKvHeads(fields: ConfigFields, { kvHeads: fallback }: GatedDefaults, heads: number): number {
  const whenAbsent = fallback === 'same' || fields.isStated('num_key_value_heads') ? heads : fallback;
  const kvHeads = fields.integer('num_key_value_heads', LIMITS.heads, whenAbsent);
  if (heads % kvHeads !== 0) throw fields.wrong('num_key_value_heads', `a divisor of the ${heads} attention heads`);
  return kvHeads;
}
