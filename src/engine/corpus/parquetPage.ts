import type { PageHeader } from 'hyparquet';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { readVarInt } from 'hyparquet/src/thrift.js';
import { decompressPage } from './parquetCodecs.ts';
import type { ColumnPart } from './parquetMetadata.ts';

/** Rows of a page: a column that repeats one value puts any number of them into a few bytes. */
export const MOST_ROWS_OF_PAGE = 2 ** 22;
/** Bytes of a page when it is unpacked; writers aim at one million, and a single text may be larger. */
export const LARGEST_PAGE = 2 ** 26;

/** A text as it is stored; undefined where there is none. */
export type StoredText = Uint8Array | undefined;

/**
 * The texts of a dictionary page: all of them, back to back.
 *
 * @throws Error for what is no such page
 */
export function readDictionary(header: PageHeader, bytes: Uint8Array, { codec }: ColumnPart): readonly Uint8Array[] {
  const count = header.dictionary_page_header!.num_values;
  const page = decompressPage(codec, bytes, header.uncompressed_page_size);
  // Each has at least its length.
  if (!(count >= 0 && 4 * count <= page.length))
    throw new Error(`${count} texts in a dictionary of ${page.length} bytes`);
  return plainTexts(page, count);
}

/**
 * The texts of a data page of a column without lists.
 *
 * @param level definition level of a text that is there
 * @throws Error for what is no such page
 */
export function readTexts(
  header: PageHeader,
  bytes: Uint8Array,
  { codec }: ColumnPart,
  dictionary: readonly Uint8Array[] | undefined,
  level: number,
): readonly StoredText[] {
  const levels = { definitionLevel: level, repetitionLevel: 0 };
  const { page, definition, present, encoding } = openPage(header, bytes, codec, levels);
  const texts = textsOf(encoding, page, present, dictionary);
  let next = 0;
  return definition ? Array.from(definition, (each) => (each === level ? texts[next++] : undefined)) : texts;
}

/** How deep the values of a column are in what may be missing, and in lists. */
export interface Levels {
  readonly definitionLevel: number;
  readonly repetitionLevel: number;
}

/** A data page without its packing. */
export interface DataPage {
  /** Values alone. */
  readonly page: Uint8Array;
  /** How much of the way to each value is there; undefined where all of it always is. */
  readonly definition: Uint8Array | undefined;
  /** Which list each value goes on with; undefined without lists. */
  readonly repetition: Uint8Array | undefined;
  /** With those that are missing. */
  readonly count: number;
  /** How many are there. */
  readonly present: number;
  readonly encoding: string;
}

/** @throws Error for what is no such page */
export function openPage(header: PageHeader, bytes: Uint8Array, codec: ColumnPart['codec'], levels: Levels): DataPage {
  const page = (header.data_page_header_v2 ? secondVersion : firstVersion)(header, bytes, codec, levels);
  const { definition, count } = page;
  const deepest = levels.definitionLevel;
  const present = definition ? definition.reduce((sum, each) => sum + Number(each === deepest), 0) : count;
  return { ...page, present };
}

type OpenPage = (
  header: PageHeader,
  bytes: Uint8Array,
  codec: ColumnPart['codec'],
  levels: Levels,
) => Omit<DataPage, 'present'>;

const firstVersion: OpenPage = (header, bytes, codec, levels) => {
  const { num_values: count, encoding } = header.data_page_header!;
  let page = decompressPage(codec, bytes, header.uncompressed_page_size);
  const take = (level: number): Uint8Array | undefined => {
    if (level === 0) return undefined;
    if (page.length < 4) throw new Error('a page without its levels');
    const end = 4 + viewOf(page).getUint32(0, true);
    const read = readLevels(page.subarray(4, end), count, level);
    page = page.subarray(end);
    return read;
  };
  const repetition = take(levels.repetitionLevel);
  const definition = take(levels.definitionLevel);
  return { page, repetition, definition, count, encoding };
};

const secondVersion: OpenPage = (header, bytes, codec, levels) => {
  const { num_values: count, encoding, is_compressed: isCompressed, ...lengths } = header.data_page_header_v2!;
  const begin = lengths.repetition_levels_byte_length;
  const end = begin + lengths.definition_levels_byte_length;
  const length = header.uncompressed_page_size - end;
  if (!(begin >= 0 && end >= begin && end <= bytes.length && length >= 0))
    throw new Error('levels longer than their page');
  const values = bytes.subarray(end);
  const page = decompressPage(isCompressed === false ? 'UNCOMPRESSED' : codec, values, length);
  const read = (level: number, from: number, to: number): Uint8Array | undefined =>
    level === 0 ? undefined : readLevels(bytes.subarray(from, to), count, level);
  return {
    page,
    repetition: read(levels.repetitionLevel, 0, begin),
    definition: read(levels.definitionLevel, begin, end),
    count,
    encoding,
  };
};

function readLevels(bytes: Uint8Array, count: number, level: number): Uint8Array {
  return readRuns(bytes, 32 - Math.clz32(level), count, new Uint8Array(count));
}

