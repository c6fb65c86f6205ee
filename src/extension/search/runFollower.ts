import path from 'node:path';
import { toErrorData } from '../../base/errors.ts';
import type { ErrorData } from '../../base/errors.ts';
import { foldEvent, newState } from '../../search/folds.ts';
import type { AnySearchState } from '../../search/folds.ts';
import type { JournalRecord } from '../../runs/journalLine.ts';
import { damageError, JournalReader } from '../../runs/journalReader.ts';
import { JOURNAL_FILE } from '../../runs/runFolder.ts';
import { isRunning } from '../../runs/runLock.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import type { Clock } from '../../base/clock.ts';

export interface RunFollowerOptions {
  readonly clock: Clock;
  /** A portion of the journal; empty where only something else is new. `complete`: it is all that there is now. */
  readonly onRecords: (records: readonly JournalRecord[], complete: boolean) => void;
}

/** Milliseconds from one look to the next, while somebody drives the run and while nobody does. */
const LIVE = 400;
const IDLE = 2500;

/**
 * Reads a run's journal and goes on reading as it grows, whoever writes it: this window's worker, another window or a command line.
 * The journal is the one source; that a run is watched changes nothing for the one who drives it.
 */
export class RunFollower {
  /** Folds all that was read. */
  readonly state: AnySearchState;
  readonly run: RunFolder;
  /** Whether some process drives the run. */
  isDriven = false;
  /** Why no more of the journal can be read. */
  error: ErrorData | undefined;
  /** Whether the journal was read to its end once. */
  isComplete = false;
  private readonly options: RunFollowerOptions;
  private readonly reader: JournalReader;
  private withdraw: (() => void) | undefined;
  private looking: Promise<void> | undefined;
  private disposed = false;

  constructor(run: RunFolder, options: RunFollowerOptions) {
    this.run = run;
    this.state = newState(run.record.plan.kind);
    this.options = options;
    this.reader = new JournalReader(path.join(run.folder, JOURNAL_FILE), run.record);
  }

  /** Reads what is new, now; and from now on by itself. */
  async look(): Promise<void> {
    this.withdraw?.();
    this.withdraw = undefined;
    this.looking ??= this.read().finally(() => {
      this.looking = undefined;
      if (this.disposed) return;
      this.withdraw = this.options.clock.after(this.isDriven ? LIVE : IDLE, () => void this.look());
    });
    await this.looking;
  }

  dispose(): void {
    this.disposed = true;
    this.withdraw?.();
  }

  private async read(): Promise<void> {
    const before = JSON.stringify([this.isDriven, this.error, this.isComplete]);
    let told = 0;
    try {
      // Asked before the reading: what is there when nobody drives it any more is all there is.
      this.isDriven = await isRunning(this.run.folder);
      let last: readonly JournalRecord[] | undefined;
      for await (const records of this.reader.more()) {
        if (this.disposed) return;
        if (last) this.options.onRecords(last, false);
        for (const { event, at } of records) foldEvent(this.state, event, at);
        last = records;
        told++;
      }
      this.isComplete = true;
      const { damage } = this.reader;
      this.error = damage && damageError(path.join(this.run.folder, JOURNAL_FILE), damage).data;
      if (last) this.options.onRecords(last, true);
    } catch (error) {
      this.error = toErrorData(error, `reading the journal of ${this.run.record.id}`);
    }
    const now = JSON.stringify([this.isDriven, this.error, this.isComplete]);
    if (told === 0 && now !== before && !this.disposed) this.options.onRecords([], true);
  }
}
