import { corpusError, damaged } from './corpusError.ts';
import type { DataFile } from './dataFile.ts';
import { type ParquetColumn, readParquetColumns } from './parquetMetadata.ts';
import { type DataPage, openPage } from './parquetPage.ts';
import { pagesOf, type RowsHooks } from './parquetPages.ts';
import { holdsTexts, type Leaf } from './parquetSchema.ts';
import { isReadType, type ParquetValue, readStored, readValueDictionary, type ReadType } from './parquetValues.ts';

type Row = Record<string, unknown>;

/** Columns, and values of all of them: a column that repeats one value puts any number into a few bytes. */
const MOST_COLUMNS = 256;
const MOST_VALUES = 2 ** 24;

/**
 * The rows of a Parquet file with all columns: texts, numbers, truth values, structs of these, and lists. Columns of other types, and lists in lists,
 * are left out. A list of structs is a struct of lists.
 *
 * @throws EspalierError `corpus/damaged`, `corpus/format`, `corpus/encoding`, `tasks/too-large`, `cancelled`
 */
export async function readParquetTable(data: DataFile, hooks: RowsHooks): Promise<readonly Row[]> {
  const { file } = data;
  const { rows, columns } = await readParquetColumns(data);
  const readable = columns.filter(({ leaf }) => isReadable(leaf));
  const values = readable.flatMap(({ parts }) => parts).reduce((sum, part) => sum + part.values, rows);
  if (columns.length > MOST_COLUMNS || values > MOST_VALUES) {
    const actual = `${values} values in ${columns.length}`;
    const expected = `at most ${MOST_VALUES} values in ${MOST_COLUMNS} columns`;
    throw corpusError('tasks/too-large', file, expected, actual, 'Choose the file of one split.');
  }
  // Without a prototype: a column may have any name.
  const records = Array.from({ length: rows }, () => Object.create(null) as Row);
  for (const column of readable) await fill(records, column, data, hooks);
  return records;
}

function isReadable(leaf: Leaf): boolean {
  const { element, repetitionLevel } = leaf;
  return repetitionLevel <= 1 && isReadType(element.type) && (element.type !== 'BYTE_ARRAY' || holdsTexts(leaf));
}

async function fill(
  records: readonly Row[],
  { leaf, parts }: ParquetColumn,
  data: DataFile,
  hooks: RowsHooks,
): Promise<void> {
  const type = leaf.element.type as ReadType;
  const filler = new ColumnFiller(records, leaf);
  for (const part of parts) {
    const pages = pagesOf(
      data,
      part,
      {
        dictionary: (header, bytes) => readValueDictionary(header, bytes, part, type),
        page: (header, bytes, dictionary: readonly ParquetValue[] | undefined) => {
          const page = openPage(header, bytes, part.codec, leaf);
          filler.fill(page, readStored(type, page.encoding, page.page, page.present, dictionary));
        },
      },
      hooks,
    );
    while (!(await pages.next()).done);
  }
  if (filler.rows !== records.length)
    throw damaged(data.file, 'Parquet', `${filler.rows} rows in column ${leaf.name}, of ${records.length}`);
}

/** Puts the values of a column into its rows, page by page: a list may go on in the next. */
class ColumnFiller {
  private readonly records: readonly Row[];
  private readonly leaf: Leaf;
  private list: unknown[] | undefined;
  rows = 0;

  constructor(records: readonly Row[], leaf: Leaf) {
    this.records = records;
    this.leaf = leaf;
  }

  fill({ count, definition, repetition }: DataPage, values: readonly ParquetValue[]): void {
    const { definitionLevel, listLevel, repetitionLevel } = this.leaf;
    let next = 0;
    for (let i = 0; i < count; i++) {
      const level = definition ? definition[i]! : definitionLevel;
      const value = level === definitionLevel ? values[next++]! : null;
      if (repetitionLevel === 0) this.put(value);
      else if (repetition![i] === 0) {
        this.list = level < listLevel ? [] : [value];
        // Of what is missing above the list, the list is missing, too.
        this.put(level + 1 < listLevel ? null : this.list);
      } else if (this.list && level >= listLevel) this.list.push(value);
      else throw new Error('a list that goes on before it begins');
    }
  }

  private put(value: unknown): void {
    const record = this.records[this.rows++];
    if (!record) throw new Error('more rows than the table has');
    const { names } = this.leaf;
    let inside = record;
    for (const name of names.slice(0, -1)) {
      inside[name] ??= Object.create(null) as Row;
      inside = inside[name] as Row;
    }
    const last = names.at(-1)!;
    if (typeof inside !== 'object' || last in inside) throw new Error('two columns with one name');
    inside[last] = value;
  }
}
