import type { SearchOpening } from '../../search/lifecycle/events.ts';
import { FITNESS_WORDS, formatFitness } from '../../search/lifecycle/fitnessText.ts';
import { denseFitness, fitnessIn, objectiveOf } from '../../search/lifecycle/objective.ts';
import type { AnyFitness } from '../../search/lifecycle/objective.ts';

/** A column of what a search has chosen by, beside the perplexities that everything has at its end. */
export interface ChosenBy<Finalist> {
  /** Its heading. */
  readonly name: string;
  readonly of: (finalist: Finalist) => string;
  readonly dense: string;
}

/** @returns undefined where perplexity is what it has chosen by */
export function chosenBy<Finalist>(
  opening: SearchOpening | undefined,
  measured: (finalist: Finalist) => AnyFitness | undefined,
): ChosenBy<Finalist> | undefined {
  const objective = objectiveOf(opening);
  if (objective === 'perplexity') return undefined;
  const text = (fitness: number | undefined): string =>
    fitness === undefined ? '–' : formatFitness(fitness, objective);
  return {
    name: FITNESS_WORDS[objective].name,
    of: (finalist) => text(fitnessIn(measured(finalist) ?? {})),
    dense: text(objective === 'kl' ? 0 : denseFitness(opening)),
  };
}
