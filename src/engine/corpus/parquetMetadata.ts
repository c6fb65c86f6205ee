import type { ColumnMetaData, FileMetaData } from 'hyparquet';
import { parquetMetadata, parquetSchema } from 'hyparquet';
import { EspalierError } from '../../base/errors.ts';
import { reasonOf } from '../../files/fileProblem.ts';
import { corpusError, damaged } from './corpusError.ts';
import type { DataFile } from './dataFile.ts';
import { type Leaf, leavesOf, type TextColumn, textColumn } from './parquetSchema.ts';
import { endOfStruct } from './thrift.ts';

/** The part of a column in one group of rows. */
export interface ColumnPart {
  readonly rows: number;
  /** Of lists each item, and one for a list without any. */
  readonly values: number;
  readonly codec: ColumnMetaData['codec'];
  /** Bytes of the file. */
  readonly begin: number;
  readonly end: number;
}

export interface ParquetTexts {
  readonly column: TextColumn;
  readonly rows: number;
  readonly parts: readonly ColumnPart[];
}

/**
 * Where the texts of a Parquet file are.
 *
 * @param field column, '' for the only one of texts
 * @throws EspalierError `corpus/damaged`, `corpus/format`, `corpus/field`
 */
export async function readParquetMetadata(data: DataFile, field: string): Promise<ParquetTexts> {
  return checked(data.file, async () => {
    const metadata = await readMetadata(data);
    const column = textColumn(metadata, field, data.file);
    const parts = partsOf(metadata, { ...column, repetitionLevel: 0 }, data.size);
    return { column, rows: whole(metadata.num_rows), parts };
  });
}

/** A column of any kind, and where it is. */
export interface ParquetColumn {
  readonly leaf: Leaf;
  readonly parts: readonly ColumnPart[];
}

/** All columns of a Parquet file. @throws EspalierError `corpus/damaged`, `corpus/format` */
export async function readParquetColumns(
  data: DataFile,
): Promise<{ readonly rows: number; readonly columns: readonly ParquetColumn[] }> {
  return checked(data.file, async () => {
    const metadata = await readMetadata(data);
    const leaves = leavesOf(parquetSchema(metadata));
    const columns = leaves.map((leaf) => ({ leaf, parts: partsOf(metadata, leaf, data.size) }));
    return { rows: whole(metadata.num_rows), columns };
  });
}

async function checked<Read>(file: string, read: () => Promise<Read>): Promise<Read> {
  try {
    return await read();
  } catch (thrown) {
    throw thrown instanceof EspalierError ? thrown : damaged(file, 'Parquet', reasonOf(thrown).slice(0, 200));
  }
}

async function readMetadata(data: DataFile): Promise<FileMetaData> {
  const { file, size } = data;
  const tail = Buffer.from(await data.read(size - TAIL, TAIL));
  if (size < 3 * TAIL || tail.toString('latin1', 4) === 'PARE')
    throw corpusError(
      'corpus/format',
      file,
      'Parquet',
      'Parquet that is encrypted or empty',
      'Write it without encryption.',
    );
  if (tail.toString('latin1', 4) !== 'PAR1') throw new Error('no mark at its end');
  const length = tail.readUInt32LE();
  if (length > Math.min(size - TAIL, LARGEST_METADATA)) throw new Error(`metadata of ${length} bytes`);
  const bytes = Uint8Array.from(await data.read(size - TAIL - length, length + TAIL));
  endOfStruct(bytes.subarray(0, length), 0);
  const metadata = parquetMetadata(bytes, { geoparquet: false });
  checkSchema(metadata);
  return metadata;
}

/** A length and a mark. */
const TAIL = 8;
/** Of a hundred thousand parts of columns. */
const LARGEST_METADATA = 16 << 20;

/** Trees that the schema cannot be would be walked for ever. */
function checkSchema({ schema }: FileMetaData): void {
  let open = 1;
  for (const { name, num_children: children = 0 } of schema) {
    if (open === 0 || typeof name !== 'string' || children < 0 || children > schema.length)
      throw new Error('a schema that is no tree');
    open += children - 1;
  }
  if (open !== 0) throw new Error('a schema that is no tree');
}

type Column = Pick<Leaf, 'index' | 'name' | 'repetitionLevel'>;

function partsOf(metadata: FileMetaData, column: Column, size: number): readonly ColumnPart[] {
  const parts = metadata.row_groups.map((_, group) => columnPart(metadata, group, column, size));
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  if (rows === whole(metadata.num_rows)) return parts;
  throw new Error(`${metadata.num_rows} rows, of which ${rows} are in its groups`);
}

function columnPart({ row_groups: groups }: FileMetaData, group: number, column: Column, size: number): ColumnPart {
  const { columns, num_rows: rows } = groups[group]!;
  const meta = columns[column.index]?.meta_data;
  if (!meta || columns[column.index]!.file_path) throw new Error(`no column ${column.name} in its group ${group + 1}`);
  if (meta.path_in_schema.join('.') !== column.name) throw new Error(`columns of group ${group + 1} in another order`);
  // Writers that have no dictionary leave its offset out, or write 0.
  const dictionary = whole(meta.dictionary_page_offset ?? 0n);
  const begin = dictionary > 0 ? dictionary : whole(meta.data_page_offset);
  const end = begin + whole(meta.total_compressed_size);
  if (begin < 4 || end > size) throw new Error(`a column from byte ${begin} to ${end} of ${size}`);
  const values = whole(meta.num_values);
  if (column.repetitionLevel === 0 ? values !== whole(rows) : values < whole(rows))
    throw new Error(`${values} values in ${rows} rows`);
  return { rows: whole(rows), values, codec: meta.codec, begin, end };
}

function whole(value: unknown): number {
  const number = Number(value);
  if ((typeof value !== 'bigint' && typeof value !== 'number') || !Number.isSafeInteger(number) || number < 0)
    throw new Error(`${String(value)} for a size`);
  return number;
}
