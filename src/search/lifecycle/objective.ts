import type { ValueOf } from '../../experiment/settingRow.ts';
import type { Measured } from './events.ts';
import type { OBJECTIVE_SETTING } from './settings.ts';

/**
 * What a search minimises. Its losses are in nats per predicted token: the cross-entropy with the fitness text, or KL(dense ‖ candidate) of
 * the next-token distributions on it, averaged over the tokens (the default of EvoPress, Sieberling et al. 2024). The fitness is
 * what is shown of that: e to the cross-entropy, which is the perplexity, or the divergence itself. The lower of two losses has the lower
 * fitness.
 */
export type Objective = ValueOf<typeof OBJECTIVE_SETTING>;

/** Which of the two a search has, by its opening; journals of before there was a choice say nothing. */
export function objectiveOf(opening: { readonly objective?: 'kl' } | undefined): Objective {
  return opening?.objective ?? 'perplexity';
}

/** What its fitness is called: journals of searches by perplexity have the word. */
export const FITNESS_NOUNS: Readonly<Record<Objective, string>> = { perplexity: 'perplexity', kl: 'divergence' };

/** The fitness of a mean loss. */
export function fitnessOfLoss(loss: number, objective: Objective): number {
  return objective === 'kl' ? loss : Math.exp(loss);
}

/** The mean loss of a fitness, in nats a token. */
export function lossOfFitness(fitness: number, objective: Objective): number {
  return objective === 'kl' ? fitness : Math.log(fitness);
}

/** A fitness as events have it, in the words of its objective. */
export function measuredFitness(fitness: number, objective: Objective): Measured {
  return objective === 'kl' ? { kl: fitness } : { perplexity: fitness };
}

/** A fitness, named by what it is; null where it was not finite. */
export interface AnyFitness {
  readonly perplexity?: number | null;
  readonly kl?: number | null;
}

/** The fitness alone, in the words of its objective; undefined where there is none, or it was not finite. */
export function measuredIn(measured: object): Measured | undefined {
  const { perplexity, kl }: AnyFitness = measured;
  if (typeof kl === 'number') return { kl };
  return typeof perplexity === 'number' ? { perplexity } : undefined;
}

/** The fitness that an event has, whatever the objective; undefined where it has none. */
export function fitnessIn({ perplexity, kl }: AnyFitness): number | undefined {
  return perplexity ?? kl ?? undefined;
}
