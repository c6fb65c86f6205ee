import type { MaskSearchSettings } from './masks/settings.ts';
import type { MetricSearchSettings } from './metrics/settings.ts';

/** Settings that are right one by one and wrong together. */
export interface SearchConflict {
  /** Those at fault. */
  readonly settings: readonly [string, string];
  readonly message: string;
  /** A value of the second one that goes with the first. */
  readonly value: number | readonly number[];
}

/** Looks whether a search's settings go together; flags and `.prune` files are both checked by it. */
export function searchConflict({
  population,
  elites,
  crossover,
  mutation,
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
  return undefined;
}

/** The same of a search for masks. */
export function maskSearchConflict({
  centre,
  masks,
}: Pick<MaskSearchSettings, 'centre' | 'masks'>): SearchConflict | undefined {
  if (centre !== 'step' || masks >= 2) return undefined;
  const message = '`centre: step` compares the losses of a step with their mean, which takes two `masks` at least';
  return { settings: ['centre', 'masks'], message, value: 2 };
}
