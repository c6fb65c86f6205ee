import type { Timer } from './retries.ts';

/** Longest silence within a reply, in milliseconds. Before it a model may think for as long as the whole request may take. */
const LONGEST_SILENCE = 30_000;

/** Ends a request that takes too long altogether, falls silent after it has begun to answer, or is not wanted any more. */
export class Deadline {
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private readonly timer: Timer;
  private readonly outer: AbortSignal;
  private readonly undoWhole: () => void;
  private undoSilence: (() => void) | undefined;
  private isPassed = false;

  constructor(timer: Timer, milliseconds: number, outer: AbortSignal) {
    this.timer = timer;
    this.outer = outer;
    this.signal = this.controller.signal;
    this.undoWhole = timer.after(milliseconds, this.pass);
    if (outer.aborted) this.abort();
    else outer.addEventListener('abort', this.abort, { once: true });
  }

  /** Whether time is up, as opposed to nobody waiting any more. */
  get passed(): boolean {
    return this.isPassed;
  }

  /** Something has come of the answer. */
  heard(): void {
    this.undoSilence?.();
    this.undoSilence = this.timer.after(LONGEST_SILENCE, this.pass);
  }

  clear(): void {
    this.undoWhole();
    this.undoSilence?.();
    this.outer.removeEventListener('abort', this.abort);
  }

  /** Nothing more is wanted of the answer: what is still on its way is not waited for, and not paid for. */
  end(): void {
    this.clear();
    this.abort();
  }

  private readonly pass = (): void => {
    this.isPassed = true;
    this.controller.abort();
  };

  private readonly abort = (): void => {
    this.controller.abort();
  };
}
