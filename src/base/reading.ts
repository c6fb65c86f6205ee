/** A text in another form, with the place that each of its characters has in the text it was read from. */
export interface Reading {
  readonly text: string;
  /** Where character i begins there; one more at the end. Undefined where nothing has moved. */
  readonly places: Uint32Array | undefined;
}

/** Which escapes are undone: all of them, or those of one kind, where a sign of another stands for itself. */
export type Escapes = 'all' | 'percent' | 'entity' | 'backslash';

/** Escapes of one layer as what they stand for; undefined where there are none. Time is linear. */
export function unescapedReading(of: Reading, escapes: Escapes): Reading | undefined {
  return rewritten(of, ESCAPES[escapes], characterOf);
}

/** Without ends of lines, and characters that are not seen; undefined where there are none. */
export function joinedReading(of: Reading): Reading | undefined {
  return rewritten(of, BETWEEN, () => '');
}

/** The same for a quotation, each line of which begins with a `>`. */
export function joinedQuotation(of: Reading): Reading | undefined {
  return /\n[ \t]{0,9}>/.test(of.text) ? rewritten(of, BETWEEN_QUOTED, () => '') : undefined;
}

/** Bytes in hexadecimal as digits alone, in small letters; undefined where there are none that are parted. */
export function digitsReading(of: Reading): Reading | undefined {
  return /(?:[0-9a-f]{2}[^0-9a-z]{1,4}(?:0x|x)?){7}/i.test(of.text)
    ? rewritten(of, BETWEEN_DIGITS, () => '')
    : undefined;
}

/** Numbers parted by commas alone; undefined where there is no row of them. */
export function numbersReading(of: Reading): Reading | undefined {
  return /(?:\d{2,3}[\s,;]{1,20}){7}/.test(of.text) ? rewritten(of, BETWEEN_NUMBERS, () => ',') : undefined;
}

export function readingOf(text: string): Reading {
  return { text, places: undefined };
}

/** The part of the text that was read first, for a part of a reading. */
export function placesOf({ places }: Reading, begin: number, end: number): readonly [number, number] {
  return places ? [places[begin]!, places[end]!] : [begin, end];
}

const PERCENT = '%[0-9a-f]{2}|%u[0-9a-f]{4}|=[0-9a-f]{2}';
const ENTITY = '&#x0{0,6}[0-9a-f]{2};?|&#0{0,6}\\d{2,3};?|&[a-z]{2,7};';
const BACKSLASH = '\\\\u[0-9a-f]{4}|\\\\u\\{0{0,4}[0-9a-f]{2}\\}|\\\\x[0-9a-f]{2}|\\\\[0-7]{3}|\\\\[nrt]|\\\\[^\\w\\s]';

/**
 * Percents (`%2d`, `%u002d`) and quoted-printable (`=2D`); entities (`&#45;`, `&#x2d;`, `&amp;`); escapes of JSON, JavaScript and C
 * (`\u002d`, `\x2d`, `\055`, `\/`); and full-width characters.
 */
const ESCAPES: Readonly<Record<Escapes, RegExp>> = {
  all: new RegExp(`${PERCENT}|${ENTITY}|${BACKSLASH}|[\uff01-\uff5e]`, 'gi'),
  percent: new RegExp(PERCENT, 'gi'),
  entity: new RegExp(ENTITY, 'gi'),
  backslash: new RegExp(BACKSLASH, 'gi'),
};

/** What an escape stands for; undefined where that is no ASCII. */
function characterOf(escape: string): string | undefined {
  const second = escape[1] ?? '';
  switch (escape[0]!) {
    case '%':
    case '=':
      return hexadecimal(escape.slice(/u/i.test(second) ? 2 : 1));
    case '&':
      if (second !== '#') return NAMES[escape.slice(1, -1).toLowerCase()];
      return /x/i.test(escape[2]!) ? hexadecimal(escape.slice(3)) : asciiOf(parseInt(escape.slice(2), 10));
    case '\\':
      if (/[nrt]/i.test(second)) return '\n';
      if (/[ux]/i.test(second)) return hexadecimal(escape.slice(2).replace('{', ''));
      return /\d/.test(second) ? asciiOf(parseInt(escape.slice(1), 8)) : second;
    default:
      return String.fromCharCode(escape.charCodeAt(0) - FULL_WIDTH);
  }
}

function hexadecimal(digits: string): string | undefined {
  return asciiOf(parseInt(digits, 16));
}

const FULL_WIDTH = 0xfee0;
const NAMES: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", plus: '+', equals: '=', sol: '/', bsol: '\\', lowbar: '_' },
  ...{ hyphen: '-', dash: '-', period: '.', colon: ':', comma: ',', num: '#', excl: '!', dollar: '$', percnt: '%' },
  ...{ ast: '*', midast: '*', commat: '@', lsqb: '[', lbrack: '[', rsqb: ']', rbrack: ']', hat: '^', grave: '`' },
  ...{ lcub: '{', lbrace: '{', rcub: '}', rbrace: '}', verbar: '|', vert: '|', lpar: '(', rpar: ')', semi: ';' },
  ...{ quest: '?', tilde: '~' },
};
/** Also the zeros of UTF-16 that was read as bytes. */
const BETWEEN = /(?:[ \t]{0,9}\n\s{0,40}|(?!\n)[\p{Cc}\p{Cf}])+/gu;
const BETWEEN_QUOTED = /[ \t\r]{0,9}\n[\s>]{0,40}/g;
const BETWEEN_DIGITS = /(?:0x|\\x|[\s:,;"'-])+/gi;
const BETWEEN_NUMBERS = /[\s,;]+/g;

function asciiOf(code: number): string | undefined {
  return code < 0x80 ? String.fromCharCode(code) : undefined;
}

/** @param to what a match becomes; undefined for one that stays */
function rewritten(
  { text, places }: Reading,
  pattern: RegExp,
  to: (found: string) => string | undefined,
): Reading | undefined {
  const parts: string[] = [];
  /** Of a match: where it begins, where it ends, and the length of what it becomes. */
  const moved: number[] = [];
  const again = new RegExp(pattern);
  for (let match = again.exec(text), from = 0; match; match = again.exec(text)) {
    const become = to(match[0]);
    if (become === undefined) continue;
    parts.push(text.slice(from, match.index), become);
    from = match.index + match[0].length;
    moved.push(match.index, from, become.length);
  }
  if (moved.length === 0) return undefined;
  parts.push(text.slice(moved.at(-2)));
  const read = parts.join('');
  const now = new Uint32Array(read.length + 1);
  let at = 0;
  let from = 0;
  const keepUpTo = (end: number): void => {
    for (; from < end; from++) now[at++] = places ? places[from]! : from;
  };
  for (let i = 0; i < moved.length; i += 3) {
    keepUpTo(moved[i]!);
    const place = places ? places[from]! : from;
    for (let added = moved[i + 2]!; added > 0; added--) now[at++] = place;
    from = moved[i + 1]!;
  }
  keepUpTo(text.length + 1);
  return { text: read, places: now };
}
