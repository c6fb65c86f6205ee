import type { SelfPrunerSettings } from './settings.ts';

/** How a search by Self-Pruner goes, for a person. */
export function selfPrunerWords({ population, mutations, crossovers, generations }: SelfPrunerSettings): string {
  return `${population} configurations, ${mutations} mutations and ${crossovers} crossovers × ${generations} generations`;
}
