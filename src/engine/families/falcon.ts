import type { Value } from '../graph/graph.ts';
import {
  ACTIVATIONS,
  activation,
  addBranch,
  applyLayerNorm,
  layerNorm,
  linearLayer,
  parameter,
  splitGroups,
  variantOf,
} from './blockParts.ts';
import {
  type AlibiPositions,
  blockShape,
  type FamilyConfig,
  hasMlpOutputBias,
  type RotaryPositions,
} from './config.ts';
import type { ConfigFields } from './configFields.ts';
import { LIMITS } from './configLimits.ts';
import type { Family } from './family.ts';
import { readRotaryPositions } from './ropeScaling.ts';

interface FalconConfig extends FamilyConfig {
  /** The MLP stands beside attention, and not behind it. */
  readonly parallel: boolean;
  /** Names of the norms that attention and the MLP read; side by side they may read the same. */
  readonly norms: { readonly attention: string; readonly mlp: string };
}

const EMBEDDING = 'transformer.word_embeddings.weight';
const HEAD = 'lm_head.weight';

/**
 * Falcon (Almazrouei et al. 2023), its three kinds: 7B (one key-value head, attention beside the MLP), 40B, 180B and Falcon 2
 * (`new_decoder_architecture`: groups of heads), and RW (`alibi`, one key-value head for each head, biases). Queries, keys and values are one matrix, group by
 * group: the queries of its heads, its key, its value. It is one linear layer.
 */
export const falcon: Family<FalconConfig> = {
  title: 'Falcon',
  modelType: 'falcon',
  // The model's own code, before transformers had it.
  aliases: ['RWForCausalLM'],
  modelTypes: ['RefinedWebModel', 'RefinedWeb'],
  depthNames: ['num_hidden_layers', 'n_layer'],
  headTensor: HEAD,
  buffers: /\.maybe_rotary\.inv_freq$/,

  read(fields) {
    const width = fields.spelling('hidden_size', 'n_embed');
    const hidden = fields.integer(width, LIMITS.hidden);
    const heads = fields.integer(fields.spelling('num_attention_heads', 'n_head'), LIMITS.heads);
    if (hidden % heads !== 0) throw fields.wrong(width, `a multiple of the ${heads} attention heads`);
    const depth = fields.integer(fields.spelling('num_hidden_layers', 'n_layer'), LIMITS.depth);
    const headDim = hidden / heads;
    const maxPositions = fields.integer('max_position_embeddings', LIMITS.positions, 2048);
    // Only the model's own code calls the key-value heads n_head_kv, and only where its blocks are the new ones.
    const isNew = fields.boolean('new_decoder_architecture', fields.value('n_head_kv') !== undefined);
    const bias = fields.boolean('bias', false);
    const positions = readPositions(fields, headDim, maxPositions);
    return {
      hidden,
      intermediate: fields.integer('ffn_hidden_size', LIMITS.intermediate, 4 * hidden),
      depth,
      heads,
      kvHeads: readKvHeads(fields, heads, isNew),
      headDim,
      vocabulary: fields.integer('vocab_size', LIMITS.vocabulary),
      maxPositions,
      normEpsilon: fields.number('layer_norm_epsilon', LIMITS.epsilon, 1e-5),
      activation: fields.choice('activation', ACTIVATIONS, 'gelu'),
      positions,
      bias: { queryKeyValue: bias, attentionOutput: bias, mlp: bias },
      windows: Array.from({ length: depth }, () => undefined),
      tiedEmbeddings: fields.boolean('tie_word_embeddings', true),
      ...(positions.kind === 'alibi' && { places: 'groups' }),
      ...readOrder(fields, isNew),
    };
  },

  // The size of a head is derived from their number.
  sizeFields: ({ heads }, shape) =>
    shape.heads === heads && shape.intermediate > 0 ? { ffn_hidden_size: shape.intermediate } : undefined,

  // It gives biases to the other projections, too: zeros.
  biasFields: (bias) => (bias.attention_output || bias.mlp_output ? { bias: true } : {}),

  embedding: ({ vocabulary, hidden }) => ({ table: parameter('embedding', EMBEDDING, [vocabulary, hidden]) }),

  block(config, index) {
    const { hidden, headDim, bias, norms } = config;
    const shape = blockShape(config, index);
    const { heads, kvHeads, intermediate } = shape;
    const prefix = `transformer.h.${index}`;
    const read = new Set([...(heads > 0 ? [norms.attention] : []), ...(intermediate > 0 ? [norms.mlp] : [])]);
    const fused = linearLayer(prefix, ATTENTION, [(heads + 2 * kvHeads) * headDim, hidden], {
      ...{ biased: bias.queryKeyValue, makes: 'groups' },
    });
    const opening = linearLayer(prefix, OPENING, [intermediate, hidden], {
      ...{ biased: bias.mlp, makes: 'channels' },
      ...(norms.attention === norms.mlp && heads > 0 && { besides: ATTENTION }),
    });
    return {
      variant: variantOf(config, index),
      window: undefined,
      shape,
      parameters: [
        ...[...read].flatMap((name) => layerNorm(name, `${prefix}.${name}`, hidden)),
        ...(heads > 0 ? fused : []),
        ...linearLayer(prefix, 'self_attention.dense', [hidden, heads * headDim], {
          ...{ biased: bias.attentionOutput, reads: 'groups' },
        }),
        ...(intermediate > 0 ? opening : []),
        ...linearLayer(prefix, 'mlp.dense_4h_to_h', [hidden, intermediate], {
          ...{ biased: hasMlpOutputBias(config), reads: 'channels' },
        }),
      ],
    };
  },

  writeBlock(config, writer, x) {
    const { heads, intermediate } = writer.shape;
    const { norms, parallel } = config;
    const normed = heads > 0 ? applyLayerNorm(config, writer, x, norms.attention) : undefined;
    const attend = (read: Value): Value =>
      writer.attention(...splitGroups(writer, writer.linear(ATTENTION, read), config.headDim));
    const attended = addBranch(writer, x, 'self_attention.dense', normed && (() => attend(normed)));
    const open = (): Value => {
      const shared = norms.mlp === norms.attention && normed ? writer.narrowed(normed) : undefined;
      const read = shared ?? applyLayerNorm(config, writer, parallel ? writer.narrowed(x) : attended, norms.mlp);
      return writer.channels(activation(config, writer, writer.linear(OPENING, read)));
    };
    return addBranch(writer, attended, 'mlp.dense_4h_to_h', intermediate > 0 ? open : undefined);
  },

  head: ({ vocabulary, hidden, tiedEmbeddings }) => ({
    parameters: layerNorm('norm', 'transformer.ln_f', hidden),
    weight: parameter('head', tiedEmbeddings ? EMBEDDING : HEAD, [vocabulary, hidden]),
  }),

  writeFinal: (config, writer, x) => applyLayerNorm(config, writer, x, 'norm'),
};

