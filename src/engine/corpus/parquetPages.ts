import type { PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import { reasonOf } from '../../files/fileProblem.ts';
import { damaged } from './corpusError.ts';
import type { DataFile } from './dataFile.ts';
import type { ColumnPart } from './parquetMetadata.ts';
import { LARGEST_PAGE, MOST_ROWS_OF_PAGE } from './parquetPage.ts';
import { endOfStruct } from './thrift.ts';

export interface RowsHooks {
  readonly signal?: AbortSignal | undefined;
  /** Bytes of the file. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What is made of the pages of a column. Both throw an Error for what is no such page. */
interface PageReader<Dictionary, Page> {
  readonly dictionary: (header: PageHeader, bytes: Uint8Array) => Dictionary;
  readonly page: (header: PageHeader, bytes: Uint8Array, dictionary: Dictionary | undefined) => Page;
}

/** The pages of a part of a column, one after the other. @throws EspalierError `corpus/damaged`, `cancelled` */
export async function* pagesOf<Dictionary, Page>(
  data: DataFile,
  part: ColumnPart,
  reader: PageReader<Dictionary, Page>,
  { signal, onProgress }: RowsHooks,
): AsyncGenerator<Page> {
  const { file, size } = data;
  let dictionary: Dictionary | undefined;
  let values = 0;
  try {
    for (let at = part.begin; values < part.values;) {
      throwIfCancelled(signal, `reading ${file}`);
      onProgress?.(at, size);
      const { header, length } = await readHeader(data, at, part.end);
      const begin = at + length;
      at = begin + header.compressed_page_size;
      if (at > part.end) throw new Error('a page longer than its column');
      const bytes = await data.read(begin, header.compressed_page_size);
      if (header.type === 'DICTIONARY_PAGE') dictionary = reader.dictionary(header, bytes);
      if (header.type !== 'DATA_PAGE' && header.type !== 'DATA_PAGE_V2') continue;
      values += valuesOf(header);
      if (values > part.values) throw new Error(`more values than the ${part.values} of their group`);
      yield reader.page(header, bytes, dictionary);
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

function valuesOf({ data_page_header_v2: second, data_page_header: first }: PageHeader): number {
  const count = (second ?? first)!.num_values;
  if (!(count >= 0 && count <= MOST_ROWS_OF_PAGE)) throw new Error(`a page of ${count} values`);
  return count;
}
