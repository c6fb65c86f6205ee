import type { RateCandidate } from '../../../src/search/rates/events.ts';
import { compare, queryCandidates } from '../common/candidateQuery.ts';
import type { CandidateQuery, CommonKey } from '../common/candidateQuery.ts';
import { OUTCOMES } from '../common/words.ts';
import { RATE_OPERATORS } from './rateWords.ts';

export type ConfigurationKey = CommonKey | 'rates' | 'operator' | 'repaired';

/** Looked for is a part of an operator's name, `repaired`, or `stopped early`. */
export type ConfigurationQuery = CandidateQuery<ConfigurationKey>;

export const DEFAULT_CONFIGURATIONS: ConfigurationQuery = { text: '', sort: 'fitness', descending: false };

/** Ids of the configurations that the query asks for, in its order. */
export function queryConfigurations(all: readonly RateCandidate[], query: ConfigurationQuery): number[] {
  return queryCandidates(
    all,
    query,
    {
      // The spread: how far from uniform.
      rates: (a, b) => spreadOf(a.rates) - spreadOf(b.rates),
      operator: (a, b) => compare(RATE_OPERATORS[a.operator], RATE_OPERATORS[b.operator]),
      repaired: (a, b) => Number(b.repaired ?? false) - Number(a.repaired ?? false),
    },
    ({ operator, repaired, outcome }) => [
      `${RATE_OPERATORS[operator]}${repaired ? ' repaired' : ''}`,
      ...(outcome.kind === 'stopped' ? [OUTCOMES.stopped] : []),
    ],
  );
}

function spreadOf(rates: readonly number[]): number {
  return Math.max(...rates) - Math.min(...rates);
}
