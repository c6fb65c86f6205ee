import { BEAT } from '../beats.ts';
import type { Directory } from '../directory.ts';
import type { WorkerEntry } from '../wire.ts';

/** Milliseconds for taking an entry out: a server that is gone is not waited for by whoever leaves. */
const GOODBYE = 2000;

/** A worker's entry in the directory: raised with each beat, and written at once where it says something new. */
export class Presence {
  private readonly directory: Directory;
  private readonly measure: () => Pick<WorkerEntry, 'answered' | 'perMinute'>;
  private readonly timer: NodeJS.Timeout;
  private current: WorkerEntry;
  private writing: Promise<void> | undefined;
  private isStale = false;
  private isOver = false;

  /** @param measure what is measured anew with each beat. @param beat milliseconds between two */
  constructor(
    directory: Directory,
    entry: WorkerEntry,
    measure: () => Pick<WorkerEntry, 'answered' | 'perMinute'>,
    beat = BEAT,
  ) {
    this.directory = directory;
    this.current = entry;
    this.measure = measure;
    this.timer = setInterval(() => void this.write(), beat);
  }

  get entry(): WorkerEntry {
    return this.current;
  }

  /** Resolves when the server has it. */
  say(change: Partial<Pick<WorkerEntry, 'state' | 'run' | 'of' | 'refused'>>): Promise<void> {
    this.current = { ...this.current, ...change };
    return this.write();
  }

  /** Takes the entry out. */
  async close(): Promise<void> {
    this.isOver = true;
    clearInterval(this.timer);
    const gone = (async () => {
      await this.writing;
      await this.directory.workers.remove(this.current.id);
    })();
    await Promise.race([gone.catch(ignore), new Promise((resolve) => setTimeout(resolve, GOODBYE).unref())]);
  }

  /** One after the other: what is new while the server is waited for is written once it is there. */
  private write(): Promise<void> {
    this.isStale = true;
    this.writing ??= this.writeAll().finally(() => {
      this.writing = undefined;
    });
    return this.writing;
  }

  private async writeAll(): Promise<void> {
    while (this.isStale && !this.isOver) {
      this.isStale = false;
      const { beat } = this.current;
      this.current = { ...this.current, ...this.measure(), beat: beat + 1, seenAt: Date.now() };
      // What goes wrong the server's log tells; the next beat tries again.
      await this.directory.workers.put(this.current).catch(ignore);
    }
  }
}

function ignore(): void {
  // Of no consequence here.
}
