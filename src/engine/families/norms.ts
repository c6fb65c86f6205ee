import type { Value } from '../graph/graph.ts';
import { parameter } from './blockParts.ts';
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
