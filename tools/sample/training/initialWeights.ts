import type { Rng } from '../../../src/base/rng.ts';
import type { ModelConfig } from '../../../src/engine/families/families.ts';
import { sizeOf } from '../../../src/engine/graph/shape.ts';
import type { Parameter } from '../../../src/engine/families/family.ts';

/** Deviation of matrices. */
const DEVIATION = 0.02;

/** Of the logarithm of a block's norm gains. */
const GAIN_SPREAD = 0.8;

/**
 * Where a model begins: matrices normal, those that write to the residual stream smaller by sqrt(2 · depth) (GPT-2), the last norm
 * at 1, biases at 0. The gains of the blocks' norms are log-normal: features then differ in size from the start, as they come to do by themselves
 * in models a thousand times as large, where a few features are many times as large as the others. Adam moves every weight alike, however
 * small its input is, and so a weight's magnitude alone does not say what it is worth.
 */
export function initialWeights({ name, shape, parts }: Parameter, { depth }: ModelConfig, rng: Rng): Float32Array {
  const weights = new Float32Array(sizeOf(shape));
  if (name === 'norm') return weights.fill(1);
  if (name.endsWith('.bias')) return weights;
  if (shape.length === 1) return weights.map(() => Math.exp(GAIN_SPREAD * rng.normal()));
  const deviation = parts?.axis === 1 ? DEVIATION / Math.sqrt(2 * depth) : DEVIATION;
  return weights.map(() => deviation * rng.normal());
}
