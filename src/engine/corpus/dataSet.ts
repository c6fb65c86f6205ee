import { DEFAULT_ROWS, JOINS, saidOfRows } from '../../experiment/corpusRows.ts';
import type { RowsSettings } from '../../experiment/corpusRows.ts';
import { isLfsPointer, LFS_POINTER } from '../../files/lfsPointer.ts';
import { corpusError } from './corpusError.ts';
import { DataFile, type OpenHooks } from './dataFile.ts';
import { beginningOf, BEGINNING_BYTES, type UnreadFormat } from './dataFormat.ts';
import { decodeUtf8 } from './decodeUtf8.ts';
import { JSON_ROWS } from './jsonRows.ts';
import type { RowsHooks } from './parquetPages.ts';
import { parquetRows } from './parquetRows.ts';
import { LONGEST_TEXT, PLAIN_ROWS, tooLong } from './plainRows.ts';
import { type TextFormat, textFormatOf } from './textFormat.ts';
import { type Packing, unpack } from './unpack.ts';

/** A file of texts, and how its rows are taken. */
export interface TextSource {
  readonly file: string;
  readonly rows: RowsSettings;
}

/** What a file was recognised as, by its content. */
type DataFormat =
  | { readonly kind: 'parquet' }
  | { readonly kind: 'text'; readonly packing: Packing | undefined; readonly format: TextFormat };

/** Rows of texts in a file: plain text, JSON, JSON lines, each also packed by gzip or zstd, and Parquet. To be closed. */
export class DataSet {
  private readonly data: DataFile;
  private readonly settings: RowsSettings;
  private readonly format: DataFormat;
  /** sha-256, hex, of the file's bytes. */
  readonly hash: string;

  private constructor(data: DataFile, hash: string, settings: RowsSettings, format: DataFormat) {
    this.data = data;
    this.hash = hash;
    this.settings = settings;
    this.format = format;
  }

  /** @throws EspalierError `corpus/not-found`, `corpus/format` for what is read no further, `corpus/damaged`, `corpus/encoding` */
  static async open({ file, rows }: TextSource, hooks: OpenHooks = {}): Promise<DataSet> {
    const data = await DataFile.open(file, hooks.signal);
    try {
      const format = await recognise(data, hooks.signal);
      // A byte is a character at most.
      if (isWhole(format, rows) && data.size > LONGEST_TEXT) throw tooLong(file, `${data.size} bytes`);
      return new DataSet(data, await data.hash(hooks), rows, format);
    } catch (thrown) {
      await data.close();
      throw thrown;
    }
  }

  /**
   * How its rows are taken, as far as that counts in its format; undefined where all of it is as ever. With {@link hash} it says what the
   * texts are.
   *
   * @param isJoined whether rows are joined to a text
   */
  countingRows(isJoined: boolean): RowsSettings | undefined {
    const { format, settings } = this;
    const isPlain = isPlainText(format);
    const { field, rows, join, first } = settings;
    const counting = {
      // `text` is what is taken without a name.
      ...(!isPlain && { field: field === 'text' ? '' : field }),
      ...(isPlain && { rows }),
      ...(!isWhole(format, settings) && { first, ...(isJoined && { join }) }),
    };
    return saidOfRows(counting) && { ...DEFAULT_ROWS, ...counting };
  }

  /**
   * The texts of the rows in their order, many at a time; empty ones are rows, too.
   *
   * @throws EspalierError `corpus/…`, `evaluation/too-large`, `cancelled`
   */
  async *rows(hooks: RowsHooks = {}): AsyncGenerator<readonly string[]> {
    const { first } = this.settings;
    let left = first === 0 ? Infinity : first;
    for await (const rows of this.allRows(hooks)) {
      yield left < rows.length ? rows.slice(0, left) : rows;
      left -= rows.length;
      if (left <= 0) break;
    }
    await this.data.checkUnchanged();
  }