/** Runs of equal values, and stretches of packed ones. Checked first: the library writes as many as a run says. */
export function readRuns<Output extends Uint8Array | Uint32Array>(
  bytes: Uint8Array,
  width: number,
  count: number,
  output: Output,
): Output {
  const reader = { view: viewOf(bytes), offset: 0 };
  const perValue = Math.ceil(width / 8);
  for (let seen = 0; seen < count;) {
    const head = readVarInt(reader) >>> 0;
    const isPacked = (head & 1) === 1;
    const values = (head >>> 1) * (isPacked ? 8 : 1);
    // Packed ones may be more than are wanted: DuckDB fills them up to 256.
    if (!isPacked && values > count - seen) throw new Error(`a run of ${values} values of ${count - seen}`);
    reader.offset += isPacked ? (values / 8) * width : perValue;
    if (reader.offset > bytes.length + PADDING) throw new Error('runs longer than their page');
    seen += values;
  }
  const padded = new Uint8Array(bytes.length + PADDING);
  padded.set(bytes);
  readRleBitPackedHybrid({ view: viewOf(padded), offset: 0 }, width, output, bytes.length);
  return output;
}

/** Bytes behind a last stretch that some writers cut off, since nothing of them is used. */
const PADDING = 8;

type ReadValues = (
  page: Uint8Array,
  count: number,
  dictionary: readonly Uint8Array[] | undefined,
) => readonly Uint8Array[];

const VALUES: Readonly<Record<string, ReadValues>> = {
  PLAIN: plainTexts,
  PLAIN_DICTIONARY: dictionaryTexts,
  RLE_DICTIONARY: dictionaryTexts,
  DELTA_LENGTH_BYTE_ARRAY: deltaLengthTexts,
  DELTA_BYTE_ARRAY: deltaTexts,
};

/** @throws Error for an encoding that texts do not have */
export function textsOf(
  encoding: string,
  page: Uint8Array,
  count: number,
  dictionary: readonly Uint8Array[] | undefined,
): readonly Uint8Array[] {
  if (count === 0) return [];
  const read = Object.hasOwn(VALUES, encoding) ? VALUES[encoding] : undefined;
  if (!read) throw new Error(`texts in the encoding ${encoding}`);
  return read(page, count, dictionary);
}

function plainTexts(page: Uint8Array, count: number): readonly Uint8Array[] {
  const view = viewOf(page);
  let at = 0;
  return Array.from({ length: count }, () => {
    const length = view.getUint32(at, true);
    at += 4 + length;
    if (at > page.length) throw new Error(`a text of ${length} bytes behind the end of its page`);
    return page.subarray(at - length, at);
  });
}

function dictionaryTexts(
  page: Uint8Array,
  count: number,
  dictionary: readonly Uint8Array[] | undefined,
): readonly Uint8Array[] {
  return dictionaryValues(page, count, dictionary);
}

/** Values by their numbers in a dictionary. @throws Error for a number that it does not have */
export function dictionaryValues<Value>(
  page: Uint8Array,
  count: number,
  dictionary: readonly Value[] | undefined,
): readonly Value[] {
  if (!dictionary) throw new Error('a page of numbers of values, without the dictionary');
  const width = page[0]!;
  if (!(width <= WIDEST)) throw new Error(`numbers of ${width} bits`);
  const numbers = new Uint32Array(count);
  if (width > 0) readRuns(page.subarray(1), width, count, numbers);
  return Array.from(numbers, (number) => {
    if (number < dictionary.length) return dictionary[number]!;
    throw new Error(`value ${number} of a dictionary of ${dictionary.length}`);
  });
}

/** More texts than a dictionary has room for; the library is right up to here. */
const WIDEST = 24;

function deltaLengthTexts(page: Uint8Array, count: number): readonly Uint8Array[] {
  const reader = { view: viewOf(page), offset: 0 };
  const lengths = deltas(reader, count, new Int32Array(count));
  let at = reader.offset;
  return Array.from(lengths, (length) => {
    at += length;
    if (length < 0 || at > page.length) throw new Error(`a text of ${length} bytes behind the end of its page`);
    return page.subarray(at - length, at);
  });
}

/** Each begins as the one before it. */
function deltaTexts(page: Uint8Array, count: number): readonly Uint8Array[] {
  const reader = { view: viewOf(page), offset: 0 };
  const prefixes = deltas(reader, count, new Int32Array(count));
  const suffixes = deltaLengthTexts(page.subarray(reader.offset), count);
  let last: Uint8Array = new Uint8Array();
  let total = 0;
  return suffixes.map((suffix, i) => {
    const prefix = prefixes[i]!;
    total += prefix + suffix.length;
    if (prefix < 0 || prefix > last.length || total > LARGEST_PAGE)
      throw new Error(`a text that begins as ${prefix} bytes before it`);
    last = prefix === 0 ? suffix : Buffer.concat([last.subarray(0, prefix), suffix]);
    return last;
  });
}

/** Checked first: the library goes round in circles where a block holds nothing. */
export function deltas<Output extends Int32Array | BigInt64Array>(
  reader: { readonly view: DataView; offset: number },
  count: number,
  output: Output,
): Output {
  const { offset } = reader;
  const [blockSize, miniblocks, values] = [readVarInt(reader), readVarInt(reader), readVarInt(reader)];
  const perMiniblock = blockSize / miniblocks;
  if (!(blockSize > 0 && blockSize <= 65_536 && miniblocks > 0 && perMiniblock % 8 === 0 && values === count))
    throw new Error(`${values} lengths in blocks of ${blockSize}, where there are ${count} texts`);
  reader.offset = offset;
  deltaBinaryUnpack(reader, count, output);
  if (!Number.isSafeInteger(reader.offset) || reader.offset > reader.view.byteLength)
    throw new Error('lengths longer than their page');
  return output;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
