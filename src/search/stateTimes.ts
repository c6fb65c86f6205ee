/** Milliseconds since 1970, or of work: pauses, and the time until a killed search was resumed, do not count. */
export interface StateTimes {
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly worked: number;
}

export type SearchStatus = 'starting' | 'running' | 'paused' | 'finished' | 'failed';

/**
 * Notes when an event was kept. The time since the one before counts as work, unless nobody worked then.
 *
 * @param status before the event
 */
export function tick(
  times: { -readonly [Key in keyof StateTimes]: StateTimes[Key] },
  status: SearchStatus,
  kind: string,
  at: number,
): void {
  const isBreak = kind === 'resumed' || status === 'paused' || status === 'failed';
  if (times.last !== undefined && !isBreak) times.worked += Math.max(0, at - times.last);
  times.first ??= at;
  times.last = at;
}
