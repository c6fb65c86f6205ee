import type { ComponentsOpening, MeasureOutcome } from '../lifecycle/events.ts';
import { fitnessOfLoss, lossOfFitness } from '../lifecycle/objective.ts';
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
  /** Nats per token on the whole fitness text. */
  readonly loss: number;
  readonly fitness: number;
}

/** All blocks of the fitness text. */
export function wholeText({ blocks }: ComponentsOpening): Rung {
  return { index: 0, begin: 0, end: blocks };
}

/** @returns the loss, or why there is none */
export function readMeasure(
  answer: MeasureOutcome,
  objective: Objective,
): { readonly loss: number; readonly fitness: number } | string {
  if (answer.kind === 'invalid') return answer.detail;
  const fitness = fitnessOfLoss(answer.loss, objective);
  return Number.isFinite(fitness) ? { loss: answer.loss, fitness } : `its loss is ${answer.loss}`;
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
