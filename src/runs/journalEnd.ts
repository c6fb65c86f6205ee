import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { RunEvent, RunKind } from '../search/kinds.ts';
import { fileProblem } from '../files/fileProblem.ts';
import { openToRead } from '../files/openRegular.ts';
import { firstLink, linkAfter } from './journalLine.ts';
import type { JournalLink, JournalRecord } from './journalLine.ts';
import { damageOfEnd, decodeLines, LINE_FEED, startsLine, withoutReturn } from './journalLines.ts';
import type { JournalDamage } from './journalLines.ts';
import { LONGEST_JOURNAL, readError } from './journalReader.ts';
import { JOURNAL_FILE } from './runFolder.ts';
import type { RunFolder } from './runFolder.ts';
import { fileOfRun } from './runPath.ts';

/** The last records of a journal. */
export interface JournalEnd {
  readonly records: readonly JournalRecord[];
  /** What is wrong with what was read. What stands before it may be damaged, too. */
  readonly damage: JournalDamage | undefined;
}

/** Bytes that are read off the end first; then eight times as many. */
const FIRST = 64 << 10;
/** No more are read, whatever a journal is or pretends to be: lists are read often. */
const MOST = 8 * 8 * 8 * FIRST;

/**
 * Reads a journal off its end, however long it is, until there is enough. One that is not there has none.
 *
 * @param isEnough whether records before these, from so many bytes, could say anything new
 * @throws EspalierError `io/read`
 */
export async function readEnd(
  { folder, record: run }: RunFolder,
  isEnough: (events: readonly RunEvent[], bytes: number) => boolean,
): Promise<JournalEnd> {
  const file = path.join(folder, JOURNAL_FILE);
  try {
    const handle = await openToRead(file, fileOfRun(file));
    try {
      return await endOf(handle, firstLink(run), isEnough);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (fileProblem(error).missing) return { records: [], damage: undefined };
    throw readError(file, error);
  }
}

async function endOf(
  handle: FileHandle,
  first: JournalLink,
  isEnough: (events: readonly RunEvent[], bytes: number) => boolean,
): Promise<JournalEnd> {
  const { size } = await handle.stat();
  if (size > LONGEST_JOURNAL) throw new Error(`${size} bytes, more than any run writes`);
  for (let length = FIRST; ; length *= 8) {
    const start = Math.max(0, size - length);
    const bytes = await bytesOf(handle, start, size - start);
    const end = await (start === 0 ? decodeAll(bytes, first) : decodeFromWithin(bytes, first.kind));
    if (start === 0) return end;
    // What is wrong right behind a line that was taken on trust may be that line.
    const isCertain = end.records.length > 0;
    const events = end.records.map(({ event }) => event);
    if (isCertain && (end.damage !== undefined || length >= MOST || isEnough(events, length))) return end;
    if (length >= MOST) return damageOfBeginning(await bytesOf(handle, 0, FIRST), first);
  }
}

/** Bytes that are decoded in a row, some milliseconds' work: lists are read where a person types. */
const AT_A_TIME = 64 << 10;

async function decodeAll(bytes: Buffer, first: JournalLink): Promise<JournalEnd> {
  const records: JournalRecord[] = [];
  let link = first;
  let used = 0;
  let lineEnds: JournalDamage | undefined;
  let size = AT_A_TIME;
  for (;;) {
    const end = Math.min(bytes.length, used + size);
    const decoded = decodeLines(bytes.subarray(used, end), link);
    for (const record of decoded.records) records.push(record);
    used += decoded.used;
    link = decoded.next;
    lineEnds ??= decoded.lineEnds;
    if (decoded.damage) return { records, damage: decoded.damage };
    if (end === bytes.length) break;
    // Within a long line ever more: looking for its end takes time in proportion.
    size = decoded.used === 0 ? 2 * size : AT_A_TIME;
    await setImmediate();
  }
  const rest = bytes.subarray(used);
  return { records, damage: (rest.length > 0 ? damageOfEnd(rest, link) : undefined) ?? lineEnds };
}

/** The first whole line says what the next must continue. */
async function decodeFromWithin(bytes: Buffer, kind: RunKind): Promise<JournalEnd> {
  const begin = bytes.indexOf(LINE_FEED) + 1;
  const end = bytes.indexOf(LINE_FEED, begin);
  const link = begin === 0 || end < 0 ? undefined : linkAfter(withoutReturn(bytes.subarray(begin, end)), kind);
  return link ? decodeAll(bytes.subarray(end + 1), link) : { records: [], damage: undefined };
}

/** Of a journal in whose end there is no line: one of a large model may be as long, anything else is none. */
function damageOfBeginning(bytes: Buffer, first: JournalLink): JournalEnd {
  const { used, next, damage } = decodeLines(bytes, first);
  const isLine = startsLine(bytes.subarray(used), next);
  return { records: [], damage: damage ?? (isLine ? undefined : damageOfEnd(bytes.subarray(used), next)) };
}

async function bytesOf(handle: FileHandle, start: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, start);
  return buffer.subarray(0, bytesRead);
}
