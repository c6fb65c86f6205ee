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

/** OLMo 2: over all heads together. A head’s part of the weight goes with the head, and what is left is larger for it. */
export const PROJECTION_NORM: QueryKeyNorm = {
  suffix: '_norm',
  parameters: ({ headDim }, name, tensor, heads) => [ofHeads(name, `${tensor}.weight`, [heads * headDim])],
  write: ({ normEpsilon }, writer, x, name) => writer.headsNorm(x, writer.parameter(name), normEpsilon),
};

/** Cohere: layer norms of each head by itself, with weights of its own as the rows of one matrix. */
export const HEAD_ROWS_NORM: QueryKeyNorm = {
  suffix: '_norm',
  parameters: ({ headDim }, name, tensor, heads) => [ofHeads(name, `${tensor}.weight`, [heads, headDim])],
  write: (config, writer, x, name) => eachHead(config, writer, x, writer.parameter(name)),
};

/** StableLM 2: the same, each head’s weight a tensor of its own. */
export const HEAD_LIST_NORM: QueryKeyNorm = {
  suffix: '_layernorm',
  parameters: ({ headDim }, name, tensor, heads) =>
    Array.from({ length: heads }, (_, head) => ({
      name: `${name}.${head}`,
      tensor: `${tensor}.norms.${head}.weight`,
      shape: [headDim],
      linear: false,
      ofHead: { series: name, index: head },
    })),
  write(config, writer, x, name) {
    const heads = x.shape[1]! / config.headDim;
    const weights = Array.from({ length: heads }, (_, head) => writer.parameter(`${name}.${head}`));
    return eachHead(config, writer, x, writer.graph.concat(weights, 0));
  },
};

function ofHeads(name: string, tensor: string, shape: readonly number[]): Parameter {
  return { name, tensor, shape, linear: false, parts: { of: 'groups', axis: 0 } };
}

/** @param weights of all heads, one after the other */
function eachHead(config: FamilyConfig, writer: BlockWriter, x: Value, weights: Value): Value {
  const { graph } = writer;
  const ones = graph.constant([1], [config.headDim]);
  const normed = perHead(config, writer, x, (heads) => graph.layerNorm(heads, ones, undefined, config.normEpsilon));
  return graph.mul(normed, graph.reshape(weights, [1, x.shape[1]!]));
}

/** Writes for x as rows of one head each. */
function perHead({ headDim }: FamilyConfig, { graph }: BlockWriter, x: Value, write: (heads: Value) => Value): Value {
  const [rows, width] = x.shape as [number, number];
  return graph.reshape(write(graph.reshape(x, [(rows * width) / headDim, headDim])), [rows, width]);
}
