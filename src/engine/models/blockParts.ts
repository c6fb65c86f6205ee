import { blockShape, type ModelConfig } from '../checkpoint/config.ts';
import type { Value } from '../graph/graph.ts';
import type { BlockWriter, Parameter } from './model.ts';

// What the families' blocks are written from.

/** Names a block's program among those of its model; sizes are part of it where the blocks differ. */
export function variantOf(config: ModelConfig, index: number): string {
  const window = config.windows[index];
  const { heads, kvHeads, intermediate } = blockShape(config, index);
  return [
    window === undefined ? 'block' : `block with window ${window}`,
    ...(config.blocks ? [`of ${heads}/${kvHeads} heads and ${intermediate} channels`] : []),
  ].join(' ');
}

/** The matrix of a linear layer, where it has inputs and outputs. */
export function linearWeight(name: string, tensor: string, shape: readonly [number, number]): Parameter[] {
  return shape[0] > 0 && shape[1] > 0 ? [{ name, tensor, shape, linear: true }] : [];
}

export function parameter(name: string, tensor: string, shape: readonly number[]): Parameter {
  return { name, tensor, shape, linear: false };
}

/** What a linear layer adds whose inputs are all gone. */
export function addBias(writer: BlockWriter, x: Value, linear: string, biased: boolean): Value {
  return biased ? writer.graph.add(x, writer.parameter(`${linear}.bias`)) : x;
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
