import { cancelledError, throwIfCancelled } from '../base/errors.ts';

/** Places that so many can have at once; who comes later waits, first come, first served. */
export class Slots {
  private free: number;
  private readonly waiting = new Set<() => void>();

  constructor(count: number) {
    this.free = count;
  }

  /** Whether somebody waits for one. */
  get isWanted(): boolean {
    return this.waiting.size > 0;
  }

  /** @throws EspalierError `cancelled` while it waits: it has none then */
  async take(signal: AbortSignal): Promise<void> {
    throwIfCancelled(signal, 'answering a request');
    if (this.free === 0) await this.wait(signal);
    else this.free--;
  }

  give(): void {
    const [next] = this.waiting;
    // It is handed over: nobody comes between.
    if (next) next();
    else this.free++;
  }

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