  /**
   * The rows as one text.
   *
   * @throws EspalierError as {@link rows}, and `corpus/too-short` where it is empty
   */
  async text(hooks: RowsHooks = {}): Promise<string> {
    const { file } = this.data;
    const join = JOINS[this.settings.join];
    const parts: string[] = [];
    let length = -join.length;
    for await (const rows of this.rows(hooks)) {
      for (const row of rows) {
        parts.push(row);
        length += join.length + row.length;
      }
      if (length > LONGEST_TEXT) throw tooLong(file);
    }
    const text = parts.join(join);
    if (text !== '') return text;
    const actual = parts.length === 0 ? 'an empty file' : `${parts.length} empty rows`;
    throw corpusError('corpus/too-short', file, 'a text', actual, 'Choose a file with text in it.');
  }

  close(): Promise<void> {
    return this.data.close();
  }

  private allRows(hooks: RowsHooks): AsyncIterable<readonly string[]> {
    const { data, format, settings } = this;
    if (format.kind === 'parquet') return parquetRows(data, settings.field, hooks);
    const texts = textsOf(data, format.packing, hooks);
    if (format.format === 'text') return PLAIN_ROWS[settings.rows](texts, data.file);
    return JSON_ROWS[format.format](texts, data.file, settings.field);
  }
}

function textsOf(
  data: DataFile,
  packing: Packing | undefined,
  { signal, onProgress }: RowsHooks,
): AsyncIterable<string> {
  const bytes = data.chunks(signal, onProgress);
  return decodeUtf8(packing ? unpack(packing, bytes, data.file) : bytes, data.file, packing !== undefined);
}

function isPlainText(format: DataFormat): boolean {
  return format.kind === 'text' && format.format === 'text';
}

/** Whether a file is one text, without rows. */
function isWhole(format: DataFormat, { rows }: RowsSettings): boolean {
  return isPlainText(format) && rows === 'whole';
}

async function recognise(data: DataFile, signal: AbortSignal | undefined): Promise<DataFormat> {
  const { file } = data;
  const head = await data.read(0, BEGINNING_BYTES);
  if (isLfsPointer(head)) throw corpusError('corpus/not-found', file, 'a text', LFS_POINTER.actual, LFS_POINTER.remedy);
  const beginning = beginningOf(head);
  if (beginning.kind === 'parquet') return beginning;
  if (beginning.kind === 'unread') throw unread(file, beginning.format);
  const packing = beginning.kind === 'packed' ? beginning.packing : undefined;
  if (packing) await checkUnpacked(data, packing, signal);
  return { kind: 'text', packing, format: await recogniseText(data, packing, signal) };
}

/** What is packed has to be text. */
async function checkUnpacked(data: DataFile, packing: Packing, signal: AbortSignal | undefined): Promise<void> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of unpack(packing, data.chunks(signal), data.file)) {
    parts.push(part);
    length += part.length;
    if (length >= BEGINNING_BYTES) break;
  }
  const beginning = beginningOf(Buffer.concat(parts).subarray(0, BEGINNING_BYTES));
  if (beginning.kind === 'text') return;
  const remedy = 'Unpack it first.';
  const name =
    beginning.kind === 'packed' ? beginning.packing : beginning.kind === 'parquet' ? 'Parquet' : beginning.format.name;
  throw unread(data.file, { name: `${name} in ${packing}`, remedy });
}

/** Characters that are looked at. */
const HEAD = 1 << 20;

async function recogniseText(
  data: DataFile,
  packing: Packing | undefined,
  signal: AbortSignal | undefined,
): Promise<TextFormat> {
  let head = '';
  for await (const text of textsOf(data, packing, { signal })) {
    head += text;
    // Prose, which most texts are, is seen by its first letter.
    if (head.length > HEAD || /^\s*[^\s[{]/.test(head)) return textFormatOf(head.slice(0, HEAD), false);
  }
  return textFormatOf(head, true);
}

function unread(file: string, { name, remedy }: UnreadFormat): Error {
  return corpusError(
    'corpus/format',
    file,
    'plain text, JSON, JSON lines or Parquet, packed by gzip or zstd at most',
    name,
    remedy,
  );
}
