import type { EveryRunsEvent, FinalistEvent, GenerationEvent, Outcome, SearchOpening } from './events.ts';
import { isComplete, fitnessOf } from './outcome.ts';
import { emptyState, foldLifecycle } from './state.ts';
import type { GrowingLifecycle, SearchState, StateTimes } from './state.ts';

/** What a population is made of, as far as every kind of search that evolves one has it. */
export interface PopulationCandidate {
  readonly id: number;
  readonly generation: number;
  readonly operator: string;
  /** Ids of the candidates that it was made of. */
  readonly parents: readonly number[];
  readonly outcome: Outcome;
}

/** What is known of a search that evolves a population. */
export interface PopulationState<
  Candidate extends PopulationCandidate,
  Counts,
  Opening = SearchOpening,
  Baseline = unknown,
  Finalist = FinalistEvent,
> extends SearchState<Opening, Finalist> {
  readonly baselines: readonly Baseline[];
  /** In the order of the events. */
  readonly candidates: readonly Candidate[];
  readonly byId: ReadonlyMap<number, Candidate>;
  readonly generations: readonly (GenerationEvent & { readonly counts: Counts })[];
  /** Up to now, within a generation too. */
  readonly counts: Counts;
  /** Each new best, with the work that had been done by then; the last one is the best. */
  readonly improvements: readonly Improvement<Candidate['operator']>[];
  /** Ids, best first; empty until the search is finished. */
  readonly ranking: readonly number[];
  readonly times: StateTimes & {
    /** Work until the end of each generation. */
    readonly generationEnds: readonly number[];
  };
}

export interface Improvement<Operator = string> {
  readonly id: number;
  readonly generation: number;
  readonly operator: Operator;
  readonly fitness: number;
  /** In units of the whole fitness text. */
  readonly evaluations: number;
}

export function emptyPopulation() {
  const state = emptyState();
  return {
    ...state,
    ...{
      baselines: [],
      candidates: [],
      byId: new Map<number, never>(),
      generations: [],
      improvements: [],
      ranking: [],
    },
    times: { ...state.times, generationEnds: [] },
  };
}

interface GrowingPopulation<
  Candidate extends PopulationCandidate,
  Counts,
  Opening,
  Baseline,
  Finalist,
> extends GrowingLifecycle<Opening, Finalist> {
  counts: Counts;
  ranking: number[];
  readonly baselines: Baseline[];
  readonly candidates: Candidate[];
  readonly byId: Map<number, Candidate>;
  readonly generations: (GenerationEvent & { readonly counts: Counts })[];
  readonly improvements: Improvement<Candidate['operator']>[];
  readonly times: { readonly worked: number; readonly generationEnds: number[] };
}

type PopulationEvent<Candidate, Counts, Opening, Baseline, Finalist> =
  | EveryRunsEvent
  | (Opening & { readonly kind: 'opened' })
  | (Baseline & { readonly kind: 'baseline' })
  | (Candidate & { readonly kind: 'candidate' })
  | (GenerationEvent & { readonly counts: Counts })
  | Finalist
  | { readonly kind: 'finished'; readonly counts: Counts; readonly best: readonly number[] };

/** Folds what every search that evolves a population says. What is only estimated is no improvement. */
export function foldPopulation<
  Candidate extends PopulationCandidate,
  Counts extends { readonly evaluations: number },
  Opening,
  Baseline,
  Finalist extends FinalistEvent,
>(
  state: GrowingPopulation<Candidate, Counts, Opening, Baseline, Finalist>,
  event: PopulationEvent<Candidate, Counts, Opening, Baseline, Finalist>,
): void {
  const improve = (candidate: Candidate): void => {
    const { id, generation, operator } = candidate;
    const fitness = fitnessOf(candidate) ?? Infinity;
    if (fitness >= (state.improvements.at(-1)?.fitness ?? Infinity)) return;
    state.improvements.push({ id, generation, operator, fitness, evaluations: state.counts.evaluations });
  };
  if (event.kind === 'baseline') state.baselines.push(event);
  else if (event.kind === 'candidate') {
    state.candidates.push(event);
    state.byId.set(event.id, event);
    if (isComplete(event, state.byId)) improve(event);
  } else if (event.kind === 'generation') {
    state.generations.push(event);
    state.counts = { ...event.counts };
    state.times.generationEnds.push(state.times.worked);
  } else {
    if (event.kind === 'finished') {
      state.counts = { ...event.counts };
      state.ranking = [...event.best];
    }
    foldLifecycle(state, event);
  }
}
