import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../base/errors.ts';
import { fileProblem, reasonOf } from '../files/fileProblem.ts';
import { isSettled, sameVersion, versionOf } from '../files/fileVersion.ts';
import type { FileVersion } from '../files/fileVersion.ts';
import { openToRead } from '../files/openRegular.ts';
import { firstLink } from './journalLine.ts';
import type { JournalLink, JournalOwner, JournalRecord } from './journalLine.ts';
import { damageOfEnd, decodeLines, startsLine } from './journalLines.ts';
import type { DamageKind, DecodedLines, JournalDamage } from './journalLines.ts';
import { fileOfRun } from './runPath.ts';

/** Bytes read at first; within a long line ever more, so that reading it takes time in proportion. Between two portions the event loop gets its turn. */
const PORTION = 32 << 10;
/** The longest lines hold the keep-probabilities of a large model, at most a few of 64 MiB: a file that has a longer one is no journal. */
const LONGEST_LINE = 256 << 20;
/** Bytes: days of a search for masks of the largest models. A longer one is not read, and none is written. */
export const LONGEST_JOURNAL = 16 * 2 ** 30;

/** Decodes whole lines from the start of `bytes`, up to the first that is not as it should be. */
export type LineDecoder = (bytes: Buffer, link: JournalLink) => DecodedLines;

export interface ReadingOptions {
  readonly decode?: LineDecoder;
  /** Bytes. */
  readonly portion?: number;
}

/**
 * Reads a journal once, or again and again while another process appends to it. A last line that was cut off is left out, since nobody
 * was told that it had been written; any other damage is reported, and what stands before it is given. Never throws for what a file
 * contains, only where it cannot be read (`io/read`).
 */
export class JournalReader {
  readonly file: string;
  /** Where the next line must start, and what it must continue. */
  private offset = 0;
  private link: JournalLink;
  private found: JournalDamage | undefined;
  private lineEnds: JournalDamage | undefined;
  /** The file when it was last read to its end. */
  private seen: FileVersion | undefined;
  private readonly decode: LineDecoder;
  private readonly portion: number;

  constructor(file: string, run: JournalOwner, { decode = decodeLines, portion = PORTION }: ReadingOptions = {}) {
    this.file = file;
    this.link = firstLink(run);
    this.decode = decode;
    this.portion = portion;
  }

  /** Bytes of the lines that have been read and are whole. */
  get length(): number {
    return this.offset;
  }

  /** What the line after those must continue. */
  get next(): JournalLink {
    return this.link;
  }

  /** Why nothing behind {@link length} was read; else what is wrong with the ends of the lines that were. */
  get damage(): JournalDamage | undefined {
    return this.found ?? this.lineEnds;
  }

  /** Whether lines end with CR LF that were not written so; they are given all the same. */
  get hasReturns(): boolean {
    return this.lineEnds !== undefined;
  }

  /**
   * The records that were appended since the last call, in portions. A journal that is not there (yet) has none. What was damaged is
   * looked at again: it may have been mended, or was in the middle of being written on a disk of another machine.
   */
  async *more(): AsyncGenerator<readonly JournalRecord[], void> {
    const handle = await this.open();
    if (!handle) return;
    try {
      const version = versionOf(await handle.stat({ bigint: true }));
      if (version.size > LONGEST_JOURNAL) throw tooLongError(this.file, version.size);
      if (this.seen && sameVersion(this.seen, version)) return;
      this.found = undefined;
      let rest: Buffer = Buffer.alloc(0);
      for (;;) {
        const portion = await readPortion(handle, this.offset + rest.length, Math.max(this.portion, rest.length));
        if (portion.length === 0) break;
        const text = rest.length === 0 ? portion : Buffer.concat([rest, portion]);
        const { records, used, next, damage, lineEnds } = this.decode(text, this.link);
        this.offset += used;
        this.link = next;
        this.lineEnds ??= lineEnds;
        this.found = damage;
        rest = text.subarray(used);
        if (records.length > 0) yield records;
        if (damage) break;
        // What cannot become a line is not read to its end: that may be far.
        if (rest.length > LONGEST_LINE || !(rest[0] === 0 || startsLine(rest, next))) break;
      }
      if (rest.length > LONGEST_LINE) this.found = endless(this.link);
      else if (rest.length > 0) this.found ??= damageOfEnd(rest, this.link);
      if (isSettled(version, Date.now())) this.seen = version;
    } catch (error) {
      throw error instanceof EspalierError ? error : readError(this.file, error);
    } finally {
      await handle.close();
    }
  }

  private async open(): Promise<FileHandle | undefined> {
    try {
      return await openToRead(this.file, fileOfRun(this.file));
    } catch (error) {
      if (fileProblem(error).missing) return undefined;
      throw readError(this.file, error);
    }
  }
}

/**
 * For whoever needs all of a journal, and has read what there is.
 *
 * @throws EspalierError `runs/damaged` where something of it could not be read; changed line ends hide nothing
 */
export function checkWhole({ file, damage }: Pick<JournalReader, 'file' | 'damage'>): void {
  if (damage && damage.kind !== 'line-ends') throw damageError(file, damage);
}

/** What going on with a damaged journal is refused with. */
export function damageError(file: string, { kind, line, reason }: JournalDamage): EspalierError {
  return new EspalierError({
    code: 'runs/damaged',
    operation: `reading line ${line} of ${file}`,
    expected: 'the line as it was written',
    actual: reason,
    remedy: REMEDIES[kind](line, `\`espalier search --resume ${path.basename(path.dirname(file))} --recover\``),
    file,
  });
}

const REMEDIES: Readonly<Record<DamageKind, (line: number, recover: string) => string>> = {
  changed: (line, recover) =>
    `Restore the file, or go on from the ${line - 1} lines before it with ${recover}: what stood behind them is then evaluated again, and the journal as it is now is kept beside.`,
  'line-ends': (_, recover) =>
    `Nothing is lost: ${recover} (or \`dos2unix\`) gives the line ends back. With \`* -text\` in .espalier/runs/.gitattributes git leaves them alone.`,
  newer: (line, recover) =>
    `Update Espalier, and go on with the version that wrote it. ${recover} would go on from the ${line - 1} lines before, and keep the journal as it is now beside.`,
};

function endless({ seq }: JournalLink): JournalDamage {
  return { kind: 'changed', line: seq + 1, reason: `a line of more than ${LONGEST_LINE} bytes` };
}

async function readPortion(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function tooLongError(file: string, size: bigint): EspalierError {
  return readError(file, `${size} bytes, more than any run writes`);
}

/** Why a journal cannot be read at all. */
export function readError(file: string, error: unknown): EspalierError {
  return new EspalierError(
    {
      code: 'io/read',
      operation: `reading ${file}`,
      expected: 'a journal that can be read',
      actual: reasonOf(error),
      remedy: 'Check what lies in the run’s folder, and its permissions.',
      file,
    },
    { cause: error },
  );
}
