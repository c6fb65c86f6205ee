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
  const { page, levels, count, encoding } = header.data_page_header_v2
    ? secondVersion(header, bytes, codec, level)
    : firstVersion(header, bytes, codec, level);
  const present = levels ? levels.reduce((sum, each) => sum + Number(each === level), 0) : count;
  const texts = valuesOf(encoding, page, present, dictionary);
  let next = 0;
  return levels ? Array.from(levels, (each) => (each === level ? texts[next++] : undefined)) : texts;
}

interface DataPage {
  /** Values alone. */
  readonly page: Uint8Array;
  /** How much of the way to each value is there; undefined where all of it always is. */
  readonly levels: Uint8Array | undefined;
  readonly count: number;
  readonly encoding: string;
}

function firstVersion(header: PageHeader, bytes: Uint8Array, codec: ColumnPart['codec'], level: number): DataPage {
  const { num_values: count, encoding } = header.data_page_header!;
  const page = decompressPage(codec, bytes, header.uncompressed_page_size);
  if (level === 0) return { page, levels: undefined, count, encoding };
  if (page.length < 4) throw new Error('a page without its levels');
  const end = 4 + viewOf(page).getUint32(0, true);
  return { page: page.subarray(end), levels: readLevels(page.subarray(4, end), count, level), count, encoding };
}

function secondVersion(header: PageHeader, bytes: Uint8Array, codec: ColumnPart['codec'], level: number): DataPage {
  const { num_values: count, encoding, is_compressed: isCompressed, ...lengths } = header.data_page_header_v2!;
  const repetition = lengths.repetition_levels_byte_length;
  const end = repetition + lengths.definition_levels_byte_length;
  const length = header.uncompressed_page_size - end;
  if (!(repetition >= 0 && end >= repetition && end <= bytes.length && length >= 0))
    throw new Error('levels longer than their page');
  const values = bytes.subarray(end);
  const page = decompressPage(isCompressed === false ? 'UNCOMPRESSED' : codec, values, length);
  return {
    page,
    levels: level === 0 ? undefined : readLevels(bytes.subarray(repetition, end), count, level),
    count,
    encoding,
  };
}

function readLevels(bytes: Uint8Array, count: number, level: number): Uint8Array {
  return readRuns(bytes, 32 - Math.clz32(level), count, new Uint8Array(count));
}

/** Runs of equal values, and stretches of packed ones. Checked first: the library writes as many as a run says. */
function readRuns<Output extends Uint8Array | Uint32Array>(
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

function valuesOf(
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
  if (!dictionary) throw new Error('a page of numbers of texts, without the dictionary');
  const width = page[0]!;
  if (!(width <= WIDEST)) throw new Error(`numbers of ${width} bits`);
  const numbers = new Uint32Array(count);
  if (width > 0) readRuns(page.subarray(1), width, count, numbers);
  return Array.from(numbers, (number) => {
    const text = dictionary[number];
    if (!text) throw new Error(`text ${number} of a dictionary of ${dictionary.length}`);
    return text;
  });
}

/** More texts than a dictionary has room for; the library is right up to here. */
const WIDEST = 24;

function deltaLengthTexts(page: Uint8Array, count: number): readonly Uint8Array[] {
  const reader = { view: viewOf(page), offset: 0 };
  const lengths = deltas(reader, count);
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
  const prefixes = deltas(reader, count);
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
function deltas(reader: { readonly view: DataView; offset: number }, count: number): Int32Array {
  const { offset } = reader;
  const [blockSize, miniblocks, values] = [readVarInt(reader), readVarInt(reader), readVarInt(reader)];
  const perMiniblock = blockSize / miniblocks;
  if (!(blockSize > 0 && blockSize <= 65_536 && miniblocks > 0 && perMiniblock % 8 === 0 && values === count))
    throw new Error(`${values} lengths in blocks of ${blockSize}, where there are ${count} texts`);
  reader.offset = offset;
  const output = new Int32Array(count);
  deltaBinaryUnpack(reader, count, output);
  if (!Number.isSafeInteger(reader.offset) || reader.offset > reader.view.byteLength)
    throw new Error('lengths longer than their page');
  return output;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
