import type { Rung } from '../lifecycle/rung.ts';
import type { MetricEffects, MetricSearchOptions } from './effects.ts';
import type { Knowledge } from './knowledge.ts';
import type { MetricSearchSettings } from './settings.ts';

/** What all that a search does has in common. */
export interface SearchContext {
  readonly settings: MetricSearchSettings;
  readonly rungs: readonly Rung[];
  readonly knowledge: Knowledge;
  readonly effects: MetricEffects;
  readonly options: MetricSearchOptions;
}
