import type { ModelConfig } from '../checkpoint/config.ts';
import type { Value } from '../graph/graph.ts';
import type { BlockWriter, Family, Parameter } from './model.ts';

/**
 * LLaMA and its kin (Vicuna, Mistral, Qwen2, Qwen3): pre-norm blocks with RMS norms, rotary positions, grouped-query attention
 * and a gated MLP. Biases, query/key norms and windows are the config's.
 */
export const llama: Family = {
  embedding: (config) => ({
    table: parameter('embedding', 'model.embed_tokens.weight', [config.vocabulary, config.embeddingWidth]),
  }),

  block(config, index) {
    const { hidden, intermediate, headDim, bias } = config;
    const [queries, keys] = [config.heads * headDim, config.kvHeads * headDim];
    const prefix = `model.layers.${index}`;
    const linear = (name: string, out: number, input: number, biased: boolean): Parameter[] => [
      { name, tensor: `${prefix}.${name}.weight`, shape: [out, input], linear: true },
      ...(biased ? [parameter(`${name}.bias`, `${prefix}.${name}.bias`, [out])] : []),
    ];
    const norm = (name: string, size: number): Parameter => parameter(name, `${prefix}.${name}.weight`, [size]);
    const window = config.windows[index];
    return {
      variant: window === undefined ? 'block' : `block with window ${window}`,
      window,
      parameters: [
        norm('input_layernorm', hidden),
        ...linear('self_attn.q_proj', queries, hidden, bias.queryKeyValue),
        ...linear('self_attn.k_proj', keys, hidden, bias.queryKeyValue),
        ...linear('self_attn.v_proj', keys, hidden, bias.queryKeyValue),
        ...(config.queryKeyNorm ? [norm('self_attn.q_norm', headDim), norm('self_attn.k_norm', headDim)] : []),
        ...linear('self_attn.o_proj', hidden, queries, bias.attentionOutput),
        norm('post_attention_layernorm', hidden),
        ...linear('mlp.gate_proj', intermediate, hidden, bias.mlp),
        ...linear('mlp.up_proj', intermediate, hidden, bias.mlp),
        ...linear('mlp.down_proj', hidden, intermediate, bias.mlp),
      ],
    };
  },

  writeBlock(config, writer, x) {
    const { graph } = writer;
    const { bias, norm } = config;
    const attended = graph.rmsNorm(x, writer.parameter('input_layernorm'), norm.epsilon);
    const query = writer.linear('self_attn.q_proj', attended, bias.queryKeyValue);
    const key = writer.linear('self_attn.k_proj', attended, bias.queryKeyValue);
    const value = writer.linear('self_attn.v_proj', attended, bias.queryKeyValue);
    const mixed = writer.attention(
      headNorm(config, writer, query, 'self_attn.q_norm'),
      headNorm(config, writer, key, 'self_attn.k_norm'),
      value,
    );
    const middle = graph.add(x, writer.linear('self_attn.o_proj', mixed, bias.attentionOutput));
    const normed = graph.rmsNorm(middle, writer.parameter('post_attention_layernorm'), norm.epsilon);
    const gate = activation(config, writer, writer.linear('mlp.gate_proj', normed, bias.mlp));
    const up = writer.linear('mlp.up_proj', normed, bias.mlp);
    return graph.add(middle, writer.linear('mlp.down_proj', graph.mul(gate, up), bias.mlp));
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

/** Qwen3: RMS norm of each head before the rotation; elsewhere the value as it is. x [rows, heads · dim]. */
function headNorm(config: ModelConfig, writer: BlockWriter, x: Value, name: string): Value {
  if (!config.queryKeyNorm) return x;
  const { graph } = writer;
  const [rows, width] = x.shape as [number, number];
  const heads = graph.reshape(x, [(rows * width) / config.headDim, config.headDim]);
  return graph.reshape(graph.rmsNorm(heads, writer.parameter(name), config.norm.epsilon), [rows, width]);
}

export function activation(config: ModelConfig, { graph }: { graph: BlockWriter['graph'] }, x: Value): Value {
  switch (config.activation) {
    case 'silu':
      return graph.silu(x);
    case 'relu':
      return graph.relu(x);
    case 'gelu':
      return graph.gelu(x, false);
    case 'gelu-tanh':
      return graph.gelu(x, true);
  }
}

export function parameter(name: string, tensor: string, shape: readonly number[]): Parameter {
  return { name, tensor, shape, linear: false };
}
