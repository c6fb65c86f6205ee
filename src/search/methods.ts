import type { SettingTable } from '../experiment/settingRow.ts';
import type { SearchKind, SearchMethod } from './kinds.ts';
import { MASK_SEARCH_SETTINGS } from './masks/settings.ts';
import { METRIC_SEARCH_SETTINGS } from './metrics/settings.ts';
import { RATE_SEARCH_SETTINGS } from './rates/settings.ts';

export interface SearchMethodRow {
  readonly finds: SearchKind;
  /** What it is set with; of a method that asks a language model those of that apart. */
  readonly settings: SettingTable;
  /** One line, for `--help`, hover and completion. */
  readonly documentation: string;
}

/** Every way to search: one row each, which drives flags, `.prune` values, completion and hover. */
export const SEARCH_METHODS: Readonly<Record<SearchMethod, SearchMethodRow>> = {
  'pruner-zero': {
    finds: 'metrics',
    settings: METRIC_SEARCH_SETTINGS,
    documentation: 'evolves metrics by genetic programming',
  },
  random: { finds: 'metrics', settings: METRIC_SEARCH_SETTINGS, documentation: 'random metrics with the same budget' },
  'self-pruner': {
    finds: 'rates',
    settings: RATE_SEARCH_SETTINGS,
    documentation: RATE_SEARCH_SETTINGS.method.documentation,
  },
  'policy-gradient': {
    finds: 'masks',
    settings: MASK_SEARCH_SETTINGS,
    documentation: MASK_SEARCH_SETTINGS.method.documentation,
  },
};

export const SEARCH_METHOD_NAMES = Object.keys(SEARCH_METHODS) as readonly SearchMethod[];
export const DEFAULT_SEARCH_METHOD: SearchMethod = 'pruner-zero';

export function isSearchMethod(text: string): text is SearchMethod {
  return Object.hasOwn(SEARCH_METHODS, text);
}
