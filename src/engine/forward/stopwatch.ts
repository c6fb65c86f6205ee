/** Adds up the time that pieces of work take. */
export class Stopwatch {
  seconds = 0;
  private readonly now: () => number;

  /** @param now seconds, from any start */
  constructor(now: () => number) {
    this.now = now;
  }

  /** Counts time that another has measured. */
  add(seconds: number): void {
    this.seconds += seconds;
  }

  async time<Result>(work: () => Promise<Result>): Promise<Result> {
    const begin = this.now();
    try {
      return await work();
    } finally {
      this.seconds += this.now() - begin;
    }
  }
}
