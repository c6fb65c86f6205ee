import { fitnessIn, nullableFitness, objectiveIn } from '../lifecycle/objective.ts';
import type { ProbabilitiesEvent } from './events.ts';

/** What is said of probabilities beside them. */
export type MaskCheckpoint = Omit<ProbabilitiesEvent, 'kind' | 'values'>;

export function checkpointOf(event: MaskCheckpoint): MaskCheckpoint {
  const { step, baseline, removed, leftOut, accuracy } = event;
  const fitness = nullableFitness(fitnessIn(event) ?? null, objectiveIn(event), accuracy);
  return { step, baseline, ...fitness, removed, leftOut };
}
