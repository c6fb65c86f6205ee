import type {
  BaselineEvent,
  Candidate,
  CandidateEvent,
  FinalistEvent,
  GenerationEvent,
  SearchCounts,
  SearchEvent,
  SearchOpening,
} from './events.ts';
import { foldBreak, newTimes, tick } from '../lifecycle/state.ts';
import type { StateBase, StateTimes } from '../lifecycle/state.ts';

export type { SearchStatus } from '../lifecycle/state.ts';

/**
 * All that is known of a search from its events. It grows in place, so that tens of thousands of events fold in an instant:
 * whoever shows it compares {@link StateBase.revision}.
 */
export interface SearchState extends StateBase {
  readonly opening: SearchOpening | undefined;
  readonly baselines: readonly BaselineEvent[];
  /** In the order of the events. */
  readonly candidates: readonly Candidate[];
  readonly byId: ReadonlyMap<number, Candidate>;
  readonly generations: readonly GenerationEvent[];
  /** Up to now, within a generation too. */
  readonly counts: SearchCounts;
  /** Each new best in full, with the work that had been done by then; the last one is the best. */
  readonly improvements: readonly Improvement[];
  /** Evaluated again at the end, baselines among them. */
  readonly finalists: readonly FinalistEvent[];
  /** Ids, best first; empty until the search is finished. */
  readonly ranking: readonly number[];
  readonly times: SearchTimes;
}

export interface Improvement {
  readonly id: number;
  readonly generation: number;
  readonly perplexity: number;
  /** In units of the whole fitness text. */
  readonly evaluations: number;
}

export interface SearchTimes extends StateTimes {
  /** Work until the end of each generation, in the order of {@link SearchState.generations}. */
  readonly generationEnds: readonly number[];
}

export function newSearchState(): SearchState {
  const counts = { candidates: 0, invalid: 0, duplicates: 0, stoppedEarly: 0, fullEvaluations: 0, evaluations: 0 };
  const state: Growing<SearchState> = {
    revision: 0,
    status: 'starting',
    opening: undefined,
    baselines: [],
    candidates: [],
    byId: new Map(),
    generations: [],
    counts,
    improvements: [],
    quarantined: [],
    finalists: [],
    ranking: [],
    error: undefined,
    times: { ...newTimes(), generationEnds: [] },
  };
  return state;
}

/**
 * The one fold over a search's events: command line, panel and tree view all have their state from it.
 * @param at when the event was kept, in milliseconds since 1970
 * @returns the same state, grown
 */
export function foldEvent(state: SearchState, event: SearchEvent, at: number): SearchState {
  const growing = state as Growing<SearchState>;
  tick(growing, event.kind, at);
  fold(growing, event);
  return state;
}

/** The best that was evaluated in full, or undefined while there is none. */
export function bestOf({ improvements, byId }: SearchState): Candidate | undefined {
  const last = improvements.at(-1);
  return last && byId.get(last.id);
}

/** On the scale of the whole text; undefined for a candidate that cannot rank. */
export function perplexityOf({ outcome }: Pick<Candidate, 'outcome'>): number | undefined {
  return outcome.kind === 'invalid' ? undefined : outcome.perplexity;
}

/** Whether it, or the candidate whose evaluation it shares, was measured on the whole text. */
export function isComplete({ outcome }: Pick<Candidate, 'outcome'>, { byId }: Pick<SearchState, 'byId'>): boolean {
  return outcome.kind === 'full' || (outcome.kind === 'shared' && byId.get(outcome.of)?.outcome.kind === 'full');
}

type Growing<Type> = {
  -readonly [Key in keyof Type]: Type[Key] extends readonly (infer Item)[]
    ? Item[]
    : Type[Key] extends ReadonlyMap<infer K, infer V>
      ? Map<K, V>
      : Type[Key] extends SearchCounts | SearchTimes
        ? Growing<Type[Key]>
        : Type[Key];
};

function fold(state: Growing<SearchState>, event: SearchEvent): void {
  switch (event.kind) {
    case 'opened':
      state.opening = event;
      state.status = 'running';
      return;
    case 'baseline':
      state.baselines.push(event);
      return;
    case 'probed':
      return;
    case 'measured':
      // Baselines, below zero, are no work of the search.
      if (event.id >= 0 && event.measure.kind === 'loss' && state.opening !== undefined) {
        state.counts.evaluations += event.measure.blocks / state.opening.blocks;
      }
      return;
    case 'candidate':
      foldCandidate(state, event);
      return;
    case 'generation':
      state.generations.push(event);
      state.counts = { ...event.counts };
      state.times.generationEnds.push(state.times.worked);
      return;
    case 'finalist':
      state.finalists.push(event);
      return;
    case 'quarantined':
      state.quarantined.push(event);
      return;
    case 'resumed':
    case 'paused':
    case 'failed':
      foldBreak(state, event);
      return;
    case 'finished':
      state.status = 'finished';
      state.counts = { ...event.counts };
      state.ranking = [...event.best];
      return;
  }
}

function foldCandidate(state: Growing<SearchState>, candidate: CandidateEvent): void {
  state.candidates.push(candidate);
  state.byId.set(candidate.id, candidate);
  const { id, generation, outcome } = candidate;
  state.counts.candidates++;
  state.counts[COUNTS[outcome.kind]]++;
  if (outcome.kind !== 'full') return;
  const best = state.improvements.at(-1)?.perplexity ?? Infinity;
  const { perplexity } = outcome;
  const { evaluations } = state.counts;
  if (perplexity < best) state.improvements.push({ id, generation, perplexity, evaluations });
}

const COUNTS = {
  full: 'fullEvaluations',
  stopped: 'stoppedEarly',
  shared: 'duplicates',
  invalid: 'invalid',
} as const;
