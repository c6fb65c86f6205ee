import type { Value } from '../graph/graph.ts';
import {
  activation,
  addBranch,
  applyLayerNorm,
  layerNorm,
  linearLayer,
  parameter,
  splitGroups,
  variantOf,
} from './blockParts.ts';
import { blockShape, type FamilyConfig } from './config.ts';
import { LIMITS } from './configLimits.ts';
import type { Family } from './family.ts';

interface BloomConfig extends FamilyConfig {
  /** `apply_residual_connection_post_layernorm`: a branch is added to what it reads, and not to what that was before its norm. */
  readonly addToNormed: boolean;
}

const EMBEDDING = 'transformer.word_embeddings.weight';
const HEAD = 'lm_head.weight';

/**
 * BLOOM (Le Scao et al. 2022): ALiBi in the place of positions, a norm of the embeddings, biases everywhere. Queries, keys and values are one matrix
 * [heads · 3 · headDim, hidden], head by head, and one linear layer. The MLP is four times as wide as the model, whatever `n_inner` says.
 */
export const bloom: Family<BloomConfig> = {
  title: 'BLOOM',
  modelType: 'bloom',
  // The decoder without its head, which the embeddings are, too.
  aliases: ['BloomModel'],
  depthNames: ['n_layer', 'num_hidden_layers'],
  headTensor: HEAD,

  read(fields) {
    const width = fields.spelling('hidden_size', 'n_embed');
    const hidden = fields.integer(width, LIMITS.hidden);
    const heads = fields.integer(fields.spelling('n_head', 'num_attention_heads'), LIMITS.heads);
    if (hidden % heads !== 0) throw fields.wrong(width, `a multiple of the ${heads} attention heads`);
    const depth = fields.integer(fields.spelling('n_layer', 'num_hidden_layers'), LIMITS.depth);
    if (fields.boolean('slow_but_exact', false) && fields.integer('pretraining_tp', LIMITS.heads, 1) > 1) {
      throw fields.wrong('slow_but_exact', 'false: with pretraining_tp it leaves biases out');
    }
    return {
      hidden,
      intermediate: 4 * hidden,
      depth,
      heads,
      kvHeads: heads,
      headDim: hidden / heads,
      vocabulary: fields.integer('vocab_size', LIMITS.vocabulary),
      maxPositions: fields.integer('seq_length', LIMITS.positions, 2048),
      normEpsilon: fields.number('layer_norm_epsilon', LIMITS.epsilon, 1e-5),
      activation: 'gelu-tanh',
      positions: { kind: 'alibi', scale: 1, rounded: false },
      bias: { queryKeyValue: true, attentionOutput: true, mlp: true },
      windows: Array.from({ length: depth }, () => undefined),
      tiedEmbeddings: fields.boolean('tie_word_embeddings', true),
      places: 'groups',
      addToNormed: fields.boolean('apply_residual_connection_post_layernorm', false),
    };
  },

  // It has no field for the size of a head or of the MLP.
  sizeFields: ({ heads, intermediate }, shape) =>
    shape.heads === heads && shape.intermediate === intermediate ? {} : undefined,

  embedding({ vocabulary, hidden }) {
    const [weight, bias] = layerNorm('embedding_norm', 'transformer.word_embeddings_layernorm', hidden);
    return { table: parameter('embedding', EMBEDDING, [vocabulary, hidden]), norm: { weight: weight!, bias: bias! } };
  },

  block(config, index) {
    const { hidden, headDim, addToNormed } = config;
    const shape = blockShape(config, index);
    const { heads, intermediate } = shape;
    const prefix = `transformer.h.${index}`;
    const norm = (name: string) => layerNorm(name, `${prefix}.${name}`, hidden);
    const fused = linearLayer(prefix, 'self_attention.query_key_value', [heads * 3 * headDim, hidden], {
      ...{ biased: true, makes: 'groups' },
    });
    const opening = linearLayer(prefix, 'mlp.dense_h_to_4h', [intermediate, hidden], {
      ...{ biased: true, makes: 'channels' },
    });
    return {
      variant: variantOf(config, index),
      window: undefined,
      shape,
      parameters: [
        ...(heads > 0 || addToNormed ? norm('input_layernorm') : []),
        ...(heads > 0 ? fused : []),
        ...linearLayer(prefix, 'self_attention.dense', [hidden, heads * headDim], { biased: true, reads: 'groups' }),
        ...(intermediate > 0 || addToNormed ? norm('post_attention_layernorm') : []),
        ...(intermediate > 0 ? opening : []),
        ...linearLayer(prefix, 'mlp.dense_4h_to_h', [hidden, intermediate], { biased: true, reads: 'channels' }),
      ],
    };
  },

  writeBlock(config, writer, x) {
    const { heads, intermediate } = writer.shape;
    const { addToNormed } = config;
    const read = heads > 0 || addToNormed ? applyLayerNorm(config, writer, x, 'input_layernorm') : x;
    const attend = (): Value => {
      const fused = writer.linear('self_attention.query_key_value', read);
      return writer.attention(...splitGroups(writer, fused, config.headDim));
    };
    const attended = addBranch(writer, addToNormed ? read : x, 'self_attention.dense', heads > 0 ? attend : undefined);
    const normed =
      intermediate > 0 || addToNormed ? applyLayerNorm(config, writer, attended, 'post_attention_layernorm') : attended;
    const open = (): Value => writer.channels(activation(config, writer, writer.linear('mlp.dense_h_to_4h', normed)));
    return addBranch(writer, addToNormed ? normed : attended, 'mlp.dense_4h_to_h', intermediate > 0 ? open : undefined);
  },

  head: ({ vocabulary, hidden, tiedEmbeddings }) => ({
    parameters: layerNorm('norm', 'transformer.ln_f', hidden),
    weight: parameter('head', tiedEmbeddings ? EMBEDDING : HEAD, [vocabulary, hidden]),
  }),

  writeFinal: (config, writer, x) => applyLayerNorm(config, writer, x, 'norm'),
};
