/** Time as those who wait see it; tests pass one that they move themselves. */
export interface Clock {
  /** Milliseconds, from any origin, never backwards. */
  now(): number;
  /** Calls back once; returns what undoes it. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** The machine's. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => {
      clearTimeout(timer);
    };
  },
};
