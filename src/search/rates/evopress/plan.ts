import type { RateSearchPlan } from '../plan.ts';
import type { EvoPressSettings } from './settings.ts';

/** A search by EvoPress. */
export type EvoPressPlan = RateSearchPlan & { readonly search: EvoPressSettings };

/** Whether attention and MLP layers go as a whole. Rates follow from these then, and the target says only what the baselines prune. */
export function dropsLayers({ search }: Pick<RateSearchPlan, 'search'>): boolean {
  return search.method === 'evopress' && search.drop === 'sublayers';
}
