/** What a file is that is no text to be read as it is, and what to do about it. */
export interface DataFormat {
  /** "JSON lines": what it was recognised as. */
  readonly name: string;
  readonly remedy: string;
}

const EXTRACT =
  'Espalier reads plain text: write the field that holds the text of each row to a .txt file, rows separated by a blank line. ' +
  'Names, brackets and quotes around it would be counted as words.';

/** How files begin. The name of a file says nothing: data sets are handed on under any. */
const BEGINNINGS: readonly (DataFormat & { readonly bytes: readonly number[]; readonly at?: number })[] = [
  { name: 'gzip', bytes: [0x1f, 0x8b], remedy: 'Unpack it first: gunzip.' },
  { name: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd], remedy: 'Unpack it first: zstd -d.' },
  { name: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], remedy: 'Unpack it first: unxz.' },
  { name: 'lz4', bytes: [0x04, 0x22, 0x4d, 0x18], remedy: 'Unpack it first: lz4 -d.' },
  { name: 'bzip2', bytes: [0x31, 0x41, 0x59, 0x26, 0x53, 0x59], at: 4, remedy: 'Unpack it first: bunzip2.' },
  { name: 'a zip archive', bytes: [0x50, 0x4b, 0x03, 0x04], remedy: 'Unpack it first, and name one text in it.' },
  { name: 'a 7z archive', bytes: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], remedy: 'Unpack it first.' },
  {
    name: 'a tar archive',
    bytes: codesOf('ustar'),
    at: 257,
    remedy: 'Unpack it first, and name one text in it.',
  },
  { name: 'Parquet', bytes: codesOf('PAR1'), remedy: EXTRACT },
  { name: 'Arrow', bytes: codesOf('ARROW1'), remedy: EXTRACT },
  // A stream of messages, as the data sets of Hugging Face are cached: a mark, a length, and no text at any rate.
  { name: 'Arrow', bytes: [0xff, 0xff, 0xff, 0xff], remedy: EXTRACT },
  { name: 'a NumPy array', bytes: [0x93, ...codesOf('NUMPY')], remedy: EXTRACT },
  { name: 'an SQLite database', bytes: codesOf('SQLite format 3\0'), remedy: EXTRACT },
  { name: 'PDF', bytes: codesOf('%PDF-'), remedy: 'Extract its text first: pdftotext.' },
];

function codesOf(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0));
}

/** A format whose files begin with bytes of its own. */
export function binaryFormat(bytes: Uint8Array): DataFormat | undefined {
  return BEGINNINGS.find(({ bytes: beginning, at = 0 }) => beginning.every((byte, i) => bytes[at + i] === byte));
}

/**
 * JSON that was meant to be read as data: one document, or an object a line. A text that only begins with a bracket, quotes some JSON or has it in
 * its first line is a text.
 */
export function jsonFormat(text: string): DataFormat | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  if (isRows(text)) return { name: 'JSON lines', remedy: EXTRACT };
  return isData(parsed(text)) || isCutOff(text) ? { name: 'JSON', remedy: EXTRACT } : undefined;
}

/** One token of JSON: a bracket, a string, a number, a word. */
const TOKEN = /\s*(?:([[{])|([\]}])|[,:]|"(?:[^"\\\n\r]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)/y;
/** What a document may end with where it was cut off: nothing, part of a string or of a word. */
const TORN = /^\s*(?:"(?:[^"\\\n\r]|\\.)*\\?|[a-z]{1,4}|-)?$/;

/** Whether a document was cut off, as by `head -c`: tokens of JSON to its end, and brackets with a string in them that nothing closes. */
function isCutOff(text: string): boolean {
  let depth = 0;
  let strings = 0;
  let end = 0;
  for (TOKEN.lastIndex = 0; ; end = TOKEN.lastIndex) {
    const found = TOKEN.exec(text);
    if (!found) return depth > 0 && strings > 0 && TORN.test(text.slice(end));
    depth += Number(found[1] !== undefined) - Number(found[2] !== undefined);
    if (found[0].endsWith('"')) strings++;
    if (depth === 0) return false;
  }
}

/** Lines that are looked at. */
const ROWS = 16;

/** Whether the first lines are rows of data, two at least; the last one of the file may be cut off. */
function isRows(text: string): boolean {
  let rows = 0;
  for (let begin = 0; begin < text.length && rows < ROWS;) {
    const end = text.indexOf('\n', begin);
    const line = text.slice(begin, end < 0 ? text.length : end).trim();
    begin = end < 0 ? text.length : end + 1;
    if (line === '') continue;
    if (!isData(parsed(line))) return rows > 0 && end < 0 && /^[[{]/.test(line);
    rows++;
  }
  return rows > 1;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An object, or a list with something else in it than numbers: `[1]` may be a note's number. */
function isData(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (!Array.isArray(value)) return Object.keys(value).length > 0;
  return value.some((item) => typeof item === 'string' || isData(item));
}
