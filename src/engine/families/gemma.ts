import { noWindows, patternWindows } from './attentionWindows.ts';
import { ACTIVATIONS } from './blockParts.ts';
import type { Activation, FamilyConfig, Scaling } from './config.ts';
import type { ConfigFields } from './configFields.ts';
import type { Family } from './family.ts';
import { type GatedDefaults, readGatedConfig, statedBias } from './gatedConfig.ts';
import { gatedDecoder, gatedSizeFields, type GatedStyle, layerTypeFields, layerTypeNote } from './gatedDecoder.ts';
import { RMS_NORM_PLUS_ONE } from './norms.ts';
import { headNorm } from './queryKeyNorms.ts';
import { readRotaryPositions } from './ropeScaling.ts';

interface GemmaConfig extends FamilyConfig {
  /** sqrt(hidden), in the precision that the model is stored in. */
  readonly embeddingScale: number;
}

type Kin = Pick<Family<GemmaConfig>, 'title' | 'modelType' | 'exportNote'> & {
  readonly defaults: Omit<GatedDefaults, keyof typeof SHARED>;
  readonly style: Pick<GatedStyle, 'attention' | 'mlp' | 'queryKeyNorm'>;
  /** What only these models have. */
  readonly read?: (fields: ConfigFields, config: FamilyConfig) => Partial<FamilyConfig>;
};

const SHARED = {
  headDim: 256,
  tied: true,
  attentionBias: statedBias,
  mlpBias: () => false,
} as const satisfies Partial<GatedDefaults>;

const BEFORE: Kin['style'] = {
  attention: { before: 'input_layernorm' },
  mlp: { before: 'post_attention_layernorm' },
};

const AROUND: Kin['style'] = {
  attention: { before: 'input_layernorm', after: 'post_attention_layernorm' },
  mlp: { before: 'pre_feedforward_layernorm', after: 'post_feedforward_layernorm' },
};

/** Gemma 1 (Gemma Team 2024). */
export const gemma = kinOf({
  title: 'Gemma',
  modelType: 'gemma',
  defaults: { kvHeads: 16, maxPositions: 8192, activation: gemmaActivation, windows: noWindows },
  style: BEFORE,
});

/** Gemma 2: norms on both sides, capped scores and logits, a window in every other block. */
export const gemma2 = kinOf({
  title: 'Gemma 2',
  modelType: 'gemma2',
  defaults: {
    ...{ kvHeads: 4, maxPositions: 8192, activation: statedActivation },
    windows: (fields, depth) => patternWindows(fields, depth, 2),
  },
  style: AROUND,
  exportNote: (config) => [
    ...layerTypeNote(config, 2),
    ...(config.hidden % config.heads === 0
      ? []
      : ['transformers 5 may refuse it, since hidden_size is no multiple of num_attention_heads: version 4 does not.']),
  ],
  read: (fields) => ({
    scores: { ...queryScale(fields), ...readCap(fields, 'attn_logit_softcapping', 50) },
    logits: readCap(fields, 'final_logit_softcapping', 30),
  }),
});

/** Gemma 3, of text alone: norms of queries and keys; blocks with a window turn by a base of their own. */
export const gemma3 = kinOf({
  title: 'Gemma 3 (text)',
  modelType: 'gemma3_text',
  defaults: {
    ...{ kvHeads: 4, maxPositions: 131_072, activation: statedActivation },
    windows: (fields, depth) =>
      patternWindows(fields, depth, fields.integer('sliding_window_pattern', { minimum: 1, maximum: 4096 }, 6)),
    rotary: { theta: 1e6, objects: (fields) => ropeObjects(fields, 'full_attention', fields.object('rope_scaling')) },
  },
  style: { ...AROUND, queryKeyNorm: headNorm(RMS_NORM_PLUS_ONE) },
  exportNote: (config) => layerTypeNote(config, 6),
  read(fields, { headDim, maxPositions, positions, windows }) {
    if (fields.value('attn_logit_softcapping') !== undefined) {
      throw fields.wrong('attn_logit_softcapping', 'null: transformers reads it and caps nothing');
    }
    const objects = (): ReturnType<typeof ropeObjects> => ropeObjects(fields, 'sliding_attention', undefined);
    const near = readRotaryPositions(fields, {
      ...{ headDim, maxPositions, base: 'rope_local_base_freq', theta: 10_000, objects },
    });
    const far = positions.kind === 'rotary' ? positions : null;
    return {
      rotations: windows.map((window) => (window === undefined ? far : near)),
      scores: queryScale(fields),
      logits: readCap(fields, 'final_logit_softcapping'),
      // The length is the one after scaling.
      trainedLength: maxPositions,
    };
  },
});

