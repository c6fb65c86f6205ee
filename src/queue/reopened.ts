/** Milliseconds between tries of what failed. */
export const AGAIN = 1000;
/** Milliseconds for saying good-bye to a server. */
const CLOSING = 3000;

interface Shuttable {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(force?: boolean): Promise<void>;
  disconnect(): Promise<void>;
}

/** One of the library's objects, in whose place comes another as long as none was ready: they remember for ever why they were not. */
export class Reopened<One extends Shuttable> {
  private readonly open: () => One;
  private current: One;
  private closing = false;

  /** @param onError told of what goes wrong until it is closed */
  constructor(open: () => One, onError: (error: Error) => void) {
    this.open = () => {
      const opened = open();
      opened.on('error', (error) => {
        if (!this.closing) onError(error);
      });
      return opened;
    };
    this.current = this.open();
  }

  /** @throws why it is not */
  async ready(): Promise<One> {
    const tried = this.current;
    try {
      await tried.waitUntilReady();
    } catch (error) {
      this.replace(tried);
      throw error;
    }
    return tried;
  }

  replace(tried: One): void {
    if (this.closing || this.current !== tried) return;
    this.current = this.open();
    void shut(tried);
  }

  /** @param force does not wait for what is under way */
  async close(force = true): Promise<void> {
    // Before anything ends: what ends would be replaced.
    this.closing = true;
    if (!force) await this.current.close();
    await shut(this.current);
  }
}

/** Says good-bye, but not for ever: a server that is gone does not answer that. */
async function shut(one: Shuttable): Promise<void> {
  const closed = one.close(true);
  try {
    await withinLimit(CLOSING, () => closed);
  } catch {
    closed.catch(ignore);
    await withinLimit(CLOSING, () => one.disconnect()).catch(ignore);
  }
}

/** Does something again and again, with a pause where it fails. */
export async function untilClosed(
  isOpen: () => boolean,
  act: () => Promise<void>,
  onError: (error: Error) => void,
): Promise<void> {
  while (isOpen()) {
    try {
      await act();
    } catch (error) {
      if (!isOpen()) return;
      onError(error as Error);
      await delay(AGAIN);
    }
  }
}

/** Rejects where it takes longer than that, too. */
export async function withinLimit<Result>(limit: number, act: () => Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${limit / 1000} s`));
    }, limit);
  });
  try {
    return await Promise.race([act(), late]);
  } finally {
    clearTimeout(timer);
  }
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function ignore(): void {
  // Of no consequence: what is closed is not used any more.
}
