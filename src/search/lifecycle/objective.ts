import type { ValueOf } from '../../experiment/settingRow.ts';
import type { Measured, SearchOpening } from './events.ts';
import type { OBJECTIVE_SETTING } from './settings.ts';

/**
 * What a search minimises. Its losses are in nats: per predicted token the cross-entropy with the fitness text, or KL(dense ‖ candidate) of
 * the next-token distributions on it, averaged over the tokens (the default of EvoPress, Sieberling et al. 2024); or per document of the
 * plan's tasks the cross-entropy of its choices with the right one. The fitness is what is shown of that: e to the cross-entropy with the
 * text, which is the perplexity, or the loss itself. The lower of two losses has the lower fitness.
 */
export type Objective = ValueOf<typeof OBJECTIVE_SETTING>;

/** Which of them a search has, by its opening; journals of before there was a choice say nothing. */
export function objectiveOf(opening: { readonly objective?: Exclude<Objective, 'perplexity'> } | undefined): Objective {
  return opening?.objective ?? 'perplexity';
}

/** What its fitness is called: journals of searches by perplexity have the word. */
export const FITNESS_NOUNS: Readonly<Record<Objective, string>> = {
  perplexity: 'perplexity',
  kl: 'divergence',
  tasks: 'loss on the tasks',
};

/** The word that events and tables have it under. */
export const FITNESS_FIELDS = { perplexity: 'perplexity', kl: 'kl', tasks: 'taskLoss' } as const satisfies Record<
  Objective,
  string
>;

/** The fitness of a mean loss. */
export function fitnessOfLoss(loss: number, objective: Objective): number {
  return objective === 'perplexity' ? Math.exp(loss) : loss;
}

/** The mean loss of a fitness, in nats. */
export function lossOfFitness(fitness: number, objective: Objective): number {
  return objective === 'perplexity' ? Math.log(fitness) : fitness;
}

/** A fitness as events have it, in the words of its objective. @param accuracy on the tasks, where it is known */
export function measuredFitness(fitness: number, objective: Objective, accuracy?: number): Measured {
  return { [FITNESS_FIELDS[objective]]: fitness, ...(accuracy !== undefined && { accuracy }) };
}

/** A fitness, named by what it is; null where it was not finite. */
export interface AnyFitness {
  readonly perplexity?: number | null;
  readonly kl?: number | null;
  readonly taskLoss?: number | null;
  /** Beside a task loss. */
  readonly accuracy?: number;
}

/** As {@link measuredFitness}, null where it was not finite: of events that are there without one, too. */
export function nullableFitness(fitness: number | null, objective: Objective, accuracy?: number): AnyFitness {
  return { [FITNESS_FIELDS[objective]]: fitness, ...(accuracy !== undefined && { accuracy }) };
}

/** What a measured fitness is, by its word. */
export function objectiveIn({ kl, taskLoss }: AnyFitness): Objective {
  if (kl !== undefined) return 'kl';
  return taskLoss === undefined ? 'perplexity' : 'tasks';
}

/** The fitness alone, in the words of its objective; undefined where there is none, or it was not finite. */
export function measuredIn(measured: AnyFitness): Measured | undefined {
  const fitness = fitnessIn(measured);
  return fitness === undefined ? undefined : measuredFitness(fitness, objectiveIn(measured), measured.accuracy);
}

/** The fitness that an event has, whatever the objective; undefined where it has none. */
export function fitnessIn({ perplexity, kl, taskLoss }: AnyFitness): number | undefined {
  return perplexity ?? kl ?? taskLoss ?? undefined;
}

/** The mean of the accuracies on the tasks, of what was measured on all their documents; undefined where tasks are not the objective. */
export function accuracyOf({
  right,
  blocks,
}: {
  readonly right?: number;
  readonly blocks: number;
}): number | undefined {
  // Weights add up to their number but for rounding.
  return right === undefined ? undefined : Math.min(1, right / blocks);
}

/** The dense model's fitness; undefined of a divergence, which is one from it by itself. */
export function denseFitness(
  opening: Pick<SearchOpening, 'objective' | 'densePerplexity' | 'denseTaskLoss'> | undefined,
): number | undefined {
  if (opening?.objective === 'kl') return undefined;
  return opening?.objective === 'tasks' ? opening.denseTaskLoss : opening?.densePerplexity;
}
