/** Time as the coordinator sees it; tests pass one that they move themselves. */
export interface Clock {
  /** Milliseconds, from any origin, never backwards. */
  now(): number;
  /** Milliseconds since 1970. */
  wall(): number;
  /** Calls back once; returns what undoes it. */
  after(milliseconds: number, callback: () => void): () => void;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => {
      clearTimeout(timer);
    };
  },
};
