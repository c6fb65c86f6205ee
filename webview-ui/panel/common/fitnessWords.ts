import type { SearchOpening } from '../../../src/search/lifecycle/events.ts';
import { FITNESS_WORDS, fitnessText, formatFitness } from '../../../src/search/lifecycle/fitnessText.ts';
import { denseFitness, objectiveOf } from '../../../src/search/lifecycle/objective.ts';
import { against } from './words.ts';

/** The best of a search: `best 151.6 (+5.8 % against dense, 143.3)`, `best KL 0.1234`, which is against dense by itself. */
export function bestWords(fitness: number, opening: SearchOpening | undefined): string {
  const objective = objectiveOf(opening);
  return objective === 'kl'
    ? `best ${fitnessText(fitness, objective)}`
    : `best ${FITNESS_WORDS[objective].short} ${against(fitness, 'dense', denseFitness(opening))}`.replace('  ', ' ');
}

/** What a chart of fitness shows. */
export function fitnessValues(opening: SearchOpening | undefined): {
  title: string;
  format: (value: number) => string;
} {
  const objective = objectiveOf(opening);
  return { title: FITNESS_WORDS[objective].name, format: (value) => formatFitness(value, objective) };
}

/** The same as a heading begins. */
export function fitnessTitle(opening: SearchOpening | undefined): string {
  const name = fitnessName(opening);
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** The same over a column of a table, which is narrow. */
export function fitnessColumn(opening: SearchOpening | undefined): string {
  return FITNESS_WORDS[objectiveOf(opening)].short || fitnessName(opening);
}

/** What the fitness of a search is called: `perplexity`. */
export function fitnessName(opening: SearchOpening | undefined): string {
  return FITNESS_WORDS[objectiveOf(opening)].name;
}
