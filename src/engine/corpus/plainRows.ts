import type { RowsSettings } from '../../experiment/corpusRows.ts';
import { corpusError } from './corpusError.ts';
import { textLines } from './textLines.ts';

/** Characters of the longest text: a JavaScript string holds just under 2²⁹; tokens of a text of this size take 1 GiB. */
export const LONGEST_TEXT = 2 ** 29 - 2 ** 16;

type PlainRows = (texts: AsyncIterable<string>, file: string) => AsyncIterable<readonly string[]>;

/** The rows of a plain text, many at a time. */
export const PLAIN_ROWS: Readonly<Record<RowsSettings['rows'], PlainRows>> = {
  whole,
  // As `datasets` makes rows of wiki.test.raw (datasets/wikitext/wikitext.py): `row if row.strip() else ""`.
  wikitext: (texts, file) => linesAs(texts, file, (line) => (strip(line) === '' ? '' : line)),
  // As it makes sentences of ptb.test.txt (datasets/ptb_text_only/ptb_text_only.py): `line.strip()`, blank ones included.
  lines: (texts, file) => linesAs(texts, file, strip),
};

async function* whole(texts: AsyncIterable<string>, file: string): AsyncGenerator<readonly string[]> {
  const parts: string[] = [];
  let length = 0;
  for await (const text of texts) {
    parts.push(text);
    length += text.length;
    if (length > LONGEST_TEXT) throw tooLong(file);
  }
  if (length > 0) yield [parts.join('')];
}

async function* linesAs(
  texts: AsyncIterable<string>,
  file: string,
  rowOf: (line: string) => string,
): AsyncGenerator<readonly string[]> {
  for await (const lines of textLines(texts, 'universal', file)) yield lines.map(rowOf);
}

/** As Python's `str.strip`, which takes separators and U+0085 for white space, and U+FEFF not. */
function strip(line: string): string {
  let begin = 0;
  let end = line.length;
  while (begin < end && WHITE.includes(line[begin]!)) begin++;
  while (end > begin && WHITE.includes(line[end - 1]!)) end--;
  return line.slice(begin, end);
}

const WHITE =
  ' \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';

/** @param actual behind "got" */
export function tooLong(file: string, actual = 'a longer one'): Error {
  return corpusError(
    'evaluation/too-large',
    file,
    `a text of at most ${LONGEST_TEXT} characters`,
    actual,
    'Take a part of its rows (`first`), sample it by documents, or cut the file: one evaluation reads its whole text at once.',
  );
}
