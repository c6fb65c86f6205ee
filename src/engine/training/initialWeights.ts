import type { Rng } from '../../base/rng.ts';
import type { ModelConfig } from '../checkpoint/config.ts';
import { sizeOf } from '../graph/shape.ts';
import type { Parameter } from '../models/model.ts';

/** Deviation of the embedding and of matrices that read the residual stream. */
const DEVIATION = 0.02;

/** Where a model begins: norms at 1, matrices normal, those that write to the residual stream smaller by sqrt(2 · depth) (GPT-2). */
export function initialWeights(parameter: Parameter, { depth }: ModelConfig, rng: Rng): Float32Array {
  const weights = new Float32Array(sizeOf(parameter.shape));
  if (parameter.shape.length === 1) return weights.fill(1);
  const writesResidual = /\.(o_proj|down_proj)$/.test(parameter.name);
  const deviation = writesResidual ? DEVIATION / Math.sqrt(2 * depth) : DEVIATION;
  for (let i = 0; i < weights.length; i++) weights[i] = deviation * rng.normal();
  return weights;
}
