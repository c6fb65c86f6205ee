import type { RowsSettings } from '../../experiment/corpusRows.ts';
import { corpusError } from './corpusError.ts';
import { textLines } from './textLines.ts';
import { strip } from '../../base/pythonText.ts';
import { wikitextRows } from './wikitextRows.ts';

/** Characters of the longest text: a JavaScript string holds just under 2²⁹; tokens of a text of this size take 1 GiB. */
export const LONGEST_TEXT = 2 ** 29 - 2 ** 16;

type PlainRows = (texts: AsyncIterable<string>, file: string) => AsyncIterable<readonly string[]>;

/** The rows of a plain text, many at a time. */
export const PLAIN_ROWS: Readonly<Record<RowsSettings['rows'], PlainRows>> = {
  whole,
  wikitext: wikitextRows,
  // As `datasets` makes sentences of ptb.test.txt (datasets/ptb_text_only/ptb_text_only.py): `line.strip()`, blank ones included.
  lines: strippedLines,
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

async function* strippedLines(texts: AsyncIterable<string>, file: string): AsyncGenerator<readonly string[]> {
  for await (const lines of textLines(texts, 'universal', file)) yield lines.map(strip);
}

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
