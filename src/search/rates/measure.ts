import type { ComponentsOpening, MeasureOutcome } from '../lifecycle/events.ts';
import { accuracyOf, fitnessOfLoss, lossOfFitness } from '../lifecycle/objective.ts';
import type { Objective } from '../lifecycle/objective.ts';
import { fitnessOf } from '../lifecycle/outcome.ts';
import type { Rung } from '../lifecycle/rung.ts';
import { statisticsOf } from '../lifecycle/statisticsOf.ts';
import type { Configuration } from './configuration.ts';
import type { RateCandidate, RateGeneration } from './events.ts';

/** A configuration that has a finite loss. */
export interface MeasuredRates extends Configuration {
  /** Of a baseline below 0. */
  readonly id: number;
  /** Nats per token on the whole fitness text, or per document. */
  readonly loss: number;
  readonly fitness: number;
  /** On the tasks, where they are the objective. */
  readonly accuracy?: number;
}

/** All blocks of the fitness text. */
export function wholeText({ blocks }: ComponentsOpening): Rung {
  return { index: 0, begin: 0, end: blocks };
}

/** @returns the loss, or why there is none; the accuracy is of the blocks that were measured */
export function readMeasure(
  answer: MeasureOutcome,
  objective: Objective,
): Pick<MeasuredRates, 'loss' | 'fitness' | 'accuracy'> | string {
  if (answer.kind === 'invalid') return answer.detail;
  const fitness = fitnessOfLoss(answer.loss, objective);
  if (!Number.isFinite(fitness)) return `its loss is ${answer.loss}`;
  const accuracy = accuracyOf(answer);
  return { loss: answer.loss, fitness, ...(accuracy !== undefined && { accuracy }) };
}

/** Of the valid configurations of a generation. */
export function statisticsOfRates(
  candidates: readonly RateCandidate[],
  objective: Objective,
): Pick<RateGeneration, 'best' | 'mean' | 'worst'> {
  const fitness = candidates.flatMap((each) => fitnessOf(each) ?? []).sort((a, b) => a - b);
  const losses = fitness.map((one) => lossOfFitness(one, objective));
  return statisticsOf(losses, fitness, objective);
}
