import type { PageHeader, ParquetType } from 'hyparquet';
import { decodeWhole } from './decodeUtf8.ts';
import { decompressPage } from './parquetCodecs.ts';
import type { ColumnPart } from './parquetMetadata.ts';
import { deltas, dictionaryValues, readRuns, textsOf, viewOf } from './parquetPage.ts';

/** A text, a number (a bigint beyond 2^53), a truth value. */
export type ParquetValue = string | number | bigint | boolean;

/** Types of columns that are read. */
export type ReadType = Extract<ParquetType, 'BYTE_ARRAY' | 'INT32' | 'INT64' | 'FLOAT' | 'DOUBLE' | 'BOOLEAN'>;

export function isReadType(type: ParquetType | undefined): type is ReadType {
  return type === 'BYTE_ARRAY' || type === 'BOOLEAN' || (type !== undefined && Object.hasOwn(WIDTHS, type));
}

/** A dictionary page's values. @throws Error for what is no such page */
export function readValueDictionary(
  header: PageHeader,
  bytes: Uint8Array,
  { codec }: ColumnPart,
  type: ReadType,
): readonly ParquetValue[] {
  const page = decompressPage(codec, bytes, header.uncompressed_page_size);
  return readStored(type, 'PLAIN', page, header.dictionary_page_header!.num_values, undefined);
}

/** Values of a data page that are there, back to back. @throws Error for what is no such page, and other encodings */
export function readStored(
  type: ReadType,
  encoding: string,
  page: Uint8Array,
  count: number,
  dictionary: readonly ParquetValue[] | undefined,
): readonly ParquetValue[] {
  if (count === 0) return [];
  if (/^(PLAIN|RLE)_DICTIONARY$/.test(encoding)) return dictionaryValues(page, count, dictionary);
  if (type === 'BYTE_ARRAY') {
    // Each text has a length at least.
    if (encoding === 'PLAIN' && 4 * count > page.length) throw new Error(`${count} texts in ${page.length} bytes`);
    return textsOf(encoding, page, count, undefined).map(decoded);
  }
  if (type === 'BOOLEAN') return booleans(encoding, page, count);
  if (encoding === 'DELTA_BINARY_PACKED' && (type === 'INT32' || type === 'INT64')) return packed(type, page, count);
  if (encoding !== 'PLAIN') throw new Error(`numbers in the encoding ${encoding}`);
  const { width, read } = WIDTHS[type];
  if (width * count > page.length) throw new Error(`${count} numbers in ${page.length} bytes`);
  const view = viewOf(page);
  return Array.from({ length: count }, (_, i) => read(view, width * i));
}

const WIDTHS: Readonly<
  Record<
    Exclude<ReadType, 'BYTE_ARRAY' | 'BOOLEAN'>,
    { readonly width: number; readonly read: (view: DataView, at: number) => number | bigint }
  >
> = {
  INT32: { width: 4, read: (view, at) => view.getInt32(at, true) },
  INT64: { width: 8, read: (view, at) => wholeNumber(view.getBigInt64(at, true)) },
  FLOAT: { width: 4, read: (view, at) => view.getFloat32(at, true) },
  DOUBLE: { width: 8, read: (view, at) => view.getFloat64(at, true) },
};

function booleans(encoding: string, page: Uint8Array, count: number): readonly boolean[] {
  if (encoding === 'PLAIN') {
    if (count > 8 * page.length) throw new Error(`${count} truth values in ${page.length} bytes`);
    return Array.from({ length: count }, (_, i) => ((page[i >> 3]! >> (i & 7)) & 1) === 1);
  }
  if (encoding !== 'RLE' || page.length < 4) throw new Error(`truth values in the encoding ${encoding}`);
  const end = 4 + viewOf(page).getUint32(0, true);
  return Array.from(readRuns(page.subarray(4, end), 1, count, new Uint8Array(count)), (bit) => bit === 1);
}

function packed(type: 'INT32' | 'INT64', page: Uint8Array, count: number): readonly ParquetValue[] {
  const reader = { view: viewOf(page), offset: 0 };
  const found = deltas(reader, count, type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count));
  return Array.from<number | bigint, ParquetValue>(found, wholeNumber);
}

function wholeNumber(value: number | bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function decoded(bytes: Uint8Array): string {
  const text = decodeWhole(bytes, false);
  if (text === undefined) throw new Error('a text that is not UTF-8');
  return text;
}
