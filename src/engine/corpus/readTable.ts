import type { EspalierError } from '../../base/errors.ts';
import { isLfsPointer, LFS_POINTER } from '../../files/lfsPointer.ts';
import { isArrowStream, readArrowStream } from './arrowStream.ts';
import { corpusError } from './corpusError.ts';
import { DataFile, type OpenHooks } from './dataFile.ts';
import { beginningOf, BEGINNING_BYTES } from './dataFormat.ts';
import { decodeUtf8 } from './decodeUtf8.ts';
import { JSON_VALUES } from './jsonRows.ts';
import { readParquetTable } from './parquetTable.ts';
import { type Separator, separatedRows } from './separatedRows.ts';
import { textFormatOf } from './textFormat.ts';
import { unpack } from './unpack.ts';

/** A table of rows with several columns, read whole. */
export interface Table {
  /** Records, or cells without names where the format has none. */
  readonly rows: readonly unknown[];
  /** sha-256, hex, of the file's bytes. */
  readonly hash: string;
}

/** Rows of the largest table: the largest training split of a task has a hundred thousand. */
export const MOST_ROWS = 2 ** 20;
/** Bytes of its file, and characters of what is in it. */
const LARGEST_TABLE = 2 ** 29;

/**
 * Reads a table: JSON lines, a JSON list, comma- or tab-separated values, each also packed by gzip or zstd; Parquet; the stream of Arrow that
 * `datasets` keeps. What it is its content says, but that separated values are known by their name.
 *
 * @throws EspalierError `corpus/…`, `tasks/too-large`, `cancelled`
 */
export async function readTable(file: string, hooks: OpenHooks = {}): Promise<Table> {
  const data = await DataFile.open(file, hooks.signal);
  try {
    if (data.size > LARGEST_TABLE) throw tooLarge(file, `files of at most ${LARGEST_TABLE} bytes`, `${data.size}`);
    const rows = await rowsOf(data, hooks.signal);
    const hash = await data.hash(hooks);
    await data.checkUnchanged();
    return { rows, hash };
  } finally {
    await data.close();
  }
}

async function rowsOf(data: DataFile, signal: AbortSignal | undefined): Promise<readonly unknown[]> {
  const { file } = data;
  const head = await data.read(0, BEGINNING_BYTES);
  if (isLfsPointer(head))
    throw corpusError('corpus/not-found', file, 'a table', LFS_POINTER.actual, LFS_POINTER.remedy);
  if (isArrowStream(head)) return readArrowStream(await data.read(0, data.size), file, MOST_ROWS);
  const beginning = beginningOf(head);
  if (beginning.kind === 'parquet') return readParquetTable(data, { signal });
  if (beginning.kind === 'unread') throw unread(file, beginning.format.name, beginning.format.remedy);
  const packed = beginning.kind === 'packed';
  const chunks = data.chunks(signal);
  const texts = decodeUtf8(packed ? unpack(beginning.packing, chunks, file) : chunks, file, packed);
  const separator = separatorOf(file);
  if (separator !== undefined) return separatedRows(await joined(texts, file), separator, file);
  return jsonRows(texts, file);
}

/** Characters that are looked at. */
const HEAD = 1 << 20;

async function jsonRows(texts: AsyncGenerator<string>, file: string): Promise<readonly unknown[]> {
  const read: string[] = [];
  let length = 0;
  let isWhole = true;
  for (;;) {
    const next = await texts.next();
    if (next.done) break;
    read.push(next.value);
    length += next.value.length;
    isWhole = length <= HEAD;
    if (!isWhole) break;
  }
  const head = read.join('');
  const looked = textFormatOf(head.slice(0, HEAD), isWhole);
  // No text is expected here: what begins as an object is rows, and one of them no JSON, such as Python's NaN.
  const format = looked === 'text' && /^\s*\{/.test(head) ? 'lines' : looked;
  if (format === 'text')
    throw unread(file, head.trim() === '' ? 'an empty file' : 'plain text', 'Choose another file.');
  const rows: unknown[] = [];
  for await (const items of JSON_VALUES[format](bounded(head, texts, file), file)) {
    for (const item of items) rows.push(item);
    if (rows.length > MOST_ROWS) throw tooLarge(file, `tables of at most ${MOST_ROWS} rows`, 'more');
  }
  return rows;
}

async function* bounded(head: string, rest: AsyncIterable<string>, file: string): AsyncGenerator<string> {
  yield head;
  let length = head.length;
  for await (const text of rest) {
    length += text.length;
    if (length > LARGEST_TABLE) throw tooLarge(file, `tables of at most ${LARGEST_TABLE} characters`, 'more');
    yield text;
  }
}

async function joined(texts: AsyncIterable<string>, file: string): Promise<string> {
  const parts: string[] = [];
  for await (const part of bounded('', texts, file)) parts.push(part);
  return parts.join('');
}

function separatorOf(file: string): Separator | undefined {
  const [, ending] = /\.(csv|tsv)(?:\.(?:gz|zst))?$/i.exec(file) ?? [];
  return ending === undefined ? undefined : ending.toLowerCase() === 'csv' ? ',' : '\t';
}

function unread(file: string, actual: string, remedy: string): EspalierError {
  const expected = 'JSON lines, a JSON list, Parquet, an Arrow stream, .csv or .tsv';
  return corpusError('corpus/format', file, expected, actual, remedy);
}

function tooLarge(file: string, expected: string, actual: string): EspalierError {
  return corpusError('tasks/too-large', file, expected, actual, 'Choose the split that is meant, or cut the file.');
}
