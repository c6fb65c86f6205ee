import type { ErrorData } from '../../base/errors.ts';
import type { FailedEvent, PausedEvent, QuarantinedEvent, ResumedEvent } from '../metrics/events.ts';

/** What the states of all kinds of searches have. */
export interface StateBase {
  /** Grows with every event. */
  readonly revision: number;
  /** As the events have it: whether somebody is working on it now is another question (see the heartbeat of a run). */
  readonly status: SearchStatus;
  /** Of the model; undefined until it is loaded. */
  readonly opening: object | undefined;
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

export function newTimes(): StateTimes {
  return { first: undefined, last: undefined, worked: 0 };
}

/**
 * Notes that an event came, before it is folded, and when it was kept. The time since the one before counts as work, unless nobody
 * worked then.
 */
export function tick(
  state: { revision: number; readonly status: SearchStatus; readonly times: Changing<StateTimes> },
  kind: string,
  at: number,
): void {
  const { times, status } = state;
  state.revision++;
  const isBreak = kind === 'resumed' || status === 'paused' || status === 'failed';
  if (times.last !== undefined && !isBreak) times.worked += Math.max(0, at - times.last);
  times.first ??= at;
  times.last = at;
}

/** Somebody stops working on a search, or goes on with it. */
export function foldBreak(
  state: Changing<Pick<StateBase, 'status' | 'error'>> & Pick<StateBase, 'opening'>,
  event: ResumedEvent | PausedEvent | FailedEvent,
): void {
  switch (event.kind) {
    case 'resumed':
      state.status = state.opening === undefined ? 'starting' : 'running';
      state.error = undefined;
      return;
    case 'paused':
      state.status = 'paused';
      return;
    case 'failed':
      state.status = 'failed';
      state.error = event.error;
      return;
  }
}

type Changing<Type> = { -readonly [Key in keyof Type]: Type[Key] };
