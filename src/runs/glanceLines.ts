import type { EventLine } from '../search/comparison/curveFold.ts';
import { decodeLine, linkAfter } from './journalLine.ts';
import type { JournalLink, JournalRecord } from './journalLine.ts';
import { changedEnd, damageOfLine, LINE_FEED, withoutReturn } from './journalLines.ts';
import type { DecodedLines, JournalDamage } from './journalLines.ts';

export interface Glancer {
  /** Takes what is needed off the two ends of a line; false where it has to be read as a whole. */
  readonly passes: (line: EventLine) => boolean;
  readonly take: (record: JournalRecord) => void;
}

/** What {@link encodeLine} begins every line with, as far as the kind of the event stands first. */
const HEAD = /^\{"seq":(\d{1,15}),"at":(\d{1,16}),"event":\{"kind":"([a-z-]{1,40})"/;
/** Characters: the longest beginning, and what {@link Glancer.passes} may want behind it. */
const HEAD_LENGTH = 320;
/** With the checksum. */
const TAIL_LENGTH = 240;
const CHECK_LENGTH = ',"check":"0123456789abcdef"}'.length;

/**
 * As `decodeLines`, some ten times as fast: of most lines of a long journal only that they come in their order is looked at, and what
 * `passes` takes off them. A line that is read as a whole is checked against the line before as that stands there. So what is told is as
 * it was written, but not everything that was written was looked at.
 */
export function glanceLines(bytes: Buffer, link: JournalLink, { passes, take }: Glancer): DecodedLines {
  let used = 0;
  let seq = link.seq;
  let before: Buffer | undefined;
  let damage: JournalDamage | undefined;
  let lineEnds: JournalDamage | undefined;
  const linkHere = (): JournalLink | undefined => (before ? linkAfter(before, link.kind) : link);
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, used)) {
    const line = withoutReturn(bytes.subarray(used, end));
    const head = line.toString('latin1', 0, HEAD_LENGTH);
    const [, number, at, kind] = HEAD.exec(head) ?? [];
    const tail = (): string =>
      line.toString('latin1', Math.max(0, line.length - TAIL_LENGTH), line.length - CHECK_LENGTH);
    const isNext = Number(number) === seq;
    if (!isNext || !passes({ kind: kind!, at: Number(at), head, tail })) {
      const here = linkHere();
      const decoded = here ? decodeLine(line, here) : ({ kind: 'damaged' } as const);
      damage = damageOfLine(decoded, seq + 1);
      if (decoded.kind !== 'record') break;
      take(decoded.record);
    }
    if (line.length < end - used) lineEnds ??= changedEnd(seq + 1);
    seq++;
    before = line;
    used = end + 1;
  }
  return { records: [], used, next: linkHere() ?? { ...link, seq }, damage, lineEnds };
}