const ATTENTION = 'self_attention.query_key_value';
const OPENING = 'mlp.dense_h_to_4h';

function readPositions(fields: ConfigFields, headDim: number, maxPositions: number): RotaryPositions | AlibiPositions {
  if (fields.boolean('alibi', false)) return { kind: 'alibi', scale: 1 / Math.sqrt(headDim), rounded: true };
  if (headDim % 2 !== 0)
    throw fields.wrong('num_attention_heads', 'so many that heads have an even number of features');
  return readRotaryPositions(fields, { headDim, maxPositions });
}

function readKvHeads(fields: ConfigFields, heads: number, isNew: boolean): number {
  if (!isNew && fields.boolean('multi_query', true)) return 1;
  const name = fields.spelling('num_kv_heads', 'n_head_kv');
  const kvHeads = fields.integer(name, LIMITS.heads, heads);
  if (isNew ? heads % kvHeads !== 0 : kvHeads !== heads) {
    throw fields.wrong(name, `${isNew ? 'a divisor of' : 'equal to'} the ${heads} attention heads`);
  }
  return kvHeads;
}

/** Where the MLP stands, and what it reads. */
function readOrder(fields: ConfigFields, isNew: boolean): Pick<FalconConfig, 'parallel' | 'norms'> {
  const parallel = fields.boolean('parallel_attn', true);
  const count = fields.integer('num_ln_in_parallel_attn', { minimum: 1, maximum: 2 }, isNew ? 2 : 1);
  if (!parallel) {
    if (isNew) throw fields.wrong('parallel_attn', 'true with new_decoder_architecture');
    return { parallel, norms: { attention: 'input_layernorm', mlp: 'post_attention_layernorm' } };
  }
  if (count === 1) return { parallel, norms: { attention: 'input_layernorm', mlp: 'input_layernorm' } };
  if (!isNew) throw fields.wrong('num_ln_in_parallel_attn', '1 without new_decoder_architecture');
  return { parallel, norms: { attention: 'ln_attn', mlp: 'ln_mlp' } };
}
