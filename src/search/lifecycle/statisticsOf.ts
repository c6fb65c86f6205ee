import { sum } from '../../base/sum.ts';
import type { GenerationEvent } from './events.ts';
import { fitnessOfLoss } from './objective.ts';
import type { Objective } from './objective.ts';

/**
 * Of the valid candidates of a generation; null where it has none. The mean is the fitness of the mean loss: one hopeless
 * candidate does not drown it.
 *
 * @param losses nats per token, estimates among them
 * @param fitness of the same candidates
 */
export function statisticsOf(
  losses: readonly number[],
  fitness: readonly number[],
  objective: Objective,
): Pick<GenerationEvent, 'best' | 'mean' | 'worst'> {
  if (losses.length === 0) return { best: null, mean: null, worst: null };
  return {
    best: fitness.reduce((a, b) => Math.min(a, b)),
    mean: fitnessOfLoss(sum(losses) / losses.length, objective),
    worst: fitness.reduce((a, b) => Math.max(a, b)),
  };
}
