import type { SettingTable } from '../experiment/settingRow.ts';
import type { RunKind, RunMethod } from './kinds.ts';
import { MASK_SEARCH_SETTINGS } from './masks/settings.ts';
import { SEARCH_SETTINGS } from './metrics/settings.ts';
import { RATE_SEARCH_SETTINGS } from './rates/settings.ts';

export interface SearchMethodRow {
  readonly finds: RunKind;
  /** What it is set with; of a method that asks a language model those of that apart. */
  readonly settings: SettingTable;
  /** One line, for `--help`, hover and completion. */
  readonly documentation: string;
}

/** Every way to search: one row each, which drives flags, `.prune` values, completion and hover. */
export const SEARCH_METHODS: Readonly<Record<RunMethod, SearchMethodRow>> = {
  'pruner-zero': {
    finds: 'metrics',
    settings: SEARCH_SETTINGS,
    documentation: 'evolves metrics by genetic programming',
  },
  random: { finds: 'metrics', settings: SEARCH_SETTINGS, documentation: 'random metrics with the same budget' },
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

export const SEARCH_METHOD_NAMES = Object.keys(SEARCH_METHODS) as readonly RunMethod[];
export const DEFAULT_SEARCH_METHOD: RunMethod = 'pruner-zero';

export function isSearchMethod(text: string): text is RunMethod {
  return Object.hasOwn(SEARCH_METHODS, text);
}
