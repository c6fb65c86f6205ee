import { SYSTEM_CLOCK as SYSTEM_TIMERS } from '../base/clock.ts';
import type { Clock as Timers } from '../base/clock.ts';

/** Time as the coordinator sees it; tests pass one that they move themselves. */
export interface Clock extends Timers {
  /** Milliseconds since 1970. */
  wall(): number;
}

export const SYSTEM_CLOCK: Clock = { ...SYSTEM_TIMERS, wall: () => Date.now() };
