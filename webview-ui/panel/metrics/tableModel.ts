import type { MetricCandidate, CandidateOutcome } from '../../../src/search/metrics/events.ts';
import { formulaOf } from './formulas.ts';
import { compare, queryCandidates } from '../common/candidateQuery.ts';
import type { CandidateQuery, CommonKey } from '../common/candidateQuery.ts';
import { OPERATORS } from '../common/words.ts';

export type SortKey = CommonKey | 'formula' | 'size' | 'operator';

/** What the table of candidates shows: what has the text in its formula or in its operator's name, and ended like this. */
export interface TableQuery extends CandidateQuery<SortKey> {
  readonly outcome: CandidateOutcome['kind'] | 'any';
}

export const DEFAULT_QUERY: TableQuery = { text: '', outcome: 'any', sort: 'fitness', descending: false };

/** Ids of the candidates that the query asks for, in its order. */
export function queryMetrics(candidates: readonly MetricCandidate[], asked: TableQuery): number[] {
  return queryCandidates(
    candidates.filter(({ outcome }) => asked.outcome === 'any' || outcome.kind === asked.outcome),
    asked,
    {
      formula: (a, b) => compare(formulaOf(a), formulaOf(b)),
      size: (a, b) => a.size - b.size,
      operator: (a, b) => compare(OPERATORS[a.operator], OPERATORS[b.operator]),
    },
    (candidate) => [formulaOf(candidate), OPERATORS[candidate.operator]],
  );
}
