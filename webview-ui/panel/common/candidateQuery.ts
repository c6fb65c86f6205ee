import type { Outcome } from '../../../src/search/lifecycle/events.ts';
import { fitnessOf } from '../../../src/search/lifecycle/outcome.ts';
import type { PopulationCandidate } from '../../../src/search/lifecycle/population.ts';

/** What a table of candidates shows, and in which order. */
export interface CandidateQuery<Key extends string> {
  /** A part of what is said of a candidate, or `#12` (itself and its children); case does not matter. */
  readonly text: string;
  readonly sort: Key;
  readonly descending: boolean;
}

type Comparison<Candidate> = (a: Candidate, b: Candidate) => number;

/** Columns that the tables of all kinds have. */
export type CommonKey = 'id' | 'fitness' | 'generation' | 'parents' | 'outcome';

const OUTCOMES: Readonly<Record<Outcome['kind'], number>> = { full: 0, stopped: 1, shared: 2, invalid: 3 };

const COMMON: Readonly<Record<CommonKey, Comparison<PopulationCandidate>>> = {
  id: (a, b) => a.id - b.id,
  // Among equal ones those that were evaluated come before those that share; invalid ones have none and stand last.
  fitness: (a, b) => compare(fitnessOf(a) ?? Infinity, fitnessOf(b) ?? Infinity) || byOutcome(a, b),
  generation: (a, b) => a.generation - b.generation,
  parents: (a, b) => (a.parents[0] ?? -1) - (b.parents[0] ?? -1),
  outcome: byOutcome,
};

/**
 * Ids of the candidates that the query asks for, in its order; equal ones stay in order of id.
 *
 * @param own how to sort by the columns that only this kind has
 * @param wordsOf what is said of a candidate and can be looked for
 */
export function queryCandidates<Candidate extends PopulationCandidate, Own extends string>(
  candidates: readonly Candidate[],
  query: CandidateQuery<CommonKey | Own>,
  own: Readonly<Record<Own, Comparison<Candidate>>>,
  wordsOf: (candidate: Candidate) => readonly string[],
): number[] {
  const wanted = query.text.trim().toLowerCase();
  const direction = query.descending ? -1 : 1;
  const comparisons: Readonly<Record<CommonKey | Own, Comparison<Candidate>>> = { ...COMMON, ...own };
  const compared = comparisons[query.sort];
  const matches = (candidate: Candidate): boolean => {
    if (!wanted.startsWith('#')) return wordsOf(candidate).some((words) => words.toLowerCase().includes(wanted));
    const id = Number(wanted.slice(1));
    return candidate.id === id || candidate.parents.includes(id);
  };
  return candidates
    .filter((candidate) => wanted === '' || matches(candidate))
    .sort((a, b) => direction * compared(a, b) || a.id - b.id)
    .map(({ id }) => id);
}

export function compare<Value extends number | string>(a: Value, b: Value): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function byOutcome(a: PopulationCandidate, b: PopulationCandidate): number {
  return OUTCOMES[a.outcome.kind] - OUTCOMES[b.outcome.kind];
}
