import { fitnessOfLoss, measuredFitness, objectiveOf } from '../lifecycle/objective.ts';
import type { Objective } from '../lifecycle/objective.ts';
import { statisticsOf } from '../lifecycle/statisticsOf.ts';
import type { Evaluated } from './candidate.ts';
import type { MetricGeneration } from './events.ts';
import type { Knowledge } from './knowledge.ts';
import type { SearchContext } from './searchContext.ts';

/** What is told of a generation that is through. @param evaluated its candidates */
export function generationEvent(
  generation: number,
  evaluated: readonly Evaluated[],
  { knowledge, options }: Pick<SearchContext, 'knowledge' | 'options'>,
): MetricGeneration {
  const objective = objectiveOf(options.opening);
  const losses = evaluated.map(({ loss }) => loss).filter(Number.isFinite);
  return {
    kind: 'generation',
    generation,
    ...statisticsOf(
      losses,
      losses.map((loss) => fitnessOfLoss(loss, objective)),
      objective,
    ),
    bestSoFar: bestSoFar(knowledge, objective),
    counts: knowledge.counts,
  };
}

function bestSoFar({ leaders }: Knowledge, objective: Objective): MetricGeneration['bestSoFar'] {
  const best = leaders[0]?.candidate;
  return best === undefined
    ? null
    : { id: best.id, ...measuredFitness(fitnessOfLoss(best.loss, objective), objective) };
}
