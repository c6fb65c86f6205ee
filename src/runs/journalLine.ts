import { createHash } from 'node:crypto';
import { parseBoundedJson } from '../base/boundedJson.ts';
import { schemaReason } from '../base/schemaProblem.ts';
import type { RunEvent, RunKind } from '../search/kinds.ts';
import { EVENT_SCHEMAS } from '../search/schema.ts';
import { eventOfFormat1 } from './format1.ts';

/** One line of a journal. */
export interface JournalRecord {
  /** Counts from 0 without gaps. */
  readonly seq: number;
  /** When it was appended, in milliseconds since 1970. */
  readonly at: number;
  readonly event: RunEvent;
}

/** Whose journal it is: a run record says both. */
export interface JournalOwner {
  readonly id: string;
  readonly plan: { readonly kind: RunKind };
}

/** What the next line of a journal must continue. */
export interface JournalLink {
  /** What the run searches for: its events are of that kind. */
  readonly kind: RunKind;
  readonly seq: number;
  /** Checksum of the line before; for the first line it comes from the run. */
  readonly check: string;
}

/** What a line must continue to be the first one of a run: a journal belongs to one run and to no other. */
export function firstLink({ id, plan: { kind } }: JournalOwner): JournalLink {
  return { kind, seq: 0, check: digest('espalier', Buffer.from(id)) };
}

/**
 * A line is JSON with a checksum as its last member, chained: it covers the text before it and the checksum of the line before.
 *
 *     {"seq":0,"at":1763804575000,"event":{…},"check":"0123456789abcdef"}
 */
export function encodeLine(
  record: JournalRecord,
  link: JournalLink,
): { readonly line: string; readonly next: JournalLink } {
  const { seq, at, event } = record;
  const body = JSON.stringify({ seq, at, event }).slice(0, -1);
  const check = digest(link.check, Buffer.from(body));
  return { line: `${body}${BEFORE_CHECK}${check}${AFTER_CHECK}\n`, next: { ...link, seq: seq + 1, check } };
}

export type DecodedLine =
  | { readonly kind: 'record'; readonly record: JournalRecord; readonly next: JournalLink }
  /** Not as it was written, or not the line that comes here. */
  | { readonly kind: 'damaged' }
  /** As it was written, but by a version that knows more. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** @param line its bytes, without the line feed */
export function decodeLine(line: Buffer, link: JournalLink): DecodedLine {
  const check = checkOf(line);
  if (check === undefined || check !== digest(link.check, bodyOf(line))) return { kind: 'damaged' };
  // Its checksum says that this is what was written: what is wrong from here on was wrong when it was written.
  let parsed: { readonly seq?: unknown; readonly at?: unknown; readonly event?: unknown };
  try {
    parsed = parseBoundedJson(line.toString('utf8')) as typeof parsed;
  } catch (error) {
    return { kind: 'unknown', reason: error instanceof Error ? error.message : String(error) };
  }
  const { seq, at } = parsed;
  if (seq !== link.seq || !isTime(at)) return { kind: 'unknown', reason: 'no number or no time of its own' };
  const said = eventOfFormat1(link.kind, parsed.event);
  const event = EVENT_SCHEMAS[link.kind].safeParse(said);
  if (!event.success) return { kind: 'unknown', reason: schemaReason(event.error, said) };
  return { kind: 'record', record: { seq, at, event: event.data }, next: { ...link, seq: seq + 1, check } };
}

/** The link that a line hands on, as it stands there; undefined where it has none. Lets reading begin in the middle. */
export function linkAfter(line: Buffer, kind: RunKind): JournalLink | undefined {
  const check = checkOf(line);
  const seq = /^\{"seq":(\d{1,15}),/.exec(line.toString('latin1', 0, 32));
  return check === undefined || seq === null ? undefined : { kind, seq: Number(seq[1]) + 1, check };
}

const BEFORE_CHECK = ',"check":"';
const AFTER_CHECK = '"}';
/** Hexadecimal digits: 64 bits, far more than chance can forge in a journal of millions of lines. */
const CHECK_DIGITS = 16;
const TAIL = new RegExp(`^${BEFORE_CHECK}([0-9a-f]{${CHECK_DIGITS}})${AFTER_CHECK}$`);
const TAIL_LENGTH = BEFORE_CHECK.length + CHECK_DIGITS + AFTER_CHECK.length;

/** Milliseconds since 1970 that a date can have. */
function isTime(at: unknown): at is number {
  return typeof at === 'number' && Math.abs(at) <= 8.64e15;
}

function checkOf(line: Buffer): string | undefined {
  return TAIL.exec(line.toString('latin1', Math.max(0, line.length - TAIL_LENGTH)))?.[1];
}

function bodyOf(line: Buffer): Buffer {
  return line.subarray(0, line.length - TAIL_LENGTH);
}

function digest(previous: string, body: Buffer): string {
  return createHash('sha256').update(previous).update(body).digest('hex').slice(0, CHECK_DIGITS);
}
