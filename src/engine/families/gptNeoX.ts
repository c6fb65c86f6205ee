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
import { blockShape, type FamilyConfig } from './config.ts';
import { LIMITS } from './configLimits.ts';
import type { BlockWriter, Family } from './family.ts';
import { readRotaryPositions } from './ropeScaling.ts';

interface GptNeoXConfig extends FamilyConfig {
  /** `use_parallel_residual`: the MLP reads what attention reads, and not what attention has added to. */
  readonly parallel: boolean;
}

const EMBEDDING = 'gpt_neox.embed_in.weight';
const HEAD = 'embed_out.weight';

/**
 * GPT-NeoX (Black et al. 2022) and Pythia: attention and MLP side by side, rotary positions for a part of each head, layer norms with
 * biases, one up and one down projection. Queries, keys and values are one matrix [heads · 3 · headDim, hidden], head by head: its
 * rows of a head are next to each other. It is one linear layer, as it is pruned in the literature.
 */
export const gptNeoX: Family<GptNeoXConfig> = {
  title: 'GPT-NeoX and Pythia',
  modelType: 'gpt_neox',
  headTensor: HEAD,
  // The causal mask.
  buffers: /\.attention\.bias$/,

  read(fields) {
    const hidden = fields.integer('hidden_size', LIMITS.hidden);
    const heads = fields.integer('num_attention_heads', LIMITS.heads);
    if (hidden % heads !== 0) throw fields.wrong('hidden_size', `a multiple of the ${heads} attention heads`);
    const headDim = hidden / heads;
    const depth = fields.integer('num_hidden_layers', LIMITS.depth);
    const maxPositions = fields.integer('max_position_embeddings', LIMITS.positions, 2048);
    const biases = fields.boolean('attention_bias', true);
    return {
      hidden,
      intermediate: fields.integer('intermediate_size', LIMITS.intermediate),
      depth,
      heads,
      kvHeads: heads,
      headDim,
      vocabulary: fields.integer('vocab_size', LIMITS.vocabulary),
      maxPositions,
      normEpsilon: fields.number('layer_norm_eps', LIMITS.epsilon, 1e-5),
      activation: fields.choice('hidden_act', ACTIVATIONS, 'gelu'),
      positions: readRotaryPositions(fields, {
        ...{ headDim, maxPositions },
        ...{ base: 'rotary_emb_base', share: { field: 'rotary_pct', fallback: 0.25 } },
      }),
      bias: { queryKeyValue: biases, attentionOutput: biases, mlp: true },
      windows: Array.from({ length: depth }, () => undefined),
      tiedEmbeddings: fields.boolean('tie_word_embeddings', false),
      parallel: fields.boolean('use_parallel_residual', true),
    };
  },

  // The size of a head is derived from their number.
  sizeFields: ({ heads }, shape) =>
    shape.heads === heads && shape.intermediate > 0 ? { intermediate_size: shape.intermediate } : undefined,

  // It gives a bias to queries, keys and values, too: zeros.
  biasFields: ({ attention_output }) => (attention_output ? { attention_bias: true } : {}),

  embedding: ({ vocabulary, hidden }) => ({ table: parameter('embedding', EMBEDDING, [vocabulary, hidden]) }),

  block(config, index) {
    const { hidden, headDim, bias } = config;
    const shape = blockShape(config, index);
    const { heads, intermediate } = shape;
    const prefix = `gpt_neox.layers.${index}`;
    const norm = (name: string) => layerNorm(name, `${prefix}.${name}`, hidden);
    const attention = [
      ...norm('input_layernorm'),
      ...linearLayer(prefix, 'attention.query_key_value', [heads * 3 * headDim, hidden], {
        ...{ biased: bias.queryKeyValue, makes: 'groups' },
      }),
    ];
    const opening = [
      ...norm('post_attention_layernorm'),
      ...linearLayer(prefix, 'mlp.dense_h_to_4h', [intermediate, hidden], { biased: true, makes: 'channels' }),
    ];
    return {
      variant: variantOf(config, index),
      window: undefined,
      shape,
      parameters: [
        ...(heads > 0 ? attention : []),
        ...linearLayer(prefix, 'attention.dense', [hidden, heads * headDim], {
          ...{ biased: bias.attentionOutput, reads: 'groups' },
        }),
        ...(intermediate > 0 ? opening : []),
        ...linearLayer(prefix, 'mlp.dense_4h_to_h', [hidden, intermediate], { biased: true, reads: 'channels' }),
      ],
    };
  },

  writeBlock(config, writer, x) {
    const { heads, intermediate } = writer.shape;
    const attended = addBranch(writer, x, 'attention.dense', heads > 0 ? () => attend(config, writer, x) : undefined);
    const open = (): Value => {
      const normed = applyLayerNorm(
        config,
        writer,
        config.parallel ? writer.narrowed(x) : attended,
        'post_attention_layernorm',
      );
      return writer.channels(activation(config, writer, writer.linear('mlp.dense_h_to_4h', normed)));
    };
    return addBranch(writer, attended, 'mlp.dense_4h_to_h', intermediate > 0 ? open : undefined);
  },

  head: ({ vocabulary, hidden, tiedEmbeddings }) => ({
    parameters: layerNorm('norm', 'gpt_neox.final_layer_norm', hidden),
    weight: parameter('head', tiedEmbeddings ? EMBEDDING : HEAD, [vocabulary, hidden]),
  }),

  writeFinal: (config, writer, x) => applyLayerNorm(config, writer, x, 'norm'),
};

function attend(config: GptNeoXConfig, writer: BlockWriter, x: Value): Value {
  const fused = writer.linear('attention.query_key_value', applyLayerNorm(config, writer, x, 'input_layernorm'));
  return writer.attention(...splitGroups(writer, fused, config.headDim));
}
