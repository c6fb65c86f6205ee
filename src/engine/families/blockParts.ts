import type { Value } from '../graph/graph.ts';
import { type Activation, blockShape, type FamilyConfig, type Scaling } from './config.ts';
import type { BlockWriter, Parameter, ParameterWriter, Parts, RowOperations } from './family.ts';

// What the families' blocks are written from.

/** Names a block's program among those of its model; sizes are part of it where the blocks differ. */
export function variantOf(config: FamilyConfig, index: number): string {
  const window = config.windows[index];
  const { heads, kvHeads, intermediate, groups } = blockShape(config, index);
  return [
    window === undefined ? 'block' : `block with window ${window}`,
    ...(config.rotations?.[index] === null ? ['without rotation'] : []),
    ...(config.blocks ? [`of ${heads}/${kvHeads} heads and ${intermediate} channels`] : []),
    ...(groups ? [`(groups ${groups.join(' ')})`] : []),
  ].join(' ');
}

export interface LinearOptions {
  readonly biased: boolean;
  /** Components whose values the layer makes, row by row, or reads, column by column. */
  readonly makes?: Parts['of'];
  readonly reads?: Parts['of'];
  /** Lengths of the projections that are one in `makes`, along the outputs. */
  readonly sections?: readonly number[];
  /** The layer that reads the same before it. */
  readonly besides?: string;
  /** Whether the matrix is stored [in, out]. */
  readonly transposed?: boolean;
}

/** The linear layer `name` of the block whose tensors begin with `prefix`: its matrix, where it has inputs and outputs, and its bias. */
export function linearLayer(
  prefix: string,
  name: string,
  shape: readonly [out: number, input: number],
  { biased, makes, reads, sections, besides = name, transposed }: LinearOptions,
): Parameter[] {
  const rows = makes && { parts: { of: makes, axis: 0 as const, ...(sections && { sections }) } };
  const columns = reads && { parts: { of: reads, axis: 1 as const } };
  const tensor = `${prefix}.${name}`;
  const stored = transposed && { transposed };
  const weight = {
    name,
    tensor: `${tensor}.weight`,
    shape,
    linear: true,
    input: besides,
    ...rows,
    ...columns,
    ...stored,
  };
  // The bias of a reader is added once, whatever is read.
  const bias = { ...parameter(`${name}.bias`, `${tensor}.bias`, [shape[0]]), ...rows };
  return [...(shape[0] > 0 && shape[1] > 0 ? [weight] : []), ...(biased ? [bias] : [])];
}

export function parameter(name: string, tensor: string, shape: readonly number[]): Parameter {
  return { name, tensor, shape, linear: false };
}

/** The weight and the bias of a norm. */
export function layerNorm(name: string, tensor: string, size: number): Parameter[] {
  return [parameter(name, `${tensor}.weight`, [size]), parameter(`${name}.bias`, `${tensor}.bias`, [size])];
}

/** Multiplies by a number, and caps. */
export function writeScaling(graph: RowOperations, x: Value, { scale = 1, cap }: Scaling = {}): Value {
  const times = (value: Value, factor: number): Value =>
    factor === 1 ? value : graph.mul(value, graph.constant([factor], []));
  const scaled = times(x, scale);
  return cap === undefined ? scaled : times(graph.tanh(times(scaled, 1 / cap)), cap);
}

export function applyLayerNorm({ normEpsilon }: FamilyConfig, writer: ParameterWriter, x: Value, name: string): Value {
  return writer.graph.layerNorm(x, writer.parameter(name), writer.parameter(`${name}.bias`), normEpsilon);
}

/**
 * Queries, keys and values of a matrix that has them group by group: the queries of its heads, its key, its value.
 *
 * @param fused [rows, groups · (heads of a group + 2) · headDim]
 */
export function splitGroups({ graph, shape }: BlockWriter, fused: Value, headDim: number): [Value, Value, Value] {
  const { heads, kvHeads } = shape;
  const rows = fused.shape[0]!;
  const queries = (heads / kvHeads) * headDim;
  const perGroup = graph.reshape(fused, [rows * kvHeads, queries + 2 * headDim]);
  const part = (begin: number, length: number): Value =>
    graph.reshape(graph.slice(perGroup, 1, begin, begin + length), [rows, kvHeads * length]);
  return [part(0, queries), part(queries, headDim), part(queries + headDim, headDim)];
}

/** The projections of a matrix that has them one after the other, x [rows, sum of the sections] → [rows, section] each. */
export function splitSections({ graph }: BlockWriter, x: Value, sections: readonly number[]): Value[] {
  let end = 0;
  return sections.map((length) => graph.slice(x, 1, end, (end += length)));
}

/**
 * x plus what the linear layer `name` makes of a branch, of the rows that are wanted of the block; where that has lost all its components the layer's bias is left of it.
 *
 * @param branch what the layer reads, where there is any of it
 * @param after what becomes of what the layer makes before it is added
 */
export function addBranch(
  writer: BlockWriter,
  x: Value,
  name: string,
  branch: (() => Value) | undefined,
  after: (made: Value) => Value = (made) => made,
): Value {
  const rows = writer.narrowed(x);
  const made = branch ? writer.linear(name, writer.narrowed(branch())) : writer.bias(name);
  return made ? writer.graph.add(rows, after(made)) : rows;
}

/** transformers' names of the activations there are programs for. */
export const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  relu: 'relu',
  gelu: 'gelu',
  gelu_new: 'gelu-tanh',
  gelu_fast: 'gelu-tanh',
  gelu_pytorch_tanh: 'gelu-tanh',
};

export function activation(config: FamilyConfig, { graph }: ParameterWriter, x: Value): Value {
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
