import { cancelledError } from '../base/errors.ts';

/** One at a time, in the order of arrival. */
export class Turnstile {
  private last: Promise<unknown> = Promise.resolve();

  /** Work whose signal is aborted while it waits gives up its place at once. */
  pass<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const giveUp = (): void => {
        reject(cancelledError('waiting for the device'));
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.last = this.last.then(async () => {
        signal.removeEventListener('abort', giveUp);
        if (signal.aborted) giveUp();
        else await work().then(resolve, reject);
      });
    });
  }
}
