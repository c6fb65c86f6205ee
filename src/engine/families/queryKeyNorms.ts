import type { Value } from '../graph/graph.ts';
import type { FamilyConfig } from './config.ts';
import type { BlockWriter, Parameter } from './family.ts';
import type { Norm } from './norms.ts';

/** A norm of queries, or of keys, before they are turned. */
export interface QueryKeyNorm {
  /** The last part of its name, behind `q` or `k`. */
  readonly suffix: string;
  /** Of the norm `name` over `heads` heads, whose tensors begin with `tensor`. */
  parameters(config: FamilyConfig, name: string, tensor: string, heads: number): Parameter[];
  /** x [rows, heads · headDim] → like x. */
  write(config: FamilyConfig, writer: BlockWriter, x: Value, name: string): Value;
}

/** Of each head by itself, with one weight for all (Qwen3, Gemma 3): nothing of it goes with a head. */
export function headNorm(norm: Norm): QueryKeyNorm {
  return {
    suffix: '_norm',
    parameters: ({ headDim }, name, tensor) => norm.parameters(name, tensor, headDim),
    write: (config, writer, x, name) => perHead(config, writer, x, (heads) => norm.write(config, writer, heads, name)),
  };
}

/** Writes for x as rows of one head each. */
function perHead({ headDim }: FamilyConfig, { graph }: BlockWriter, x: Value, write: (heads: Value) => Value): Value {
  const [rows, width] = x.shape as [number, number];
  return graph.reshape(write(graph.reshape(x, [(rows * width) / headDim, headDim])), [rows, width]);
}
