import {
  digitsReading,
  joinedQuotation,
  joinedReading,
  numbersReading,
  placesOf,
  readingOf,
  unescapedReading,
} from './reading.ts';
import type { Escapes, Reading } from './reading.ts';

/** From where to where in a text, in UTF-16 units. */
export type Range = readonly [begin: number, end: number];

/**
 * Where a text holds a secret, as it is or encoded: escaped in the ways that {@link unescapedReading} knows, wholly or in part, up to
 * three times; over several lines; as UTF-16; as bytes in hexadecimal or decimal; in base64 or base64url, wherever in what was encoded it
 * stands, as it is, escaped as in JSON or an address, as UTF-16, or in base64 once more. Sorted, none overlapping. Time is linear in the
 * length of the text.
 *
 * @param secret of eight characters at least: a shorter one may stand in a text by chance
 */
export function findSecret(text: string, secret: string): readonly Range[] {
  const forms = formsOf(secret);
  const found: Range[] = [...rangesOf(readingOf(text), forms)];
  const begun = new Set<string>();
  for (const escapes of ESCAPES) {
    let reading = unescapedReading(readingOf(text), escapes);
    // Most texts have escapes of one kind: they have been read then.
    if (reading && begun.has(reading.text)) continue;
    begun.add(reading?.text ?? '');
    for (let layer = 1; reading && layer <= LAYERS; layer++) {
      found.push(...rangesOf(reading, forms));
      reading = unescapedReading(reading, escapes);
    }
  }
  return merged(found);
}

const ESCAPES: readonly Escapes[] = ['all', 'percent', 'entity', 'backslash'];
/** How often a text may be escaped. */
const LAYERS = 3;

/** What a secret looks like. */
interface Forms {
  readonly secret: string;
  readonly plain: readonly string[];
  /** In the alphabet of base64. */
  readonly base64: readonly string[];
  /** Digits, in small letters. */
  readonly hexadecimal: readonly string[];
  /** Numbers, parted by commas. */
  readonly decimal: readonly string[];
}

/** Of the secret that was looked for last: a process has one. */
let known: Forms | undefined;

function formsOf(secret: string): Forms {
  if (known?.secret === secret) return known;
  const bytes = Buffer.from(secret);
  const wide = Buffer.from(secret, 'utf16le');
  const raw = [bytes, wide, Buffer.from(wide).swap16()];
  const escaped = [JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)].map((text) => Buffer.from(text));
  const twice = base64Of(bytes).flatMap((text) =>
    [text, text.replace(/\+/g, '-').replace(/\//g, '_')].map((each) => Buffer.from(each)),
  );
  // What a secret is unescaped as, where it looks escaped itself: that is how it is read in the end.
  const unescaped = unescapedAll(secret);
  known = {
    secret,
    plain: unescaped.length < SHORTEST || unescaped === secret ? [secret] : [secret, unescaped],
    base64: [...new Set([...raw, ...escaped, ...twice].flatMap(base64Of))],
    hexadecimal: raw.map((each) => each.toString('hex')),
    decimal: raw.map((each) => each.join(',')),
  };
  return known;
}

const SHORTEST = 8;

function unescapedAll(secret: string): string {
  let reading = readingOf(secret);
  for (let layer = 0; layer < LAYERS; layer++) reading = unescapedReading(reading, 'all') ?? reading;
  return reading.text;
}

/** What bytes are in base64, for each of the three places that they can begin at: the digits that depend on nothing else. */
function base64Of(bytes: Uint8Array): readonly string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([new Uint8Array(before), bytes]).toString('base64');
    return text.slice(Math.ceil((8 * before) / 6), Math.floor((8 * (before + bytes.length)) / 6));
  });
}

function* rangesOf(reading: Reading, { plain, base64, hexadecimal, decimal }: Forms): Generator<Range> {
  const [joined, digits, numbers] = [joinedReading(reading), digitsReading(reading), numbersReading(reading)];
  for (const each of [reading, joined, joinedQuotation(reading)]) {
    if (!each) continue;
    for (const form of plain) yield* placesIn(each, occurrences(each.text, form));
    const inAlphabet = each.text.replace(/-/g, '+').replace(/_/g, '/');
    // The digits on either side have bits of it, too.
    for (const form of base64) {
      yield* placesIn(
        each,
        occurrences(inAlphabet, form).map((range) => widened(inAlphabet, range)),
      );
    }
  }
  for (const each of [reading, joined, digits]) {
    if (!each) continue;
    const small = each.text.replace(/[A-F]+/g, (letters) => letters.toLowerCase());
    for (const form of hexadecimal) yield* placesIn(each, occurrences(small, form));
  }
  for (const each of [reading, numbers]) {
    if (!each) continue;
    const isWhole = ([begin, end]: Range): boolean =>
      !/\d/.test(each.text[begin - 1] ?? '') && !/\d/.test(each.text[end] ?? '');
    for (const form of decimal) yield* placesIn(each, occurrences(each.text, form).filter(isWhole));
  }
}

function placesIn(reading: Reading, ranges: readonly Range[]): readonly Range[] {
  return ranges.map(([begin, end]) => placesOf(reading, begin, end));
}

function occurrences(text: string, form: string): readonly Range[] {
  const found: [number, number][] = [];
  for (let i = text.indexOf(form); i !== -1; i = text.indexOf(form, i + 1)) {
    const last = found.at(-1);
    if (last && i <= last[1]) last[1] = i + form.length;
    else found.push([i, i + form.length]);
  }
  return found;
}

function widened(text: string, [begin, end]: Range): Range {
  const before = BASE64.test(text[begin - 1] ?? '') ? 1 : 0;
  return [begin - before, end + /^[A-Za-z0-9+/]?={0,2}/.exec(text.slice(end, end + 3))![0].length];
}

const BASE64 = /[A-Za-z0-9+/]/;

function merged(ranges: readonly Range[]): readonly Range[] {
  const sorted = [...ranges].sort(([a], [b]) => a - b);
  const all: [number, number][] = [];
  for (const [begin, end] of sorted) {
    const last = all.at(-1);
    if (last && begin < last[1]) last[1] = Math.max(last[1], end);
    else all.push([begin, end]);
  }
  return all;
}
