import { damaged, LONGEST_ROW, rowTooLong } from './corpusError.ts';

/** What parts the cells of a line. Commas with quotes as RFC 4180 has them; of tabs, as GLUE writes them, a quote is a letter. */
export type Separator = ',' | '\t';

/**
 * The rows of a table of separated values: cells line by line, in quotes also over several lines. Lines without any cell are none.
 *
 * @throws EspalierError `corpus/damaged` for a quote that does not end, or text behind one that does; `evaluation/too-large`
 */
export function separatedRows(text: string, separator: Separator, file: string): readonly (readonly string[])[] {
  if (separator === '\t') {
    const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
    return lines.filter((line) => line !== '').map((line) => line.split('\t'));
  }
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length;) {
    const cell = text[at] === '"' ? quotedCell(text, at, file, rows.length + 1) : bareCell(text, at);
    row.push(cell.text);
    const end = text[cell.end];
    at = cell.end + 1;
    if (end === ',') {
      // A comma at the very end has an empty cell behind it.
      if (at === text.length) row.push('');
      continue;
    }
    if (end === '\r' && text[at] === '\n') at++;
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

interface Cell {
  readonly text: string;
  /** Of what parts it from the next. */
  readonly end: number;
}

const ENDS = /,|\r?\n|\r$/g;

function bareCell(text: string, begin: number): Cell {
  ENDS.lastIndex = begin;
  const end = ENDS.exec(text)?.index ?? text.length;
  return { text: text.slice(begin, end), end };
}

function quotedCell(text: string, begin: number, file: string, row: number): Cell {
  const parts: string[] = [];
  for (let from = begin + 1; ;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) throw damaged(file, 'comma-separated values', `a quote in row ${row} that does not end`);
    parts.push(text.slice(from, quote));
    if (quote - begin > LONGEST_ROW) throw rowTooLong(file, row);
    if (text[quote + 1] !== '"') {
      const next = text[quote + 1] ?? '\n';
      if (![',', '\n', '\r'].includes(next))
        throw damaged(file, 'comma-separated values', `text behind a quote that ends, in row ${row}`);
      return { text: parts.join(''), end: quote + 1 };
    }
    parts.push('"');
    from = quote + 2;
  }
}

/** Rows as records by the names in the first of them. @throws EspalierError `corpus/damaged` for a row of another length, a name twice */
export function namedRows(
  rows: readonly (readonly string[])[],
  names: readonly string[],
  file: string,
): readonly Readonly<Record<string, string>>[] {
  if (new Set(names).size < names.length) throw damaged(file, 'a table', 'two columns with one name');
  return rows.map((row, i) => {
    if (row.length !== names.length)
      throw damaged(file, 'a table', `${row.length} cells in row ${i + 1}, where there are ${names.length} columns`);
    return Object.fromEntries(names.map((name, column) => [name, row[column]!]));
  });
}
