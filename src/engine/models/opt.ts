import type { ModelConfig } from '../checkpoint/config.ts';
import type { Value } from '../graph/graph.ts';
import { activation, parameter } from './llama.ts';
import type { BlockWriter, Family, Parameter, ParameterWriter } from './model.ts';

/**
 * OPT (Zhang et al. 2022): learned positions, layer norms with biases before (opt-350m: after) attention and MLP, biases
 * everywhere, one up and one down projection. opt-350m also projects narrow embeddings in and out.
 */
export const opt: Family = {
  embedding(config) {
    const offset = config.positions.kind === 'learned' ? config.positions.offset : 0;
    const rows = config.maxPositions + offset;
    return {
      table: parameter('embedding', 'model.decoder.embed_tokens.weight', [config.vocabulary, config.embeddingWidth]),
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
    const { hidden, intermediate, bias } = config;
    const prefix = `model.decoder.layers.${index}`;
    const linear = (name: string, out: number, input: number, biased: boolean): Parameter[] => [
      { name, tensor: `${prefix}.${name}.weight`, shape: [out, input], linear: true },
      ...(biased ? [parameter(`${name}.bias`, `${prefix}.${name}.bias`, [out])] : []),
    ];
    return {
      variant: 'block',
      window: undefined,
      parameters: [
        ...norm(`${prefix}.self_attn_layer_norm`, 'self_attn_layer_norm', hidden),
        ...linear('self_attn.q_proj', hidden, hidden, bias.queryKeyValue),
        ...linear('self_attn.k_proj', hidden, hidden, bias.queryKeyValue),
        ...linear('self_attn.v_proj', hidden, hidden, bias.queryKeyValue),
        ...linear('self_attn.out_proj', hidden, hidden, bias.attentionOutput),
        ...norm(`${prefix}.final_layer_norm`, 'final_layer_norm', hidden),
        ...linear('fc1', intermediate, hidden, bias.mlp),
        ...linear('fc2', hidden, intermediate, bias.mlp),
      ],
    };
  },

  writeBlock(config, writer, x) {
    const before = config.normPlacement === 'pre';
    const attend = (input: Value): Value => {
      const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) =>
        writer.linear(`self_attn.${name}`, input, config.bias.queryKeyValue),
      );
      const mixed = writer.attention(query!, key!, value!);
      return writer.linear('self_attn.out_proj', mixed, config.bias.attentionOutput);
    };
    const feedForward = (input: Value): Value =>
      writer.linear('fc2', activation(config, writer, writer.linear('fc1', input, config.bias.mlp)), config.bias.mlp);
    const residual = (input: Value, name: string, branch: (value: Value) => Value): Value =>
      before
        ? writer.graph.add(input, branch(applyNorm(config, writer, input, name)))
        : applyNorm(config, writer, writer.graph.add(input, branch(input)), name);
    return residual(residual(x, 'self_attn_layer_norm', attend), 'final_layer_norm', feedForward);
  },

  head: (config) => ({
    parameters: [
      ...(config.normPlacement === 'pre' ? norm('model.decoder.final_layer_norm', 'norm', config.hidden) : []),
      ...(config.embeddingWidth !== config.hidden
        ? [parameter('project_out', 'model.decoder.project_out.weight', [config.embeddingWidth, config.hidden])]
        : []),
    ],
    weight: parameter('head', config.tiedEmbeddings ? 'model.decoder.embed_tokens.weight' : 'lm_head.weight', [
      config.vocabulary,
      config.embeddingWidth,
    ]),
  }),

  writeFinal(config, writer, x) {
    const normed = config.normPlacement === 'pre' ? applyNorm(config, writer, x, 'norm') : x;
    return config.embeddingWidth === config.hidden
      ? normed
      : writer.graph.linear(normed, writer.parameter('project_out'));
  },
};

function norm(tensor: string, name: string, size: number): Parameter[] {
  return [parameter(name, `${tensor}.weight`, [size]), parameter(`${name}.bias`, `${tensor}.bias`, [size])];
}

function applyNorm(config: ModelConfig, writer: ParameterWriter | BlockWriter, x: Value, name: string): Value {
  return writer.graph.layerNorm(x, writer.parameter(name), writer.parameter(`${name}.bias`), config.norm.epsilon);
}
