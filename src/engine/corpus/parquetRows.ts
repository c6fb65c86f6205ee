import { corpusError } from './corpusError.ts';
import type { DataFile } from './dataFile.ts';
import { decodeWhole } from './decodeUtf8.ts';
import { readParquetMetadata } from './parquetMetadata.ts';
import { readDictionary, readTexts, type StoredText } from './parquetPage.ts';
import { pagesOf, type RowsHooks } from './parquetPages.ts';

/**
 * The texts of a column of a Parquet file, a page at a time: a group of rows may be as large as the file.
 *
 * @throws EspalierError `corpus/damaged`, `corpus/format`, `corpus/field`, `corpus/row`, `corpus/encoding`
 */
export async function* parquetRows(data: DataFile, field: string, hooks: RowsHooks): AsyncGenerator<readonly string[]> {
  const { column, parts } = await readParquetMetadata(data, field);
  let row = 0;
  for (const part of parts) {
    const pages = pagesOf(
      data,
      part,
      {
        dictionary: (header, bytes) => readDictionary(header, bytes, part),
        page: (header, bytes, dictionary: readonly Uint8Array[] | undefined) =>
          readTexts(header, bytes, part, dictionary, column.definitionLevel),
      },
      hooks,
    );
    for await (const texts of pages) {
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
