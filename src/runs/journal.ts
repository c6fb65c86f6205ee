import { rm } from 'node:fs/promises';
import { EspalierError } from '../base/errors.ts';
import type { RunEvent } from '../search/kinds.ts';
import { reasonOf } from '../files/fileProblem.ts';
import { openToUpdate } from '../files/openRegular.ts';
import { encodeLine } from './journalLine.ts';
import type { JournalLink, JournalOwner, JournalRecord } from './journalLine.ts';
import { damageError, JournalReader, LONGEST_JOURNAL } from './journalReader.ts';
import { OwnJournal } from './ownJournal.ts';
import { fileOfRun } from './runPath.ts';
import { setAside } from './setAside.ts';

/** The part of an open file that a journal needs. Tests put one in its place that fails. */
export interface JournalFile {
  write(buffer: Buffer, offset: number, length: number, position: number): Promise<{ readonly bytesWritten: number }>;
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface JournalOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly openFile?: (file: string) => Promise<JournalFile>;
  /** Takes what the journal holds, record by record; none is kept then. */
  readonly onRecord?: (record: JournalRecord) => void;
  /** Keeps a journal that is damaged beside, and goes on from what stands before the damage. Without it such a journal is refused. */
  readonly recover?: boolean;
  /** Told where a damaged journal is kept. */
  readonly onRecovered?: (aside: string) => void;
  /** Throws an EspalierError where the run is another's by now. Asked before each write, and again before what was written counts. */
  readonly check?: () => Promise<void>;
}

/** Where a journal ends. */
interface JournalEnd {
  /** Bytes. */
  readonly length: number;
  readonly next: JournalLink;
}

interface Waiting {
  readonly events: readonly RunEvent[];
  readonly resolve: (records: readonly JournalRecord[]) => void;
  readonly reject: (error: EspalierError) => void;
}

/**
 * The events of one run, appended. What {@link append} has resolved for is on the disk. Appends that come while another is being
 * flushed share the next flush. A write that fails leaves nothing behind and ends the journal: whoever drives the run stops. So does
 * one that comes when another process drives the run.
 */
export class Journal {
  private readonly file: string;
  private readonly handle: JournalFile;
  private readonly now: () => number;
  private readonly check: () => Promise<void>;
  /** Bytes that are on the disk and acknowledged. */
  private length: number;
  private link: JournalLink;
  private waiting: Waiting[] = [];
  private flushing: Promise<void> | undefined;
  private failure: EspalierError | undefined;

  private constructor(
    file: string,
    handle: JournalFile,
    end: JournalEnd,
    { now, check }: Required<Pick<JournalOptions, 'now' | 'check'>>,
  ) {
    this.file = file;
    this.handle = handle;
    this.now = now;
    this.check = check;
    this.length = end.length;
    this.link = end.next;
  }

  /**
   * Opens a journal to go on with it, and gives what it holds (unless `onRecord` takes it). What a dying process left half written behind
   * the last whole line is cut off. The caller holds the run's lock.
   *
   * @throws EspalierError `runs/damaged`, `runs/in-use`, `io/read`, `io/write`
   */
  static async open(
    file: string,
    run: JournalOwner,
    { now, openFile = openToWrite, onRecord, recover = false, onRecovered, check = isOurs }: JournalOptions,
  ): Promise<{ readonly journal: Journal; readonly records: readonly JournalRecord[] }> {
    await OwnJournal.removeOthers(file);
    const reader = new JournalReader(file, run);
    const records: JournalRecord[] = [];
    for await (const portion of reader.more()) {
      for (const record of portion) {
        if (onRecord) onRecord(record);
        else records.push(record);
      }
    }
    if (reader.damage && !recover) throw damageError(file, reader.damage);
    let aside: string | undefined;
    let own: OwnJournal | undefined;
    let handle: JournalFile | undefined;
    try {
      if (reader.damage) aside = await setAside(file, new Date(now()));
      own = await OwnJournal.make(file, aside ?? file, reader);
      handle = await openFile(own.copy);
      // What cannot be flushed now could not be later.
      await handle.datasync();
      await own.takePlace(check);
    } catch (error) {
      await handle?.close().catch(() => undefined);
      await own?.discard();
      // The journal is as it was: another one beside it is no help.
      if (aside !== undefined) await rm(aside, { force: true }).catch(() => undefined);
      throw error instanceof EspalierError ? error : writeError(file, error);
    }
    if (aside !== undefined) onRecovered?.(aside);
    return { journal: new Journal(file, handle, { length: own.length, next: reader.next }, { now, check }), records };
  }

  /**
   * Resolves when the events are on the disk, with the records that they became.
   *
   * @throws EspalierError `io/write`; the file then ends with the last record that was acknowledged. `runs/in-use` where another process
   * has taken the run over; nothing is written then
   */
  append(events: readonly RunEvent[]): Promise<readonly JournalRecord[]> {
    return new Promise((resolve, reject) => {
      if (this.failure) {
        reject(this.failure);
        return;
      }
      this.waiting.push({ events, resolve, reject });
      this.flushing ??= this.flush();
    });
  }

  /** Waits for what is being appended, and closes the file. */
  async close(): Promise<void> {
    await this.flushing;
    this.failure ??= writeError(this.file, 'it is closed');
    await this.handle.close();
  }

  private async flush(): Promise<void> {
    while (this.waiting.length > 0 && !this.failure) await this.write(this.waiting.splice(0));
    this.flushing = undefined;
  }

  private async write(batch: readonly Waiting[]): Promise<void> {
    const at = this.now();
    let link = this.link;
    let text = '';
    const written = batch.map(({ events }) =>
      events.map((event) => {
        const record = { seq: link.seq, at, event };
        const { line, next } = encodeLine(record, link);
        text += line;
        link = next;
        return record;
      }),
    );
    const bytes = Buffer.from(text);
    try {
      if (this.length + bytes.length > LONGEST_JOURNAL) throw new Error(`more than ${LONGEST_JOURNAL} bytes`);
      await this.check();
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, this.length + done);
        done += bytesWritten;
      }
      await this.handle.datasync();
      // Whoever takes the run over from now on reads these lines. Had it been before, it might have read the journal without them.
      await this.check();
    } catch (error) {
      this.failure = error instanceof EspalierError ? error : writeError(this.file, error);
      // A disk that is full still takes this. Where it does not, the next one to open the journal cuts it.
      if (this.failure !== error) await this.cutOff();
      for (const { reject } of [...batch, ...this.waiting.splice(0)]) reject(this.failure);
      return;
    }
    this.length += bytes.length;
    this.link = link;
    for (const [i, { resolve }] of batch.entries()) resolve(written[i]!);
  }

  /** What was written in part goes; in a run of another's there is nothing to cut. */
  private async cutOff(): Promise<void> {
    try {
      await this.check();
      await this.handle.truncate(this.length);
    } catch {
      // The failure before this one is told.
    }
  }
}

function openToWrite(file: string): Promise<JournalFile> {
  return openToUpdate(file, fileOfRun(file));
}

/** Where nobody else can drive. */
function isOurs(): Promise<void> {
  return Promise.resolve();
}

function writeError(file: string, error: unknown): EspalierError {
  return new EspalierError(
    {
      code: 'io/write',
      operation: `writing ${file}`,
      expected: 'a journal that can be written and flushed',
      actual: reasonOf(error),
      remedy: 'Make room or allow writing, then resume the run: nothing that was measured before is lost.',
      file,
    },
    { cause: error },
  );
}
