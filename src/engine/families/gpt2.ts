import type { Value } from '../graph/graph.ts';
import {
  ACTIVATIONS,
  activation,
  addBranch,
  applyLayerNorm,
  layerNorm,
  linearLayer,
  type LinearOptions,
  parameter,
  splitSections,
  variantOf,
} from './blockParts.ts';
import { blockShape, type FamilyConfig } from './config.ts';
import { LIMITS } from './configLimits.ts';
import type { BlockWriter, Family, Parameter } from './family.ts';

interface Gpt2Config extends FamilyConfig {
  /** Factor of the products of queries and keys. */
  readonly scale: number;
  /** `scale_attn_by_inverse_layer_idx`: the first block's are divided by 1, the second's by 2, … */
  readonly scaleByBlock: boolean;
}

const EMBEDDING = 'transformer.wte.weight';
const HEAD = 'lm_head.weight';

/**
 * GPT-2 (Radford et al. 2019): learned positions, layer norms with biases before attention and MLP, one up and one down projection. Its linear layers
 * are transformers' Conv1D, whose matrices are stored [in, out]; what is compared, in rows, is what makes one output, as everywhere. `c_attn` makes all
 * queries, then all keys, then all values, and is one linear layer.
 */
export const gpt2: Family<Gpt2Config> = {
  title: 'GPT-2',
  modelType: 'gpt2',
  // The decoder without its head, which the embeddings are, too.
  aliases: ['GPT2Model'],
  depthNames: ['n_layer', 'num_hidden_layers'],
  headTensor: HEAD,
  // The causal mask.
  buffers: /\.attn\.bias$/,

  read(fields) {
    const width = fields.spelling('n_embd', 'hidden_size');
    const hidden = fields.integer(width, LIMITS.hidden);
    const heads = fields.integer(fields.spelling('n_head', 'num_attention_heads'), LIMITS.heads);
    if (hidden % heads !== 0) throw fields.wrong(width, `a multiple of the ${heads} attention heads`);
    const depth = fields.integer(fields.spelling('n_layer', 'num_hidden_layers'), LIMITS.depth);
    const headDim = hidden / heads;
    const scaleByBlock = fields.boolean('scale_attn_by_inverse_layer_idx', false);
    if (fields.boolean('add_cross_attention', false)) {
      throw fields.wrong('add_cross_attention', 'false', 'Choose a checkpoint of a decoder alone.');
    }
    return {
      hidden,
      intermediate: fields.integer('n_inner', LIMITS.intermediate, 4 * hidden),
      depth,
      heads,
      kvHeads: heads,
      headDim,
      vocabulary: fields.integer('vocab_size', LIMITS.vocabulary),
      maxPositions: fields.integer(fields.spelling('n_positions', 'max_position_embeddings'), LIMITS.positions, 1024),
      normEpsilon: fields.number('layer_norm_epsilon', LIMITS.epsilon, 1e-5),
      activation: fields.choice('activation_function', ACTIVATIONS, 'gelu_new'),
      positions: { kind: 'learned', offset: 0 },
      bias: { queryKeyValue: true, attentionOutput: true, mlp: true },
      windows: Array.from({ length: depth }, () => undefined),
      tiedEmbeddings: fields.boolean('tie_word_embeddings', true),
      scale: fields.boolean('scale_attn_weights', true) ? 1 / Math.sqrt(headDim) : 1,
      scaleByBlock,
      ...(scaleByBlock && { places: 'blocks' }),
    };
  },

  // The size of a head is derived from their number.
  sizeFields: ({ heads }, shape) =>
    shape.heads === heads && shape.intermediate > 0 ? { n_inner: shape.intermediate } : undefined,

  embedding: ({ vocabulary, hidden, maxPositions }) => ({
    table: parameter('embedding', EMBEDDING, [vocabulary, hidden]),
    positions: { parameter: parameter('positions', 'transformer.wpe.weight', [maxPositions, hidden]), offset: 0 },
  }),

  block(config, index) {
    const { hidden, headDim } = config;
    const shape = blockShape(config, index);
    const { heads, intermediate, place = index } = shape;
    const width = heads * headDim;
    const prefix = `transformer.h.${index}`;
    const linear = (name: string, size: readonly [number, number], options: Partial<LinearOptions>): Parameter[] =>
      linearLayer(prefix, name, size, { biased: true, transposed: true, ...options });
    const attention = [
      ...layerNorm('ln_1', `${prefix}.ln_1`, hidden),
      ...linear('attn.c_attn', [3 * width, hidden], { makes: 'groups', sections: [width, width, width] }),
    ];
    const opening = [
      ...layerNorm('ln_2', `${prefix}.ln_2`, hidden),
      ...linear('mlp.c_fc', [intermediate, hidden], { makes: 'channels' }),
    ];
    return {
      variant: [variantOf(config, index), ...(config.scaleByBlock ? [`at place ${place}`] : [])].join(' '),
      window: undefined,
      scale: config.scaleByBlock ? config.scale / (place + 1) : config.scale,
      shape,
      parameters: [
        ...(heads > 0 ? attention : []),
        ...linear('attn.c_proj', [hidden, width], { reads: 'groups' }),
        ...(intermediate > 0 ? opening : []),
        ...linear('mlp.c_proj', [hidden, intermediate], { reads: 'channels' }),
      ],
    };
  },

  writeBlock(config, writer, x) {
    const { heads, intermediate } = writer.shape;
    const attended = addBranch(writer, x, 'attn.c_proj', heads > 0 ? () => attend(config, writer, x) : undefined);
    const open = (): Value => {
      const normed = applyLayerNorm(config, writer, attended, 'ln_2');
      return writer.channels(activation(config, writer, writer.linear('mlp.c_fc', normed)));
    };
    return addBranch(writer, attended, 'mlp.c_proj', intermediate > 0 ? open : undefined);
  },

  head: ({ vocabulary, hidden, tiedEmbeddings }) => ({
    parameters: layerNorm('norm', 'transformer.ln_f', hidden),
    weight: parameter('head', tiedEmbeddings ? EMBEDDING : HEAD, [vocabulary, hidden]),
  }),

  writeFinal: (config, writer, x) => applyLayerNorm(config, writer, x, 'norm'),
};

function attend(config: Gpt2Config, writer: BlockWriter, x: Value): Value {
  const width = writer.shape.heads * config.headDim;
  const fused = writer.linear('attn.c_attn', applyLayerNorm(config, writer, x, 'ln_1'));
  const [query, key, value] = splitSections(writer, fused, [width, width, width]);
  return writer.attention(query!, key!, value!);
}
