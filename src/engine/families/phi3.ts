import type { Value } from '../graph/graph.ts';
import { oneWindow } from './attentionWindows.ts';
import { ACTIVATIONS, activation, addBranch, linearLayer, parameter, splitSections, variantOf } from './blockParts.ts';
import { type BlockShape, blockShape, type FamilyConfig, hasMlpOutputBias } from './config.ts';
import { LIMITS } from './configLimits.ts';
import type { BlockWriter, Family, JsonFields } from './family.ts';
import { readRotaryPositions } from './ropeScaling.ts';

const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';

/**
 * Phi-3, 3.5 and 4 (Abdin et al. 2024): LLaMA with fused projections. `qkv_proj` has the rows of all queries, all keys and all values one after
 * the other, `gate_up_proj` those of the gate and of what it opens. Each is one linear layer, as it is one module.
 */
export const phi3: Family = {
  title: 'Phi-3 and Phi-4',
  modelType: 'phi3',
  headTensor: HEAD,

  read(fields) {
    const hidden = fields.integer('hidden_size', LIMITS.hidden);
    const heads = fields.integer('num_attention_heads', LIMITS.heads);
    if (fields.value('head_dim') === undefined && hidden % heads !== 0) {
      throw fields.wrong('hidden_size', `a multiple of the ${heads} attention heads, since there is no head_dim`);
    }
    const headDim = fields.integer('head_dim', LIMITS.headDim, hidden / heads);
    const kvHeads = fields.integer('num_key_value_heads', LIMITS.heads, heads);
    if (heads % kvHeads !== 0) throw fields.wrong('num_key_value_heads', `a divisor of the ${heads} attention heads`);
    const depth = fields.integer('num_hidden_layers', LIMITS.depth);
    const maxPositions = fields.integer('max_position_embeddings', LIMITS.positions, 4096);
    return {
      hidden,
      intermediate: fields.integer('intermediate_size', LIMITS.intermediate),
      depth,
      heads,
      kvHeads,
      headDim,
      vocabulary: fields.integer('vocab_size', LIMITS.vocabulary),
      maxPositions,
      normEpsilon: fields.number('rms_norm_eps', LIMITS.epsilon, 1e-5),
      activation: fields.choice('hidden_act', ACTIVATIONS, 'silu'),
      positions: readRotaryPositions(fields, {
        ...{ headDim, maxPositions, originalPositions: 4096 },
        ...{ share: { field: 'partial_rotary_factor', fallback: 1 }, kinds: ['none', 'longrope'] },
      }),
      bias: { queryKeyValue: false, attentionOutput: false, mlp: false },
      windows: oneWindow(fields, depth, undefined),
      tiedEmbeddings: fields.boolean('tie_word_embeddings', false),
    };
  },

  sizeFields,

  embedding: ({ vocabulary, hidden }) => ({ table: parameter('embedding', EMBEDDING, [vocabulary, hidden]) }),

  block(config, index) {
    const { hidden, headDim, bias } = config;
    const shape = blockShape(config, index);
    const { heads, intermediate } = shape;
    const prefix = `model.layers.${index}`;
    const norm = (name: string) => parameter(name, `${prefix}.${name}.weight`, [hidden]);
    const fused = projections(shape, headDim);
    const attention = [
      norm('input_layernorm'),
      ...linearLayer(prefix, 'self_attn.qkv_proj', [sum(fused), hidden], {
        ...{ biased: bias.queryKeyValue, makes: 'groups', sections: fused },
      }),
    ];
    const gated = [
      norm('post_attention_layernorm'),
      ...linearLayer(prefix, 'mlp.gate_up_proj', [2 * intermediate, hidden], {
        ...{ biased: bias.mlp, makes: 'channels', sections: [intermediate, intermediate] },
      }),
    ];
    return {
      variant: variantOf(config, index),
      window: config.windows[index],
      shape,
      parameters: [
        ...(heads > 0 ? attention : []),
        ...linearLayer(prefix, 'self_attn.o_proj', [hidden, heads * headDim], {
          ...{ biased: bias.attentionOutput, reads: 'groups' },
        }),
        ...(intermediate > 0 ? gated : []),
        ...linearLayer(prefix, 'mlp.down_proj', [hidden, intermediate], {
          ...{ biased: hasMlpOutputBias(config), reads: 'channels' },
        }),
      ],
    };
  },

  writeBlock(config, writer, x) {
    const { heads, intermediate } = writer.shape;
    const middle = addBranch(writer, x, 'self_attn.o_proj', heads > 0 ? () => attend(config, writer, x) : undefined);
    const gated = intermediate > 0 ? () => gate(config, writer, middle) : undefined;
    return addBranch(writer, middle, 'mlp.down_proj', gated);
  },

  head: ({ vocabulary, hidden, tiedEmbeddings }) => ({
    parameters: [parameter('norm', 'model.norm.weight', [hidden])],
    weight: parameter('head', tiedEmbeddings ? EMBEDDING : HEAD, [vocabulary, hidden]),
  }),

  writeFinal: (config, writer, x) => writer.graph.rmsNorm(x, writer.parameter('norm'), config.normEpsilon),
};

/** Rows of queries, keys and values in `qkv_proj`. */
function projections({ heads, kvHeads }: BlockShape, headDim: number): readonly number[] {
  return [heads * headDim, kvHeads * headDim, kvHeads * headDim];
}

/** With LongRoPE transformers wants as many factors as hidden_size and num_attention_heads alone say. */
function sizeFields(config: FamilyConfig, { heads, kvHeads, intermediate }: BlockShape): JsonFields | undefined {
  if (heads === 0 || intermediate === 0) return undefined;
  if (heads === config.heads) return { intermediate_size: intermediate };
  if (config.positions.kind === 'rotary' && config.positions.scaling.kind === 'longrope') return undefined;
  return {
    intermediate_size: intermediate,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: config.headDim,
  };
}

function attend(config: FamilyConfig, writer: BlockWriter, x: Value): Value {
  const normed = writer.graph.rmsNorm(x, writer.parameter('input_layernorm'), config.normEpsilon);
  const fused = writer.linear('self_attn.qkv_proj', normed);
  const [query, key, value] = splitSections(writer, fused, projections(writer.shape, config.headDim));
  return writer.attention(query!, key!, value!);
}

function gate(config: FamilyConfig, writer: BlockWriter, x: Value): Value {
  const { intermediate } = writer.shape;
  const normed = writer.graph.rmsNorm(x, writer.parameter('post_attention_layernorm'), config.normEpsilon);
  const fused = writer.linear('mlp.gate_up_proj', normed);
  const [opening, up] = splitSections(writer, fused, [intermediate, intermediate]);
  return writer.channels(writer.graph.mul(activation(config, writer, opening!), up!));
}

function sum(lengths: readonly number[]): number {
  return lengths.reduce((total, length) => total + length, 0);
}
