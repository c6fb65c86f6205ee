import type { Rng } from '../../../src/base/rng.ts';
import type { ModelConfig } from '../../../src/engine/checkpoint/config.ts';
import { sizeOf } from '../../../src/engine/graph/shape.ts';
import type { Parameter } from '../../../src/engine/models/model.ts';

/** Deviation of matrices. */
const DEVIATION = 0.02;

/** Of the logarithm of a block's norm gains. */
const GAIN_SPREAD = 0.8;

/**
 * Where a model begins: matrices normal, those that write to the residual stream smaller by sqrt(2 · depth) (GPT-2), the last norm
 * at 1. The gains of the blocks' norms are log-normal: features then differ in size from the start, as they come to do by themselves
 * in models a thousand times as large, where a few features are many times as large as the others. Adam moves every weight alike, however
 * small its input is, and so a weight's magnitude alone does not say what it is worth.
 */
export function initialWeights({ name, shape }: Parameter, { depth }: ModelConfig, rng: Rng): Float32Array {
  const weights = new Float32Array(sizeOf(shape));
  if (name === 'norm') return weights.fill(1);
  if (shape.length === 1) return weights.map(() => Math.exp(GAIN_SPREAD * rng.normal()));
  const writesResidual = /\.(o_proj|down_proj)$/.test(name);
  const deviation = writesResidual ? DEVIATION / Math.sqrt(2 * depth) : DEVIATION;
  return weights.map(() => deviation * rng.normal());
}
