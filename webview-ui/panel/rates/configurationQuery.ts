import type { RateCandidate } from '../../../src/search/rates/events.ts';
import { RATE_OPERATORS, perplexityOf } from './rateWords.ts';

export type ConfigurationKey =
  'id' | 'rates' | 'perplexity' | 'generation' | 'operator' | 'parents' | 'repaired' | 'outcome';

export interface ConfigurationQuery {
  /** Part of an operator's name, `repaired`, or `#12` (itself and its children). */
  readonly text: string;
  readonly sort: ConfigurationKey;
  readonly descending: boolean;
}

export const DEFAULT_CONFIGURATIONS: ConfigurationQuery = { text: '', sort: 'perplexity', descending: false };

const OUTCOMES: Readonly<Record<RateCandidate['outcome']['kind'], number>> = { full: 0, shared: 1, invalid: 2 };

const COMPARISONS: Readonly<Record<ConfigurationKey, (a: RateCandidate, b: RateCandidate) => number>> = {
  id: (a, b) => a.id - b.id,
  // The spread: how far from uniform.
  rates: (a, b) => spreadOf(a.rates) - spreadOf(b.rates),
  perplexity: (a, b) =>
    compare(perplexityOf(a) ?? Infinity, perplexityOf(b) ?? Infinity) ||
    OUTCOMES[a.outcome.kind] - OUTCOMES[b.outcome.kind],
  generation: (a, b) => a.generation - b.generation,
  operator: (a, b) => compare(RATE_OPERATORS[a.operator], RATE_OPERATORS[b.operator]),
  parents: (a, b) => (a.parents[0] ?? -1) - (b.parents[0] ?? -1),
  repaired: (a, b) => Number(b.repaired ?? false) - Number(a.repaired ?? false),
  outcome: (a, b) => OUTCOMES[a.outcome.kind] - OUTCOMES[b.outcome.kind],
};

/** Ids of the configurations that the query asks for, in its order; equal ones stay in order of id. */
export function queryConfigurations(all: readonly RateCandidate[], query: ConfigurationQuery): number[] {
  const wanted = query.text.trim().toLowerCase();
  const direction = query.descending ? -1 : 1;
  return all
    .filter((each) => wanted === '' || matches(each, wanted))
    .sort((a, b) => direction * COMPARISONS[query.sort](a, b) || a.id - b.id)
    .map(({ id }) => id);
}

function matches(configuration: RateCandidate, wanted: string): boolean {
  if (wanted.startsWith('#')) {
    const id = Number(wanted.slice(1));
    return configuration.id === id || configuration.parents.includes(id);
  }
  const { operator, repaired } = configuration;
  return `${RATE_OPERATORS[operator]}${repaired ? ' repaired' : ''}`.toLowerCase().includes(wanted);
}

function spreadOf(rates: readonly number[]): number {
  return Math.max(...rates) - Math.min(...rates);
}

function compare<Value extends number | string>(a: Value, b: Value): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
