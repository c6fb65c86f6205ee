/** Seconds that a portion should take: long enough for the way there and back not to matter, short enough to lose little. */
const PORTION_SECONDS = 2;
/** Largest portion, whatever the pace. */
const PORTION_SIZE = 64;
/** A portion that takes so many times as long as the slowest so far would have, and at least the least limit, is taken for hung. */
const PATIENCE = 20;
const LEAST_LIMIT = 10 * 60_000;
/** Before anything was measured nothing can be called too long: a first candidate of a large model may take hours. */
const FIRST_LIMIT = 24 * 3_600_000;

/** In which portions questions are asked, and after what time a portion counts as hung. */
export type Pacing = Pick<Pace, 'portion' | 'limit' | 'note'>;

/** How long questions of one kind take, and what follows for the portions in which they are asked. */
export class Pace {
  private mean = 0;
  private slowest = 0;

  /** How many of `left` questions one of `workers` takes: ever fewer towards the end, so that all end at the same time. */
  portion(left: number, workers: number): number {
    const fair = Math.ceil(left / (2 * workers));
    const timely = this.mean === 0 ? 1 : Math.max(1, Math.floor(PORTION_SECONDS / this.mean));
    return Math.min(fair, timely, PORTION_SIZE);
  }

  /** Milliseconds. A native call can take minutes and says nothing meanwhile, so this is generous. */
  limit(size: number): number {
    if (this.slowest === 0) return FIRST_LIMIT;
    return Math.max(LEAST_LIMIT, PATIENCE * this.slowest * size * 1000);
  }

  /** A portion is answered. @param milliseconds that were worked on it */
  note(size: number, milliseconds: number): void {
    const each = milliseconds / 1000 / size;
    this.mean = this.mean === 0 ? each : 0.7 * this.mean + 0.3 * each;
    this.slowest = Math.max(this.slowest, each);
  }
}
