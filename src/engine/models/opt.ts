import { blockShape, hasMlpOutputBias, type ModelConfig } from '../checkpoint/config.ts';
import type { Value } from '../graph/graph.ts';
import { activation, addBias, linearWeight, parameter, variantOf } from './blockParts.ts';
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
    const { hidden, headDim, bias, normPlacement } = config;
    const shape = blockShape(config, index);
    const { heads, intermediate } = shape;
    const width = heads * headDim;
    // A norm after the residual sum stays when its branch is gone.
    const after = normPlacement === 'post';
    const prefix = `model.decoder.layers.${index}`;
    const linear = (name: string, out: number, input: number, biased: boolean): Parameter[] => [
      ...linearWeight(name, `${prefix}.${name}.weight`, [out, input]),
      ...(biased ? [parameter(`${name}.bias`, `${prefix}.${name}.bias`, [out])] : []),
    ];
    const inputs = ['q_proj', 'k_proj', 'v_proj'].flatMap((name) =>
      linear(`self_attn.${name}`, width, hidden, bias.queryKeyValue),
    );
    return {
      variant: variantOf(config, index),
      window: undefined,
      shape,
      parameters: [
        ...(heads > 0 || after ? norm(`${prefix}.self_attn_layer_norm`, 'self_attn_layer_norm', hidden) : []),
        ...(heads > 0 ? inputs : []),
        ...linear('self_attn.out_proj', hidden, width, bias.attentionOutput),
        ...(intermediate > 0 || after ? norm(`${prefix}.final_layer_norm`, 'final_layer_norm', hidden) : []),
        ...(intermediate > 0 ? linear('fc1', intermediate, hidden, bias.mlp) : []),
        ...linear('fc2', hidden, intermediate, hasMlpOutputBias(config)),
      ],
    };
  },

  writeBlock(config, writer, x) {
    const { bias, normPlacement } = config;
    const { heads, intermediate } = writer.shape;
    const attend = (input: Value): Value => {
      const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) =>
        writer.linear(`self_attn.${name}`, input, bias.queryKeyValue),
      );
      const mixed = writer.attention(query!, key!, value!);
      return writer.linear('self_attn.out_proj', mixed, bias.attentionOutput);
    };
    const feedForward = (input: Value): Value => {
      const inner = activation(config, writer, writer.linear('fc1', input, bias.mlp));
      return writer.linear('fc2', writer.channels(inner), hasMlpOutputBias(config));
    };
    const residual = (input: Value, name: string, add: (branchInput: () => Value) => Value): Value => {
      if (normPlacement === 'pre') return add(() => applyNorm(config, writer, input, name));
      const sum = add(() => input);
      return applyNorm(config, writer, sum, name);
    };
    const middle = residual(x, 'self_attn_layer_norm', (input) =>
      heads > 0 ? writer.graph.add(x, attend(input())) : addBias(writer, x, 'self_attn.out_proj', bias.attentionOutput),
    );
    return residual(middle, 'final_layer_norm', (input) =>
      intermediate > 0
        ? writer.graph.add(middle, feedForward(input()))
        : addBias(writer, middle, 'fc2', hasMlpOutputBias(config)),
    );
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
