import type { PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import { reasonOf } from '../../files/fileProblem.ts';
import { corpusError, damaged } from './corpusError.ts';
import type { DataFile } from './dataFile.ts';
import { decodeWhole } from './decodeUtf8.ts';
import { type ColumnPart, readParquetMetadata } from './parquetMetadata.ts';
import { LARGEST_PAGE, MOST_ROWS_OF_PAGE, readDictionary, readTexts, type StoredText } from './parquetPage.ts';
import { endOfStruct } from './thrift.ts';

export interface RowsHooks {
  readonly signal?: AbortSignal | undefined;
  /** Bytes of the file. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * The texts of a column of a Parquet file, a page at a time: a group of rows may be as large as the file.
 *
 * @throws EspalierError `corpus/damaged`, `corpus/format`, `corpus/field`, `corpus/row`, `corpus/encoding`
 */
export async function* parquetRows(data: DataFile, field: string, hooks: RowsHooks): AsyncGenerator<readonly string[]> {
  const { column, parts } = await readParquetMetadata(data, field);
  let row = 0;
  for (const part of parts) {
    for await (const texts of pagesOf(data, part, column.definitionLevel, hooks)) {
      yield texts.map((text) => textOf(text, ++row, column.name, data.file));
    }
  }
}

function textOf(bytes: StoredText, row: number, name: string, file: string): string {
  if (bytes === undefined) {
    throw corpusError(
      'corpus/row',
      file,
      `a text in column ${name} (row ${row})`,
      'null',
      'Leave the row out, or write a text into it.',
    );
  }
  const text = decodeWhole(bytes, false);
  if (text !== undefined) return text;
  throw corpusError(
    'corpus/encoding',
    file,
    'UTF-8 text',
    `other bytes in column ${name}, row ${row}`,
    'Write the column as UTF-8.',
  );
}

async function* pagesOf(
  data: DataFile,
  part: ColumnPart,
  level: number,
  { signal, onProgress }: RowsHooks,
): AsyncGenerator<readonly StoredText[]> {
  const { file, size } = data;
  let dictionary: readonly Uint8Array[] | undefined;
  let rows = 0;
  try {
    for (let at = part.begin; rows < part.rows;) {
      throwIfCancelled(signal, `reading ${file}`);
      onProgress?.(at, size);
      const { header, length } = await readHeader(data, at, part.end);
      const begin = at + length;
      at = begin + header.compressed_page_size;
      if (at > part.end) throw new Error('a page longer than its column');
      const bytes = await data.read(begin, header.compressed_page_size);
      if (header.type === 'DICTIONARY_PAGE') dictionary = readDictionary(header, bytes, part);
      if (header.type !== 'DATA_PAGE' && header.type !== 'DATA_PAGE_V2') continue;
      const count = rowsOf(header);
      rows += count;
      if (rows > part.rows) throw new Error(`more rows than the ${part.rows} of their group`);
      yield readTexts(header, bytes, part, dictionary, level);
    }
  } catch (thrown) {
    throw thrown instanceof EspalierError ? thrown : damaged(file, 'Parquet', reasonOf(thrown).slice(0, 200));
  }
}

/** Bytes of a page's header: a few dozen, but that it may repeat the least and the greatest text of the page. */
const HEADER = 16 << 10;
const LONGEST_HEADER = 8 << 20;

async function readHeader(data: DataFile, at: number, end: number): Promise<{ header: PageHeader; length: number }> {
  for (let window = HEADER; ; window *= 32) {
    const bytes = await data.read(at, Math.min(window, end - at));
    try {
      const length = endOfStruct(bytes, 0);
      const header = parquetHeader({ view: new DataView(bytes.buffer, bytes.byteOffset, length), offset: 0 });
      checkHeader(header);
      return { header, length };
    } catch (thrown) {
      if (bytes.length < window || window >= LONGEST_HEADER) throw thrown;
    }
  }
}

function checkHeader({
  type,
  uncompressed_page_size: unpacked,
  compressed_page_size: packed,
  ...header
}: PageHeader): void {
  if (!(packed >= 0 && packed <= LARGEST_PAGE && unpacked >= 0 && unpacked <= LARGEST_PAGE))
    throw new Error(`a page of ${packed} bytes, ${unpacked} unpacked, where ${LARGEST_PAGE} are read at most`);
  const needed = {
    DICTIONARY_PAGE: 'dictionary_page_header',
    DATA_PAGE: 'data_page_header',
    DATA_PAGE_V2: 'data_page_header_v2',
  } as const;
  if (type !== 'INDEX_PAGE' && !(type in needed && header[needed[type]])) throw new Error(`a page of type ${type}`);
}

function rowsOf({ data_page_header_v2: second, data_page_header: first }: PageHeader): number {
  const count = (second ?? first)!.num_values;
  if (!(count >= 0 && count <= MOST_ROWS_OF_PAGE)) throw new Error(`a page of ${count} rows`);
  return count;
}
