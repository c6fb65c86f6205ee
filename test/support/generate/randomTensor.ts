import type { Rng } from '../../../src/base/rng.ts';
import type { TensorRole, TensorSpec } from './tensorInventory.ts';

/**
 * Random values for a tensor, scaled by its role so that the model is far from trivial: attention is peaked, every norm and
 * bias matters, logits spread over several nats. A mistake in any of them then moves the perplexity by percents.
 */
export function randomTensor(spec: TensorSpec, rng: Rng): Float32Array {
  const size = spec.shape.reduce((product, extent) => product * extent, 1);
  const draw = DRAW[spec.role](spec.inputs ?? spec.shape.at(-1) ?? 1);
  return Float32Array.from({ length: size }, () => draw(rng));
}

/** Role → distribution, given the number of columns (a weight's input features). */
const DRAW: Record<TensorRole, (columns: number) => (rng: Rng) => number> = {
  embedding: () => normal(0, 1),
  'tied-embedding': (columns) => normal(0, 1.4 / Math.sqrt(columns)),
  position: () => normal(0, 0.4),
  head: (columns) => normal(0, 1.2 / Math.sqrt(columns)),
  // Query times key over √headDim then has a deviation of 1.6²: a few tokens take most of the attention.
  'attention-logit': (columns) => normal(0, 1.6 / Math.sqrt(columns)),
  'residual-input': (columns) => normal(0, 1.2 / Math.sqrt(columns)),
  'residual-output': (columns) => normal(0, 0.9 / Math.sqrt(columns)),
  projection: (columns) => normal(0, 1 / Math.sqrt(columns)),
  // Log-normal: features differ in size by several times, so metrics that weigh inputs rank differently from those that do not.
  norm: () => (rng) => Math.exp(0.5 * rng.normal()),
  'norm-less-one': () => (rng) => Math.exp(0.5 * rng.normal()) - 1,
  bias: () => normal(0.1, 0.4),
};

function normal(mean: number, deviation: number): (rng: Rng) => number {
  return (rng) => mean + deviation * rng.normal();
}
