import { cancelledError, throwIfCancelled } from '../base/errors.ts';
import { RequestError } from './apiError.ts';

/** Does work when nothing else is done. @throws EspalierError `cancelled` while it waits, and what the work throws */
export type Turn = <Result>(work: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;

/**
 * One model, many clients: pieces of their work take turns, first come, first served. A request asks for one turn after the other, so that a
 * long one does not keep the others waiting for all of it.
 */
export class Turns {
  private readonly most: number;
  private readonly waiting = new Set<() => void>();
  private isTaken = false;
  private admitted = 0;

  /** @param most requests that may be there at once */
  constructor(most: number) {
    this.most = most;
  }

  /** Requests that are being answered, or wait to be. */
  get requests(): number {
    return this.admitted;
  }

  /** Lets one more request in. @returns what to call when it is over @throws RequestError `serve/busy` */
  admit(): () => void {
    if (this.admitted >= this.most) {
      throw new RequestError(
        `at most ${this.most} requests at once`,
        'one more',
        'Ask again when one of them is answered, or ask for less at once.',
        null,
        'serve/busy',
      );
    }
    this.admitted++;
    return () => {
      this.admitted--;
    };
  }

  readonly turn: Turn = async (work, signal) => {
    throwIfCancelled(signal, 'answering a request');
    if (this.isTaken) await this.wait(signal);
    this.isTaken = true;
    try {
      return await work();
    } finally {
      const [next] = this.waiting;
      // It is handed over: nobody comes between.
      if (next) next();
      else this.isTaken = false;
    }
  };

  private wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        this.waiting.delete(begin);
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.waiting.delete(begin);
        reject(cancelledError('answering a request'));
      };
      this.waiting.add(begin);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
