import type { Value } from '../graph/graph.ts';
import { layerNorm, parameter } from './blockParts.ts';
import type { FamilyConfig } from './config.ts';
import type { Parameter, ParameterWriter } from './family.ts';

/** A norm with the config's epsilon: its tensors, and how it is written. */
export interface Norm {
  /** Of the norm `name` over `size` features, whose tensors begin with `tensor`. */
  parameters(name: string, tensor: string, size: number): Parameter[];
  /** x [… size] → like x. */
  write(config: FamilyConfig, writer: ParameterWriter, x: Value, name: string): Value;
}

const weightAlone: Norm['parameters'] = (name, tensor, size) => [parameter(name, `${tensor}.weight`, [size])];

/** x · rsqrt(mean(x²) + ε) · weight (Zhang and Sennrich 2019). */
export const RMS_NORM: Norm = {
  parameters: weightAlone,
  write: ({ normEpsilon }, writer, x, name) => writer.graph.rmsNorm(x, writer.parameter(name), normEpsilon),
};

/** Gemma: what is stored is the weight less one. */
export const RMS_NORM_PLUS_ONE: Norm = {
  parameters: weightAlone,
  write: ({ normEpsilon }, writer, x, name) =>
    writer.graph.rmsNorm(x, writer.graph.add(writer.parameter(name), writer.graph.constant([1], [])), normEpsilon),
};

/** (x − mean) / sqrt(variance + ε) · weight + bias (Ba et al. 2016). */
export const LAYER_NORM: Norm = {
  parameters: layerNorm,
  write: ({ normEpsilon }, writer, x, name) =>
    writer.graph.layerNorm(x, writer.parameter(name), writer.parameter(`${name}.bias`), normEpsilon),
};

/** Cohere: the same without a bias. */
export const LAYER_NORM_UNBIASED: Norm = {
  parameters: weightAlone,
  write: ({ normEpsilon }, writer, x, name) =>
    writer.graph.layerNorm(x, writer.parameter(name), undefined, normEpsilon),
};