/** RMS norms that store the weight less one, embeddings times sqrt(hidden), and a gated MLP with GELU. */
function kinOf({ defaults, style, read, ...kin }: Kin): Family<GemmaConfig> {
  return {
    ...kin,
    ...gatedDecoder<GemmaConfig>(({ embeddingScale }) => ({ ...style, norm: RMS_NORM_PLUS_ONE, embeddingScale })),
    read(fields) {
      if (fields.boolean('use_bidirectional_attention', false)) {
        throw fields.wrong('use_bidirectional_attention', 'false', 'Choose a checkpoint that predicts the next token.');
      }
      const config = readGatedConfig(fields, { ...SHARED, ...defaults });
      return { ...config, ...read?.(fields, config), embeddingScale: roundedRoot(config.hidden, fields) };
    },
    sizeFields: gatedSizeFields,
    blockFields: layerTypeFields,
    // It gives biases to queries, keys and values, too: zeros.
    biasFields: ({ attention_output }) => (attention_output ? { attention_bias: true } : {}),
  };
}

function statedActivation(fields: ConfigFields): Activation {
  return fields.choice('hidden_activation', ACTIVATIONS, 'gelu_pytorch_tanh');
}

/**
 * The first files said `hidden_act: gelu` of models that were trained with the approximation. transformers 4 takes `hidden_activation`, and
 * without it the approximation; transformers 5 takes what stands in `hidden_act`.
 */
function gemmaActivation(fields: ConfigFields): Activation {
  if (fields.value('hidden_activation') !== undefined) return statedActivation(fields);
  const trained = { gelu: 'gelu-tanh', gelu_pytorch_tanh: 'gelu-tanh' } as const;
  return fields.choice('hidden_act', trained, 'gelu_pytorch_tanh');
}

function queryScale(fields: ConfigFields): Scaling {
  return { scale: fields.number('query_pre_attn_scalar', POSITIVE, 256) ** -0.5 };
}

/** Null: none. */
function readCap(fields: ConfigFields, name: string, fallback?: number): Scaling {
  if (fields.isStated(name) || fallback === undefined) {
    return fields.value(name) === undefined ? {} : { cap: fields.number(name, POSITIVE) };
  }
  return { cap: fallback };
}

const POSITIVE = { minimum: 1e-6, maximum: 1e6 };

/** transformers 5 keeps the settings of both kinds of blocks in `rope_parameters`, by the kind. */
function ropeObjects(fields: ConfigFields, kind: string, older: ConfigFields | undefined) {
  const both = fields.object('rope_parameters');
  for (const name of both?.names ?? []) {
    if (!LAYER_TYPES.includes(name)) throw both!.wrong(name, `absent: only ${LAYER_TYPES.join(' and ')} are known`);
  }
  return { older, newer: both?.object(kind) };
}

const LAYER_TYPES: readonly string[] = ['full_attention', 'sliding_attention'];

/**
 * sqrt(hidden) rounded as transformers does: to the type of the embeddings, in which the models were trained. In bfloat16 55.4256 is 55.5.
 */
function roundedRoot(hidden: number, fields: ConfigFields): number {
  const name = fields.value('dtype') === undefined ? 'torch_dtype' : 'dtype';
  const bits = fields.choice(name, SIGNIFICAND_BITS, 'float32');
  const root = Math.sqrt(hidden);
  const step = 2 ** (Math.floor(Math.log2(root)) + 1 - bits);
  const steps = root / step;
  // Halves go to the even one.
  return step * (steps % 1 === 0.5 ? 2 * Math.round(steps / 2) : Math.round(steps));
}

const SIGNIFICAND_BITS = { bfloat16: 8, float16: 11, float32: 24, float64: 53 } as const;
