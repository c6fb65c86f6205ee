import { Rng } from '../../src/base/rng.ts';

/** Why a GPU had nothing to do. */
export const IDLE = ['opening', 'few', 'last', 'stragglers', 'finalists'] as const;
export type Idle = (typeof IDLE)[number];

/**
 * A clock of N GPUs that answer questions, each one at a time, as they come: whoever is free takes the next one. The loop goes on when the last of them is
 * answered, and what GPUs idle until then is counted by reason.
 */
export class GpuClock {
  readonly gpus: number;
  /** Seconds since the beginning. */
  now = 0;
  /** Seconds of a GPU, all of them together. */
  busy = 0;
  readonly idle: Record<Idle, number> = { opening: 0, few: 0, last: 0, stragglers: 0, finalists: 0 };
  private readonly overhead: number;
  private readonly spread: number;
  private readonly rng = new Rng(1);

  /** @param overhead seconds of each question on its way. @param spread standard deviation of a question's time, of its mean */
  constructor(gpus: number, overhead: number, spread: number) {
    this.gpus = gpus;
    this.overhead = overhead;
    this.spread = spread;
  }

  /** Every GPU opens the run; the first alone, since it says what the others have to find. */
  open(seconds: number): void {
    this.now += seconds + (this.gpus > 1 ? seconds : 0);
    this.idle.opening += this.now * this.gpus;
  }

  /** Asks questions at once, and waits for the last. @param seconds that each takes. @param reason for GPUs that get none, where it has another name */
  ask(seconds: readonly number[], reason: Idle = 'few'): void {
    if (seconds.length === 0) return;
    const [planned, real] = [seconds, seconds.map((mean) => mean * Math.max(0.2, 1 + this.spread * this.rng.normal()))];
    const worked = real.reduce((sum, one) => sum + one, 0);
    const end = this.makespan(real);
    // The same work, were all questions as long as they are on average.
    const even = worked / planned.reduce((sum, one) => sum + one, 0);
    const ideal = Math.min(end, this.makespan(planned.map((one) => one * even)));
    const used = Math.min(this.gpus, seconds.length);
    const unused = (this.gpus - used) * end;
    const stragglers = (end - ideal) * used;
    this.now += end;
    this.busy += worked;
    this.idle[reason] += unused;
    this.idle.stragglers += stragglers;
    this.idle[reason === 'few' ? 'last' : reason] += Math.max(0, this.gpus * end - worked - unused - stragglers);
  }

  private makespan(seconds: readonly number[]): number {
    const free = new Array<number>(this.gpus).fill(0);
    for (const one of seconds) {
      const next = free.indexOf(Math.min(...free));
      free[next]! += one + this.overhead;
    }
    return Math.max(...free);
  }
}
