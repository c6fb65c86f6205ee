import type { SearchConflict } from '../conflict.ts';
import { takesProposals } from './settings.ts';
import type { MetricSearchSettings } from './settings.ts';

/** Looks whether a search's settings go together; flags and `.prune` files are both checked by it. */
export function searchConflict({
  population,
  elites,
  crossover,
  mutation,
  evolution,
  proposals,
  method,
}: MetricSearchSettings): SearchConflict | undefined {
  // Decimal shares do not add up exactly: 0.7 + 0.3 may be more than 1 by rounding.
  if (crossover + mutation > 1 + 1e-9) {
    const sum = Number((crossover + mutation).toPrecision(6));
    return {
      settings: ['crossover', 'mutation'],
      message: `\`crossover\` and \`mutation\` are shares of the offspring, together at most 1, not ${sum}`,
      value: Number((1 - crossover).toPrecision(6)),
    };
  }
  if (elites >= population) {
    return {
      settings: ['population', 'elites'],
      message: `of a population of ${population} not ${elites} can be \`elites\`: nothing would change any more`,
      value: Math.floor(population / 10),
    };
  }
  if (evolution === 'steady-state' && takesProposals({ method, proposals })) {
    return {
      settings: ['evolution', 'proposals'],
      message: 'a language model proposes for a whole generation, and `evolution: steady-state` has none',
      value: 0,
    };
  }
  return undefined;
}
