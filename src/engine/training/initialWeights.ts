import type { Rng } from '../../base/rng.ts';
import type { ModelConfig } from '../checkpoint/config.ts';
import { sizeOf } from '../graph/shape.ts';
import type { Parameter } from '../models/model.ts';

/** Deviation of the embedding: tied to the head, it must not make the first logits large. */
const EMBEDDING_DEVIATION = 0.02;

/**
 * Where a model begins: norms at 1, linear layers normal with deviation 1 / sqrt(inputs), which keeps the size of what passes through,
 * those that write to the residual stream smaller by sqrt(2 · depth) (GPT-2), since that many of them are added up.
 */
export function initialWeights(parameter: Parameter, { depth }: ModelConfig, rng: Rng): Float32Array {
  const weights = new Float32Array(sizeOf(parameter.shape));
  if (parameter.shape.length === 1) return weights.fill(1);
  const deviation = deviationOf(parameter, depth);
  for (let i = 0; i < weights.length; i++) weights[i] = deviation * rng.normal();
  return weights;
}

function deviationOf({ name, shape, linear }: Parameter, depth: number): number {
  if (!linear) return EMBEDDING_DEVIATION;
  const writesResidual = /\.(o_proj|down_proj)$/.test(name);
  return 1 / Math.sqrt(shape[1]! * (writesResidual ? 2 * depth : 1));
}
