import { parseBoundedJson } from '../../base/boundedJson.ts';

/** What a text is: prose, a list or an object of JSON, or an object a line. */
export type TextFormat = 'text' | 'list' | 'object' | 'lines';

/**
 * What a text was meant to be read as. One that only begins with a bracket, quotes some JSON or has it in its first line is prose.
 *
 * @param head its beginning, without a byte order mark
 * @param isWhole whether that is all of it
 */
export function textFormatOf(head: string, isWhole: boolean): TextFormat {
  const bracket = /^\s*([[{])/.exec(head)?.[1];
  if (bracket === undefined) return 'text';
  if (rowsOf(head) > 1) return 'lines';
  const asDocument = bracket === '[' ? 'list' : 'object';
  if (isWhole && isData(parsed(head))) return asDocument;
  const torn = tornOff(head, isWhole);
  if (!torn) return 'text';
  // A first line longer than what is looked at: a row whose text goes on, or a list with rows in it.
  const isLongRow = !isWhole && asDocument === 'object' && torn.depth === 1 && !head.trimStart().includes('\n');
  return isLongRow ? 'lines' : asDocument;
}

/** Lines that are looked at. */
const LINES = 16;

/** How many of the first lines are rows of data, one that is cut off at the end included; 0 where something else is between them. */
function rowsOf(head: string): number {
  let rows = 0;
  for (let begin = 0; begin < head.length && rows < LINES;) {
    const end = head.indexOf('\n', begin);
    const line = head.slice(begin, end < 0 ? head.length : end).trim();
    begin = end < 0 ? head.length : end + 1;
    if (line === '') continue;
    const isCutOff = rows > 0 && end < 0 && /^[[{]/.test(line);
    if (!isCutOff && !isData(parsed(line))) return 0;
    rows++;
  }
  return rows;
}

function parsed(text: string): unknown {
  try {
    return parseBoundedJson(text);
  } catch {
    return undefined;
  }
}

/** An object with something in it, or a list with something else than numbers somewhere: `[1]` may be a note's number. */
function isData(value: unknown): boolean {
  const left = [value];
  while (left.length > 0) {
    const item = left.pop();
    if (!Array.isArray(item)) {
      if (isContainer(item) && Object.keys(item).length > 0) return true;
      continue;
    }
    for (const each of item as unknown[]) {
      if (typeof each === 'string') return true;
      if (isContainer(each)) left.push(each);
    }
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** One token of JSON: a bracket, a mark, a quote, a number, a word. */
const TOKEN = /\s*(?:([[{])|([\]}])|(")|[,:]|-?\d[\d.eE+-]*|true|false|null)/y;
/** What a document may end with where it was cut off: nothing, part of a word. */
const TORN = /^\s*(?:[a-z]{1,4}|-)?$/;

/**
 * How deep in brackets a text ends that is tokens of JSON to its end, cut off or put together wrongly; undefined for others, and for a
 * whole one without a string.
 */
function tornOff(text: string, isWhole: boolean): { readonly depth: number } | undefined {
  let depth = 0;
  let strings = 0;
  for (TOKEN.lastIndex = 0; ;) {
    const end = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    const isTorn = strings > 0 || !isWhole;
    if (!found) return isTorn && TORN.test(text.slice(end)) ? { depth } : undefined;
    if (found[3] !== undefined) {
      const close = endOfString(text, TOKEN.lastIndex);
      if (close === undefined) return undefined;
      if (close === text.length) return isTorn ? { depth } : undefined;
      TOKEN.lastIndex = close + 1;
      strings++;
    }
    depth += Number(found[1] !== undefined) - Number(found[2] !== undefined);
    if (depth < 0) return undefined;
  }
}

/** Position of the quote that closes a string; the end of the text where it is cut off, undefined where a line ends in it. */
function endOfString(text: string, begin: number): number | undefined {
  for (let at = begin; at < text.length; at++) {
    const letter = text[at]!;
    if (letter === '"') return at;
    if (letter === '\n' || letter === '\r') return undefined;
    if (letter === '\\') at++;
  }
  return text.length;
}
