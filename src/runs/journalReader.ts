import type { FileHandle } from 'node:fs/promises';
import { EspalierError } from '../base/errors.ts';
import { fileProblem, reasonOf } from '../files/fileProblem.ts';
import { openToRead } from '../files/openRegular.ts';
import { continues, decodeLine, firstLink } from './journalLine.ts';
import type { JournalLink, JournalRecord } from './journalLine.ts';

/** Why a journal cannot be read any further. What stands before is whole. */
export interface JournalDamage {
  /** Counts from 1. */
  readonly line: number;
  readonly reason: string;
}

/** Bytes read at first; within a long line ever more, so that reading it takes time in proportion. Between two portions the event loop gets its turn. */
const PORTION = 32 << 10;
/** The longest lines hold the keep-probabilities of a large model, at most a few of 64 MiB: a file that has a longer one is no journal. */
const LONGEST_LINE = 256 << 20;
const LINE_FEED = 0x0a;

/**
 * Reads a journal once, or again and again while another process appends to it. A last line that is torn or was flipped in a bit
 * is left out, since nobody was told that it had been written; damage before it is reported, and what stands before the damage is
 * given. Never throws for what a file contains, only where it cannot be read (`io/read`).
 */
export class JournalReader {
  readonly file: string;
  /** Where the next line must start, and what it must continue. */
  private offset = 0;
  private link: JournalLink;
  private found: JournalDamage | undefined;

  constructor(file: string, runId: string) {
    this.file = file;
    this.link = firstLink(runId);
  }

  /** Bytes of the lines that have been read and are whole. */
  get length(): number {
    return this.offset;
  }

  /** What the line after those must continue. */
  get next(): JournalLink {
    return this.link;
  }

  get damage(): JournalDamage | undefined {
    return this.found;
  }

  /** The records that were appended since the last call, in portions. A journal that is not there (yet) has none. */
  async *more(): AsyncGenerator<readonly JournalRecord[], void> {
    if (this.found) return;
    const handle = await this.open();
    if (!handle) return;
    try {
      let rest: Buffer = Buffer.alloc(0);
      for (;;) {
        const portion = await readPortion(handle, this.offset + rest.length, rest.length);
        const text = rest.length === 0 ? portion : Buffer.concat([rest, portion]);
        const { records, used } = this.decode(text);
        rest = text.subarray(used);
        if (records.length > 0) yield records;
        const stopped = rest.includes(LINE_FEED);
        if (portion.length > 0 && !stopped && rest.length <= LONGEST_LINE) continue;
        if (stopped) await this.examine(handle);
        return;
      }
    } catch (error) {
      throw error instanceof EspalierError ? error : readError(this.file, error);
    } finally {
      await handle.close();
    }
  }

  /** Decodes whole lines from the start of `text`, up to the first that is not as it should be. */
  private decode(text: Buffer): { records: JournalRecord[]; used: number } {
    const records: JournalRecord[] = [];
    let used = 0;
    for (let end = text.indexOf(LINE_FEED); end >= 0; end = text.indexOf(LINE_FEED, used)) {
      const decoded = decodeLine(text.subarray(used, end), this.link);
      if (decoded.kind === 'damaged') break;
      if (decoded.kind === 'unknown') {
        this.found = {
          line: this.link.seq + 1,
          reason: `an event that this version does not know (${decoded.reason})`,
        };
        break;
      }
      records.push(decoded.record);
      this.link = decoded.next;
      this.offset += end + 1 - used;
      used = end + 1;
    }
    return { records, used };
  }

  /**
   * A whole line at `offset` is damaged. Where any later line is still the continuation of the one before it, the damage is in
   * the middle; otherwise it is the end of the journal, written in part.
   */
  private async examine(handle: FileHandle): Promise<void> {
    if (this.found) return;
    let rest: Buffer = Buffer.alloc(0);
    let before: Buffer | undefined;
    for (let position = this.offset; ;) {
      const portion = await readPortion(handle, position, rest.length);
      if (portion.length === 0) return;
      position += portion.length;
      rest = Buffer.concat([rest, portion]);
      let used = 0;
      for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED, used)) {
        const line = rest.subarray(used, end);
        if (before && continues(before, line)) {
          this.found = { line: this.link.seq + 1, reason: 'a line that is not as it was written' };
          return;
        }
        before = line;
        used = end + 1;
      }
      rest = rest.subarray(used);
      if (rest.length > LONGEST_LINE) return;
    }
  }

  private async open(): Promise<FileHandle | undefined> {
    try {
      return await openToRead(this.file, { links: 'refuse' });
    } catch (error) {
      if (fileProblem(error).missing) return undefined;
      throw readError(this.file, error);
    }
  }
}

/** What reading a damaged journal is refused with, by whoever needs all of it. */
export function damageError(file: string, { line, reason }: JournalDamage): EspalierError {
  return new EspalierError({
    code: 'runs/damaged',
    operation: `reading line ${line} of ${file}`,
    expected: 'the line as it was written',
    actual: reason,
    remedy: `Restore the file, or go on from the ${line - 1} lines before it with \`espalier search --resume RUN --recover\`; what stood behind them is then evaluated again.`,
    file,
  });
}

/** @param begun bytes of the line that is being read */
async function readPortion(handle: FileHandle, position: number, begun: number): Promise<Buffer> {
  const length = Math.max(PORTION, begun);
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function readError(file: string, error: unknown): EspalierError {
  return new EspalierError(
    {
      code: 'io/read',
      operation: `reading ${file}`,
      expected: 'a journal that can be read',
      actual: reasonOf(error),
      remedy: 'Check the permissions of the run’s folder.',
      file,
    },
    { cause: error },
  );
}
