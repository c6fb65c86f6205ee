import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';

/** Files that arrow-rs 59, DuckDB 1.5 and Polars wrote of the same texts, each with its default pages; by their names. */
export function parquetFixture(name: string): Uint8Array {
  return readFileSync(new URL(`parquet/${name}.parquet`, import.meta.url));
}

/** What the column `text` of the fixtures holds. */
export const FIXTURE_TEXTS: readonly string[] = [
  ...['', ' = Title = \n', '', 'A first sentence , with ß and 語 . \n', '', '', ' = = Next = = \n', ''],
  ...Array.from({ length: 24 }, (_, i) => (i % 3 ? `Line ${i} of some text , again and again . \n` : '')),
];

export interface ParquetShape {
  readonly codec?: 'SNAPPY' | 'GZIP' | 'BROTLI' | 'UNCOMPRESSED';
  readonly encoding?: NonNullable<ColumnSource['encoding']>;
  readonly rowGroupSize?: number;
  readonly pageSize?: number;
}

/** Rows as a table; columns are the fields of the first one, in the types of the hub's data sets. */
export function parquetOf(
  rows: readonly Readonly<Record<string, string | number | null>>[],
  { encoding, ...shape }: ParquetShape = {},
): Uint8Array {
  const columnData = Object.keys(rows[0]!).map((name): ColumnSource => {
    const data = rows.map((row) => row[name]!);
    if (data.some((value) => typeof value === 'number')) return { name, data, type: 'DOUBLE' };
    return { name, data, type: 'STRING', ...(encoding && { encoding }) };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData, compressors: COMPRESSORS, ...shape }));
}

const COMPRESSORS = {
  GZIP: (bytes: Uint8Array) => gzipSync(bytes),
  BROTLI: (bytes: Uint8Array) => brotliCompressSync(bytes),
};
