import type { Value } from '../graph/graph.ts';
import {
  ACTIVATIONS,
  activation,
  addBranch,
  applyLayerNorm,
  layerNorm,
  linearLayer,
  parameter,
  variantOf,
} from './blockParts.ts';
import { blockShape, type FamilyConfig, hasMlpOutputBias } from './config.ts';
import type { ConfigFields } from './configFields.ts';
import { LIMITS } from './configLimits.ts';
import type { Family } from './family.ts';

interface OptConfig extends FamilyConfig {
  /** Norms before attention and MLP; opt-350m (do_layer_norm_before: false) has them after the residual sums. */
  readonly normFirst: boolean;
  /** Width of the embedding where it differs from `hidden` (opt-350m projects in and out). */
  readonly embeddingWidth: number;
}

const EMBEDDING = 'model.decoder.embed_tokens.weight';
const HEAD = 'lm_head.weight';

/**
 * OPT (Zhang et al. 2022): learned positions, layer norms with biases before (opt-350m: after) attention and MLP, biases
 * everywhere, one up and one down projection. opt-350m also projects narrow embeddings in and out.
 */
export const opt: Family<OptConfig> = {
  title: 'OPT',
  modelType: 'opt',
  headTensor: HEAD,

  read(fields) {
    const hidden = fields.integer('hidden_size', LIMITS.hidden);
    const heads = fields.integer('num_attention_heads', LIMITS.heads);
    if (hidden % heads !== 0) throw fields.wrong('hidden_size', `a multiple of the ${heads} attention heads`);
    const depth = fields.integer('num_hidden_layers', LIMITS.depth);
    const biases = fields.boolean('enable_bias', true);
    const normFirst = fields.boolean('do_layer_norm_before', true);
    refuseVariants(fields, normFirst);
    return {
      hidden,
      intermediate: fields.integer('ffn_dim', LIMITS.intermediate),
      depth,
      heads,
      kvHeads: heads,
      headDim: hidden / heads,
      vocabulary: fields.integer('vocab_size', LIMITS.vocabulary),
      maxPositions: fields.integer('max_position_embeddings', LIMITS.positions, 2048),
      // LayerNorm's own default: OPT has no field for it.
      normEpsilon: 1e-5,
      normFirst,
      activation: fields.choice('activation_function', ACTIVATIONS, 'relu'),
      // The first two rows of the table are left from padding.
      positions: { kind: 'learned', offset: 2 },
      bias: { queryKeyValue: biases, attentionOutput: biases, mlp: biases },
      windows: Array.from({ length: depth }, () => undefined),
      tiedEmbeddings: fields.boolean('tie_word_embeddings', true),
      embeddingWidth: fields.integer('word_embed_proj_dim', LIMITS.hidden, hidden),
    };
  },

  // The size of a head is derived from their number.
  sizeFields: ({ heads }, shape) =>
    shape.heads === heads && shape.intermediate > 0 ? { ffn_dim: shape.intermediate } : undefined,

  embedding(config) {
    const offset = config.positions.kind === 'learned' ? config.positions.offset : 0;
    const rows = config.maxPositions + offset;
    return {
      table: parameter('embedding', EMBEDDING, [config.vocabulary, config.embeddingWidth]),
      positions: {
        parameter: parameter('positions', 'model.decoder.embed_positions.weight', [rows, config.hidden]),
        offset,
      },
      ...(config.embeddingWidth !== config.hidden && {
        projection: parameter('project_in', 'model.decoder.project_in.weight', [config.hidden, config.embeddingWidth]),
      }),
    };
  },

  block(config, index) {
    const { hidden, headDim, bias } = config;
    const shape = blockShape(config, index);
    const { heads, intermediate } = shape;
    const width = heads * headDim;
    // A norm after the residual sum stays when its branch is gone.
    const after = !config.normFirst;
    const prefix = `model.decoder.layers.${index}`;
    const inputs = ['q_proj', 'k_proj', 'v_proj'].flatMap((name) =>
      linearLayer(prefix, `self_attn.${name}`, [width, hidden], {
        ...{ biased: bias.queryKeyValue, makes: 'groups', besides: 'self_attn.q_proj' },
      }),
    );
    return {
      variant: variantOf(config, index),
      window: undefined,
      shape,
      parameters: [
        ...(heads > 0 || after ? layerNorm('self_attn_layer_norm', `${prefix}.self_attn_layer_norm`, hidden) : []),
        ...(heads > 0 ? inputs : []),
        ...linearLayer(prefix, 'self_attn.out_proj', [hidden, width], {
          biased: bias.attentionOutput,
          reads: 'groups',
        }),
        ...(intermediate > 0 || after ? layerNorm('final_layer_norm', `${prefix}.final_layer_norm`, hidden) : []),
        ...(intermediate > 0
          ? linearLayer(prefix, 'fc1', [intermediate, hidden], { biased: bias.mlp, makes: 'channels' })
          : []),
        ...linearLayer(prefix, 'fc2', [hidden, intermediate], { biased: hasMlpOutputBias(config), reads: 'channels' }),
      ],
    };
  },

  writeBlock(config, writer, x) {
    const { heads, intermediate } = writer.shape;
    const before = (input: Value, name: string): Value =>
      config.normFirst ? applyLayerNorm(config, writer, input, name) : input;
    const after = (sum: Value, name: string): Value =>
      config.normFirst ? sum : applyLayerNorm(config, writer, sum, name);
    const attend = (): Value => {
      const input = before(x, 'self_attn_layer_norm');
      const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) =>
        writer.linear(`self_attn.${name}`, input),
      );
      return writer.attention(query!, key!, value!);
    };
    const attended = addBranch(writer, x, 'self_attn.out_proj', heads > 0 ? attend : undefined);
    const middle = after(attended, 'self_attn_layer_norm');
    const open = (): Value =>
      writer.channels(activation(config, writer, writer.linear('fc1', before(middle, 'final_layer_norm'))));
    return after(addBranch(writer, middle, 'fc2', intermediate > 0 ? open : undefined), 'final_layer_norm');
  },

  head: (config) => ({
    parameters: [
      ...(config.normFirst ? layerNorm('norm', 'model.decoder.final_layer_norm', config.hidden) : []),
      ...(config.embeddingWidth !== config.hidden
        ? [parameter('project_out', 'model.decoder.project_out.weight', [config.embeddingWidth, config.hidden])]
        : []),
    ],
    weight: parameter('head', config.tiedEmbeddings ? EMBEDDING : HEAD, [config.vocabulary, config.embeddingWidth]),
  }),

  writeFinal(config, writer, x) {
    const normed = config.normFirst ? applyLayerNorm(config, writer, x, 'norm') : x;
    return config.embeddingWidth === config.hidden
      ? normed
      : writer.graph.linear(normed, writer.parameter('project_out'));
  },
};

/** Two variants that no published checkpoint of the family needs. */
function refuseVariants(fields: ConfigFields, normFirst: boolean): void {
  if (!fields.boolean('layer_norm_elementwise_affine', true)) {
    throw fields.wrong('layer_norm_elementwise_affine', 'true', 'Choose a checkpoint whose norms have weights.');
  }
  // Without norms before the layers there is no final one to remove.
  if (normFirst && fields.boolean('_remove_final_layer_norm', false)) {
    throw fields.wrong('_remove_final_layer_norm', 'false', 'Choose a checkpoint with its final norm.');
  }
}
