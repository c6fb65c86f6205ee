import type { SearchMethod } from './kinds.ts';

/** What methods are called for a person. */
export const METHOD_TITLES: Readonly<Record<SearchMethod, string>> = {
  'pruner-zero': 'Pruner-Zero',
  random: 'Random search',
  'self-pruner': 'Self-Pruner',
  'policy-gradient': 'Policy gradient',
};
