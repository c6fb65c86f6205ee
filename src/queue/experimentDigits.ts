import { essentialsOf } from '../experiment/parts.ts';
import type { EvaluationResult } from '../experiment/resultSchema.ts';
import { digitsOf } from './wire.ts';

/** {@link digitsOf} what an experiment is opened with: its dense model, evaluated. */
export function digitsOfExperiment(dense: readonly EvaluationResult[]): string {
  return digitsOf(dense.map(essentialsOf));
}
