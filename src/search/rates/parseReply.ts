import { MEAN_TOLERANCE, meanOf, projectRates, ratesKey } from './rates.ts';
import type { RateSpace } from './rates.ts';

/** What stood in a reply. */
export interface ParsedReply {
  /** At most as many as were wanted, in the order of the reply. */
  readonly lists: readonly ParsedList[];
  /** Why each of the others cannot be used, in the order of the reply. */
  readonly refused: readonly string[];
}

export interface ParsedList {
  readonly rates: readonly number[];
  /** Whether it had to be projected onto mean, range and five decimals. */
  readonly repaired: boolean;
}

export interface Wanted {
  readonly space: RateSpace;
  readonly count: number;
  /** Keys of the rates that there are already, see {@link ratesKey}. */
  readonly known: ReadonlySet<string>;
}

/**
 * Reads the lists of rates in a language model's reply. The reply is data from outside: whatever it says, what comes out of it are
 * lists of as many rates as there are blocks, in [0, 1], with the mean, each new.
 *
 * A list is what stands between a `[` and the next `]` without another `[` between them, so prose, code fences and a list around the
 * lists do no harm; brackets without a digit are prose. Its items are plain decimals. One that is nearly right (mean up to 0.1 off,
 * rates up to 0.1 out of range, other decimals) is projected. What a model thinks aloud before it answers (`<think>…</think>`) is no
 * answer. Time is linear in the length of the reply, and what stands beyond {@link MAX_LENGTH} is not read.
 */
export function parseReply(text: string, wanted: Wanted): ParsedReply {
  const lists: ParsedList[] = [];
  const refused: string[] = [];
  const known = new Set(wanted.known);
  for (const body of bracketed(answerOf(text.slice(0, MAX_LENGTH)))) {
    if (lists.length === wanted.count || refused.length === MAX_REFUSED) break;
    const read = readList(body, wanted.space);
    if (typeof read === 'string') {
      refused.push(read);
      continue;
    }
    const key = ratesKey(read.rates);
    if (known.has(key)) {
      refused.push(
        read.repaired ? 'it is the same as another one, once it has the right mean' : 'it was there already',
      );
      continue;
    }
    known.add(key);
    lists.push(read);
  }
  return { lists, refused };
}

/** UTF-16 units. */
const MAX_LENGTH = 4_000_000;
export const MAX_REFUSED = 1000;

/** Farthest that a list's mean, and a rate from its range, may be off to count as nearly right. */
const NEAR = 0.1 + 1e-9;

function answerOf(text: string): string {
  const end = text.lastIndexOf(THOUGHT_ENDS);
  if (end !== -1) return text.slice(end + THOUGHT_ENDS.length);
  const begin = text.indexOf('<think>');
  return begin === -1 ? text : text.slice(0, begin);
}

const THOUGHT_ENDS = '</think>';

interface Bracketed {
  readonly text: string;
  readonly closed: boolean;
}

/** What stands in innermost brackets; the last ones may not be closed. */
function* bracketed(text: string): Generator<Bracketed> {
  let begin = -1;
  for (let i = nextBracket(text, 0); i !== -1; i = nextBracket(text, i + 1)) {
    if (text[i] === '[') begin = i + 1;
    else if (begin !== -1) {
      const body = text.slice(begin, i);
      begin = -1;
      if (DIGIT.test(body)) yield { text: body, closed: true };
    }
  }
  const body = begin === -1 ? '' : text.slice(begin);
  if (DIGIT.test(body)) yield { text: body, closed: false };
}

function nextBracket(text: string, from: number): number {
  for (let i = from; i < text.length; i++) if (text[i] === '[' || text[i] === ']') return i;
  return -1;
}

const DIGIT = /\d/;
/** A plain decimal: neither exponents nor percents nor digits of other scripts. */
const DECIMAL = /^[+-]?(?:\d{1,9}(?:\.\d{0,40})?|\.\d{1,40})$/;
const AS_ASKED = /^[01](?:\.\d{1,5})?$/;

/** @returns the list, or why it cannot be used */
function readList({ text, closed }: Bracketed, space: RateSpace): ParsedList | string {
  const length = space.shares.length;
  if (!closed) return 'its closing bracket is missing';
  const items = text.split(',', length + LOOKAHEAD);
  if (items.length !== length) {
    const many = items.length === length + LOOKAHEAD ? `${items.length} or more` : String(items.length);
    return `it has ${many} ${many === '1' ? 'number' : 'numbers'} instead of ${length}`;
  }
  const rates: number[] = [];
  let asAsked = true;
  for (const item of items) {
    const trimmed = item.length > MAX_ITEM ? item : item.trim();
    if (!DECIMAL.test(trimmed)) return `${quote(trimmed)} is not a decimal number`;
    asAsked &&= AS_ASKED.test(trimmed);
    rates.push(Number(trimmed));
  }
  const outside = rates.find((rate) => rate < -NEAR || rate > 1 + NEAR);
  if (outside !== undefined) return `${Number(outside.toPrecision(6))} is not between 0 and 1`;
  const off = meanOf(rates, space) - space.mean;
  if (Math.abs(off) > NEAR) return `its mean is ${(space.mean + off).toFixed(5)} instead of ${space.mean.toFixed(5)}`;
  if (asAsked && Math.abs(off) <= MEAN_TOLERANCE && rates.every((rate) => rate <= 1)) return { rates, repaired: false };
  return { rates: projectRates(rates, space), repaired: true };
}

/** A list that is longer is read no further. */
const LOOKAHEAD = 1000;
const MAX_ITEM = 1000;

/** Part of a reply as it may stand in a prompt, a log or a journal. */
function quote(text: string): string {
  const start = text.slice(0, 20).replace(/[^\x20-\x7e]/g, '?');
  return JSON.stringify(text.length > 20 ? `${start}…` : start);
}
