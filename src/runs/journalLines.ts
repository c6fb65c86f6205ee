import { decodeLine } from './journalLine.ts';
import type { DecodedLine, JournalLink, JournalRecord } from './journalLine.ts';

/** Why a journal is not as it was written; {@link damageError} has the words for each. */
export type DamageKind =
  /** A line that was changed, left out, moved, or is no line of this journal. */
  | 'changed'
  /** Every line is whole, but some end with a carriage return: git does that where `core.autocrlf` is set. */
  | 'line-ends'
  /** As it was written, by a version that knows more. */
  | 'newer';

export interface JournalDamage {
  readonly kind: DamageKind;
  /** Counts from 1. */
  readonly line: number;
  /** As a noun phrase. */
  readonly reason: string;
}

export interface DecodedLines {
  readonly records: readonly JournalRecord[];
  /** Bytes of the lines that are whole. */
  readonly used: number;
  /** What the line behind those must continue. */
  readonly next: JournalLink;
  /** Why the line behind those is none, where there is one. */
  readonly damage: JournalDamage | undefined;
  /** The first of the lines that ends with a carriage return. Its text is as it was written. */
  readonly lineEnds: JournalDamage | undefined;
}

/** Decodes whole lines from the start of `bytes`, up to the first that is not as it should be. */
export function decodeLines(bytes: Buffer, link: JournalLink): DecodedLines {
  const records: JournalRecord[] = [];
  let used = 0;
  let next = link;
  let damage: JournalDamage | undefined;
  let lineEnds: JournalDamage | undefined;
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, used)) {
    const line = next.seq + 1;
    const text = withoutReturn(bytes.subarray(used, end));
    const decoded = decodeLine(text, next);
    damage = damageOfLine(decoded, line);
    if (decoded.kind !== 'record') break;
    if (text.length < end - used) lineEnds ??= changedEnd(line);
    records.push(decoded.record);
    next = decoded.next;
    used = end + 1;
  }
  return { records, used, next, damage, lineEnds };
}

/** @param line counts from 1 */
export function damageOfLine(decoded: DecodedLine, line: number): JournalDamage | undefined {
  switch (decoded.kind) {
    case 'record':
      return undefined;
    case 'damaged':
      return { kind: 'changed', line, reason: 'a line that is not as it was written' };
    case 'unknown': {
      const reason = `an event that this version does not know, written by a newer one (${decoded.reason})`;
      return { kind: 'newer', line, reason };
    }
  }
}

/** A line whose text is as it was written, and its end is not. */
export function changedEnd(line: number): JournalDamage {
  return { kind: 'line-ends', line, reason: 'a line that ends with CR LF, as git leaves it with core.autocrlf' };
}

/**
 * What is wrong with the bytes behind the last line feed of a journal; nothing where a write that was cut off can have left them: the
 * beginning of the line that comes there, and zeros behind it where a file system had made room but had no data yet.
 * Nobody was told that such a line had been written.
 */
export function damageOfEnd(rest: Buffer, link: JournalLink): JournalDamage | undefined {
  const zero = rest.indexOf(0);
  const text = zero < 0 ? rest : rest.subarray(0, zero);
  const zeros = zero < 0 ? rest.subarray(rest.length) : rest.subarray(zero);
  // Nothing but zeros is no journal that was begun: what it held is gone, and a person should know.
  const isWiped = link.seq === 0 && text.length === 0 && zeros.length > 0;
  if (!isWiped && startsLine(text, link) && isOneLine(text, link) && zeros.every((byte) => byte === 0))
    return undefined;
  return {
    kind: 'changed',
    line: link.seq + 1,
    reason: 'text that is not the beginning of the line that was written there',
  };
}

/** Whether `text` agrees with how the line that comes here must begin, as far as it goes. */
export function startsLine(text: Buffer, { seq }: JournalLink): boolean {
  const beginning = Buffer.from(`{"seq":${seq},"at":`);
  const length = Math.min(beginning.length, text.length);
  return beginning.compare(text, 0, length, 0, length) === 0;
}

/** A line is cut off before its object ends, or is whole but for its line feed; and has no control characters, which JSON escapes. */
function isOneLine(text: Buffer, link: JournalLink): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]!;
    if (byte < SPACE) return false;
    if (byte === QUOTE) inString = !inString;
    else if (inString) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === OPEN) depth++;
    else if (byte === CLOSE && --depth === 0)
      return at === text.length - 1 && decodeLine(text, link).kind !== 'damaged';
  }
  return true;
}

/** A line as it was written, where its end was changed to CR LF. */
export function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}

export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
