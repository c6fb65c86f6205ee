import type { MetricCandidate, CandidateOutcome } from '../../../src/search/metrics/events.ts';
import { formulaOf } from './formulas.ts';
import { OPERATORS } from '../common/words.ts';

/** What the table of candidates shows, and in which order. */
export interface TableQuery {
  /** Part of a formula, an operator's name, or `#12`; case does not matter. */
  readonly text: string;
  readonly outcome: CandidateOutcome['kind'] | 'any';
  readonly sort: SortKey;
  readonly descending: boolean;
}

export type SortKey = 'id' | 'formula' | 'perplexity' | 'size' | 'generation' | 'operator' | 'parents' | 'outcome';

export const DEFAULT_QUERY: TableQuery = { text: '', outcome: 'any', sort: 'perplexity', descending: false };

const OUTCOMES: Readonly<Record<CandidateOutcome['kind'], number>> = { full: 0, stopped: 1, shared: 2, invalid: 3 };

type Comparison = (a: MetricCandidate, b: MetricCandidate) => number;

const COMPARISONS: Readonly<Record<SortKey, Comparison>> = {
  id: (a, b) => a.id - b.id,
  formula: (a, b) => compareText(formulaOf(a), formulaOf(b)),
  // Among equal ones those that were evaluated come before those that share; invalid ones have none and stand last.
  perplexity: (a, b) =>
    compareNumbers(perplexityOf(a), perplexityOf(b)) || OUTCOMES[a.outcome.kind] - OUTCOMES[b.outcome.kind],
  size: (a, b) => a.size - b.size,
  generation: (a, b) => a.generation - b.generation,
  operator: (a, b) => compareText(OPERATORS[a.operator], OPERATORS[b.operator]),
  parents: (a, b) => (a.parents[0] ?? -1) - (b.parents[0] ?? -1),
  outcome: (a, b) => OUTCOMES[a.outcome.kind] - OUTCOMES[b.outcome.kind],
};

/** Ids of the candidates that the query asks for, in its order; equal ones stay in order of id. */
export function queryCandidates(candidates: readonly MetricCandidate[], query: TableQuery): number[] {
  const wanted = query.text.trim().toLowerCase();
  const direction = query.descending ? -1 : 1;
  const compare = COMPARISONS[query.sort];
  return candidates
    .filter(({ outcome }) => query.outcome === 'any' || outcome.kind === query.outcome)
    .filter((candidate) => wanted === '' || matches(candidate, wanted))
    .sort((a, b) => direction * compare(a, b) || a.id - b.id)
    .map(({ id }) => id);
}

function matches(candidate: MetricCandidate, wanted: string): boolean {
  if (wanted.startsWith('#')) {
    const id = Number(wanted.slice(1));
    return candidate.id === id || candidate.parents.includes(id);
  }
  return formulaOf(candidate).toLowerCase().includes(wanted) || OPERATORS[candidate.operator].includes(wanted);
}

function perplexityOf({ outcome }: MetricCandidate): number {
  return outcome.kind === 'invalid' ? Infinity : outcome.perplexity;
}

function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
