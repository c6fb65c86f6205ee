import { MASK_SEARCH_SETTINGS } from './masks/plan.ts';
import { RATE_SEARCH_SETTINGS } from './rates/plan.ts';
import type { RunKind, RunMethod } from './kinds.ts';

export interface SearchMethodRow {
  readonly finds: RunKind;
  /** One line, for `--help`, hover and completion. */
  readonly documentation: string;
}

/** Every way to search: one row each, which drives flags, `.prune` values, completion and hover. */
export const SEARCH_METHODS: Readonly<Record<RunMethod, SearchMethodRow>> = {
  'pruner-zero': { finds: 'metrics', documentation: 'evolves metrics by genetic programming' },
  random: { finds: 'metrics', documentation: 'random metrics with the same budget' },
  'self-pruner': { finds: 'rates', documentation: RATE_SEARCH_SETTINGS.method.documentation },
  'policy-gradient': { finds: 'masks', documentation: MASK_SEARCH_SETTINGS.method.documentation },
};

export const SEARCH_METHOD_NAMES = Object.keys(SEARCH_METHODS) as readonly RunMethod[];
export const DEFAULT_SEARCH_METHOD: RunMethod = 'pruner-zero';

export function isSearchMethod(text: string): text is RunMethod {
  return Object.hasOwn(SEARCH_METHODS, text);
}
