import type { MetricSearchSettings } from './settings.ts';

/** How many candidates a generation has: the elites are a part of it, and evaluated already. @param generation counts from 0 */
export function generationSize(
  generation: number,
  { population, elites }: Pick<MetricSearchSettings, 'population' | 'elites'>,
): number {
  return generation === 0 ? population : Math.max(1, population - elites);
}

/** How many candidates a search has that no budget ends. */
export function candidatesOf(settings: Pick<MetricSearchSettings, 'population' | 'elites' | 'generations'>): number {
  return generationSize(0, settings) + (settings.generations - 1) * generationSize(1, settings);
}
