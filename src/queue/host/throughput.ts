/** Milliseconds that are looked back on. */
const WINDOW = 5 * 60_000;

/** How many questions are answered a minute, over the last minutes. */
export class Throughput {
  private readonly now: () => number;
  private readonly began: number;
  private readonly times: number[] = [];
  private count = 0;

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.began = now();
  }

  answered(): void {
    this.count++;
    this.times.push(this.now());
    this.forget();
  }

  /** All questions. */
  get total(): number {
    return this.count;
  }

  get perMinute(): number {
    this.forget();
    const minutes = Math.min(WINDOW, Math.max(1, this.now() - this.began)) / 60_000;
    return this.times.length / Math.max(minutes, 1 / 60);
  }

  private forget(): void {
    const from = this.now() - WINDOW;
    const first = this.times.findIndex((at) => at >= from);
    this.times.splice(0, first < 0 ? this.times.length : first);
  }
}
