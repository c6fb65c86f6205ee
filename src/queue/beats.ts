/** Milliseconds between two signs of life of a run, or of a worker. */
export const BEAT = 5000;
/** Milliseconds without one after which its owner counts as gone. */
export const SILENCE = 30_000;

/** How long beats have stood still, as watched from here: clocks of two machines are never compared. */
export class Beats {
  private readonly most: number;
  private readonly now: () => number;
  private readonly seen = new Map<string, { readonly beat: string; readonly at: number; readonly silent: number }>();

  /**
   * @param most milliseconds that one look may count for: a while in which nobody looked, as this machine slept or the server was away, says little
   * @param now milliseconds, from any origin
   */
  constructor(most: number, now: () => number = () => performance.now()) {
    this.most = most;
    this.now = now;
  }

  /** @param beat another with each sign of life. @returns milliseconds for which it has stood still */
  look(name: string, beat: string): number {
    const at = this.now();
    const before = this.seen.get(name);
    const silent = before?.beat === beat ? before.silent + Math.min(at - before.at, this.most) : 0;
    this.seen.set(name, { beat, at, silent });
    return silent;
  }

  /** Forgets all others. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.seen.keys()) if (!names.has(name)) this.seen.delete(name);
  }
}
