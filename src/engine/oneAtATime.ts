import { EspalierError } from '../base/errors.ts';

/** Work that may pause: others may begin in a pause, and it goes on when nobody is at work. */
export type Pausing = (pause: () => Promise<void>) => Promise<void>;

/** Refuses a second piece of work while one is going on: an engine has one device, and one memory. */
export class OneAtATime {
  private working: symbol | undefined;

  /** @throws EspalierError `engine/invariant` where other work is going on, also at the end of a pause */
  async run<Result>(work: (inPause: Pausing) => Promise<Result>): Promise<Result> {
    const own = Symbol('work');
    this.begin(own);
    try {
      return await work((pause) => this.apart(own, pause));
    } finally {
      if (this.working === own) this.working = undefined;
    }
  }

  private begin(own: symbol): void {
    if (this.working) throw busyError();
    this.working = own;
  }

  private async apart(own: symbol, pause: () => Promise<void>): Promise<void> {
    this.working = undefined;
    await pause();
    this.begin(own);
  }
}

function busyError(): EspalierError {
  return new EspalierError({
    code: 'engine/invariant',
    operation: 'evaluating',
    expected: 'one evaluation at a time in an engine',
    actual: 'a second one while the first runs',
    remedy: 'Wait for the first, or use an engine in another process.',
  });
}
