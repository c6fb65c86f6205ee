/** Milliseconds for which a beat may stand still. */
const LOST_AFTER = 30_000;

/** Who lives, by beats alone: clocks of two machines are never compared. */
export class BeatWatch {
  private readonly now: () => number;
  private readonly seen = new Map<string, { beat: number; since: number }>();

  /** @param now milliseconds, from any origin */
  constructor(now: () => number) {
    this.now = now;
  }

  /** @returns milliseconds for which the beat of who is called so stands still */
  look(name: string, beat: number): number {
    const before = this.seen.get(name);
    const now = this.now();
    if (before?.beat === beat) return now - before.since;
    this.seen.set(name, { beat, since: now });
    return 0;
  }
}

export function isLost(still: number): boolean {
  return still >= LOST_AFTER;
}
