import { textLines } from './textLines.ts';
import { strip } from '../../base/pythonText.ts';

/** Lines that are looked at before the first row is given. */
const LOOKED_AT = 512;

/**
 * The rows of a copy of WikiText, as `datasets` makes them (datasets/wikitext/wikitext.py): one a line, with its line feed where there is text,
 * empty where there is none. Copies that were made by joining those rows with a line feed have an empty line behind each line with text, which
 * is no row: they are known by that, and give the same rows.
 *
 * @throws EspalierError as {@link textLines}
 */
export async function* wikitextRows(texts: AsyncIterable<string>, file: string): AsyncGenerator<readonly string[]> {
  let begun: readonly string[] = [];
  let reader: RowReader | undefined;
  for await (const lines of textLines(texts, 'universal', file)) {
    if (reader) {
      yield reader.rows(lines);
      continue;
    }
    begun = begun.concat(lines);
    if (begun.length < LOOKED_AT) continue;
    reader = readerFor(begun);
    yield reader.rows(begun);
  }
  if (!reader) {
    reader = readerFor(begun);
    yield reader.rows(begun);
  }
  yield reader.last();
}

function readerFor(lines: readonly string[]): RowReader {
  return areJoinedRows(lines) ? new JoinedRows() : new LineRows();
}

interface RowReader {
  rows(lines: readonly string[]): readonly string[];
  /** What stands behind the last line. */
  last(): readonly string[];
}

/** A row a line: `row if row.strip() else ""`. */
class LineRows implements RowReader {
  rows(lines: readonly string[]): readonly string[] {
    return lines.map((line) => (strip(line) === '' ? '' : line));
  }

  last(): readonly string[] {
    return [];
  }
}

/** Undoes `"\n".join(rows)`. */
class JoinedRows implements RowReader {
  /** Whether the next line feed joins, and ends no line. */
  private joins = false;
  /** Whether a row has to follow: behind what joins there is one, if only an empty one. */
  private open = true;

  rows(lines: readonly string[]): readonly string[] {
    const rows: string[] = [];
    for (const line of lines) {
      const isFeed = line === '\n';
      if (isFeed && !this.joins) rows.push('');
      if (!isFeed) rows.push(line);
      this.joins = !isFeed;
      this.open = isFeed;
    }
    return rows;
  }

  last(): readonly string[] {
    return this.open ? [''] : [];
  }
}

/**
 * Whether lines are rows that were joined by a line feed: behind each with text stands an empty one, and behind some heading two, since a
 * heading has an empty row behind it. As they were published lines with text also stand one behind the other.
 */
function areJoinedRows(lines: readonly string[]): boolean {
  let isTold = false;
  for (const [i, line] of lines.entries()) {
    if (line === '\n') continue;
    const [next, afterNext] = [lines[i + 1], lines[i + 2]];
    if (strip(line) === '' || (next !== undefined && next !== '\n')) return false;
    isTold ||= /^ = .* = \n$/.test(line) && afterNext === '\n';
  }
  return isTold;
}
