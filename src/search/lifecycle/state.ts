import type { ErrorData } from '../../base/errors.ts';
import type { EveryRunsEvent, FinalistEvent, QuarantinedEvent, SearchOpening } from './events.ts';

/**
 * What the states of all kinds of searches have. A state grows in place, so that tens of thousands of events fold in an instant: whoever
 * shows it compares {@link SearchState.revision}.
 */
export interface SearchState<Opening = SearchOpening, Finalist = FinalistEvent> {
  /** Grows with every event. */
  readonly revision: number;
  /** As the events have it: whether somebody is working on it now is another question (see the heartbeat of a run). */
  readonly status: SearchStatus;
  /** Of the model; undefined until it is loaded. */
  readonly opening: Opening | undefined;
  /** Evaluated again at the end, baselines among them. */
  readonly finalists: readonly Finalist[];
  readonly quarantined: readonly QuarantinedEvent[];
  readonly error: ErrorData | undefined;
  readonly times: StateTimes;
}

export type SearchStatus = 'starting' | 'running' | 'paused' | 'finished' | 'failed';

/** Milliseconds since 1970, or of work: pauses, and the time until a killed search was resumed, do not count. */
export interface StateTimes {
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly worked: number;
}

/** A state while it grows. */
export type Growing<Type> = {
  -readonly [Key in keyof Type]: Type[Key] extends readonly (infer Item)[]
    ? Item[]
    : Type[Key] extends ReadonlyMap<infer K, infer V>
      ? Map<K, V>
      : Key extends 'counts' | 'times'
        ? Growing<Type[Key]>
        : Type[Key];
};

export function emptyState(): Growing<SearchState<never, never>> {
  return {
    ...{ revision: 0, status: 'starting', opening: undefined, error: undefined },
    ...{ finalists: [], quarantined: [] },
    times: { first: undefined, last: undefined, worked: 0 },
  };
}

/**
 * Notes that an event came, before it is folded. The time since the one before counts as work, unless nobody worked then.
 *
 * @param at when the event was kept, in milliseconds since 1970
 */
export function tick(state: Growing<SearchState<unknown, unknown>>, kind: string, at: number): void {
  const { times, status } = state;
  state.revision++;
  const isBreak = kind === 'resumed' || status === 'paused' || status === 'failed';
  if (times.last !== undefined && !isBreak) times.worked += Math.max(0, at - times.last);
  times.first ??= at;
  times.last = at;
}

/** What {@link foldLifecycle} writes to. */
export interface GrowingLifecycle<Opening, Finalist> {
  opening: Opening | undefined;
  status: SearchStatus;
  error: ErrorData | undefined;
  readonly finalists: Finalist[];
  readonly quarantined: QuarantinedEvent[];
}

/** Folds what every search says. */
export function foldLifecycle<Opening, Finalist extends FinalistEvent>(
  state: GrowingLifecycle<Opening, Finalist>,
  event: EveryRunsEvent | (Opening & { readonly kind: 'opened' }) | Finalist | { readonly kind: 'finished' },
): void {
  switch (event.kind) {
    case 'opened':
      state.opening = event;
      state.status = 'running';
      return;
    case 'finalist':
      state.finalists.push(event);
      return;
    case 'quarantined':
      state.quarantined.push(event);
      return;
    case 'resumed':
      state.status = state.opening === undefined ? 'starting' : 'running';
      state.error = undefined;
      return;
    case 'paused':
    case 'finished':
      state.status = event.kind;
      return;
    case 'failed':
      state.status = 'failed';
      state.error = event.error;
      return;
  }
}
