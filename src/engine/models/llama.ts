import { blockShape, hasMlpOutputBias, type ModelConfig } from '../checkpoint/config.ts';
import type { Value } from '../graph/graph.ts';
import { activation, addBias, linearWeight, parameter, variantOf } from './blockParts.ts';
import type { BlockWriter, Family, Parameter } from './model.ts';

/**
 * LLaMA and its kin (Vicuna, Mistral, Qwen2, Qwen3): pre-norm blocks with RMS norms, rotary positions, grouped-query attention
 * and a gated MLP. Biases, query/key norms and windows are the config's. A block whose heads or channels are all gone has no tensors
 * for them but the bias of their output projection.
 */
export const llama: Family = {
  embedding: (config) => ({
    table: parameter('embedding', 'model.embed_tokens.weight', [config.vocabulary, config.embeddingWidth]),
  }),

  block(config, index) {
    const { hidden, headDim, bias } = config;
    const shape = blockShape(config, index);
    const { heads, kvHeads, intermediate } = shape;
    const [queries, keys] = [heads * headDim, kvHeads * headDim];
    const prefix = `model.layers.${index}`;
    const linear = (name: string, out: number, input: number, biased: boolean): Parameter[] => [
      ...linearWeight(name, `${prefix}.${name}.weight`, [out, input]),
      ...(biased ? [parameter(`${name}.bias`, `${prefix}.${name}.bias`, [out])] : []),
    ];
    const norm = (name: string, size: number): Parameter => parameter(name, `${prefix}.${name}.weight`, [size]);
    const attention = [
      norm('input_layernorm', hidden),
      ...linear('self_attn.q_proj', queries, hidden, bias.queryKeyValue),
      ...linear('self_attn.k_proj', keys, hidden, bias.queryKeyValue),
      ...linear('self_attn.v_proj', keys, hidden, bias.queryKeyValue),
      ...(config.queryKeyNorm ? [norm('self_attn.q_norm', headDim), norm('self_attn.k_norm', headDim)] : []),
    ];
    const gated = [
      norm('post_attention_layernorm', hidden),
      ...linear('mlp.gate_proj', intermediate, hidden, bias.mlp),
      ...linear('mlp.up_proj', intermediate, hidden, bias.mlp),
    ];
    return {
      variant: variantOf(config, index),
      window: config.windows[index],
      shape,
      parameters: [
        ...(heads > 0 ? attention : []),
        ...linear('self_attn.o_proj', hidden, queries, bias.attentionOutput),
        ...(intermediate > 0 ? gated : []),
        ...linear('mlp.down_proj', hidden, intermediate, hasMlpOutputBias(config)),
      ],
    };
  },

  writeBlock(config, writer, x) {
    const middle =
      writer.shape.heads > 0
        ? addAttention(config, writer, x)
        : addBias(writer, x, 'self_attn.o_proj', config.bias.attentionOutput);
    return writer.shape.intermediate > 0
      ? addMlp(config, writer, middle)
      : addBias(writer, middle, 'mlp.down_proj', hasMlpOutputBias(config));
  },

  head: (config) => ({
    parameters: [parameter('norm', 'model.norm.weight', [config.hidden])],
    weight: parameter('head', config.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight', [
      config.vocabulary,
      config.embeddingWidth,
    ]),
  }),

  writeFinal: (config, writer, x) => writer.graph.rmsNorm(x, writer.parameter('norm'), config.norm.epsilon),
};

function addAttention(config: ModelConfig, writer: BlockWriter, x: Value): Value {
  const { graph } = writer;
  const { bias, norm } = config;
  const normed = graph.rmsNorm(x, writer.parameter('input_layernorm'), norm.epsilon);
  const query = writer.linear('self_attn.q_proj', normed, bias.queryKeyValue);
  const key = writer.linear('self_attn.k_proj', normed, bias.queryKeyValue);
  const value = writer.linear('self_attn.v_proj', normed, bias.queryKeyValue);
  const mixed = writer.attention(
    headNorm(config, writer, query, 'self_attn.q_norm'),
    headNorm(config, writer, key, 'self_attn.k_norm'),
    value,
  );
  return graph.add(x, writer.linear('self_attn.o_proj', mixed, bias.attentionOutput));
}

function addMlp(config: ModelConfig, writer: BlockWriter, x: Value): Value {
  const { graph } = writer;
  const { bias, norm } = config;
  const normed = graph.rmsNorm(x, writer.parameter('post_attention_layernorm'), norm.epsilon);
  const gate = activation(config, writer, writer.linear('mlp.gate_proj', normed, bias.mlp));
  const up = writer.linear('mlp.up_proj', normed, bias.mlp);
  return graph.add(x, writer.linear('mlp.down_proj', writer.channels(graph.mul(gate, up)), hasMlpOutputBias(config)));
}

/** Qwen3: RMS norm of each head before the rotation; elsewhere the value as it is. x [rows, heads · dim]. */
function headNorm(config: ModelConfig, writer: BlockWriter, x: Value, name: string): Value {
  if (!config.queryKeyNorm) return x;
  const { graph } = writer;
  const [rows, width] = x.shape as [number, number];
  const heads = graph.reshape(x, [(rows * width) / config.headDim, config.headDim]);
  return graph.reshape(graph.rmsNorm(heads, writer.parameter(name), config.norm.epsilon), [rows, width]);
}
