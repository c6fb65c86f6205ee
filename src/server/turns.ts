import { RequestError } from './apiError.ts';
import { Slots } from './slots.ts';

/** Lets those go on who wait, and comes back when it is one's turn again. @throws EspalierError `cancelled` */
export type Pause = () => Promise<void>;

/** Answers that are begun at once: each holds keys and values of its own while others have their turn. */
const MOST_BEGUN = 8;

/**
 * One model, many clients: pieces of their work take turns, first come, first served. A request asks for one turn after the other, and pauses in a
 * long one, so that it does not keep the others waiting for all of it.
 */
export class Turns {
  private readonly most: number;
  private readonly model = new Slots(1);
  private readonly begun = new Slots(MOST_BEGUN);
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

  /** Does work while nothing else is done. @throws EspalierError `cancelled` while it waits, and what the work throws */
  async turn<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    await this.model.take(signal);
    try {
      return await work();
    } finally {
      this.model.give();
    }
  }

  /** The same for work that pauses. @throws EspalierError as {@link turn} */
  async turns<Result>(work: (pause: Pause) => Promise<Result>, signal: AbortSignal): Promise<Result> {
    await this.begun.take(signal);
    try {
      await this.model.take(signal);
      const held = { isOurs: true };
      const pause = async (): Promise<void> => {
        if (!this.model.isWanted) return;
        this.model.give();
        held.isOurs = false;
        await this.model.take(signal);
        held.isOurs = true;
      };
      try {
        return await work(pause);
      } finally {
        if (held.isOurs) this.model.give();
      }
    } finally {
      this.begun.give();
    }
  }
}
