/** A place in a buffer that goes on as it is read. */
interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

const DEEPEST = 16;

/**
 * Where a struct of Thrift's compact protocol ends that begins at `at`. Nothing is made of it: hyparquet takes sizes, numbers and depths as
 * they are written, and a few hostile bytes would keep it busy for ever or fill the memory. What passes here takes memory in the
 * order of its own length.
 *
 * @throws Error for what is no such struct
 */
export function endOfStruct(bytes: Uint8Array, at: number): number {
  const cursor = { bytes, at };
  skipStruct(cursor, 0);
  return cursor.at;
}

function skipStruct(cursor: Cursor, depth: number): void {
  if (depth > DEEPEST) throw new Error('structs inside each other without end');
  for (;;) {
    const head = byte(cursor);
    if (head === 0) return;
    // A field's number: with the last one's distance in the head, or written out.
    if (head >> 4 === 0) varint(cursor);
    skipValue(cursor, head & 0xf, depth);
  }
}

function skipValue(cursor: Cursor, type: number, depth: number): void {
  const skipOne = VALUES[type];
  if (!skipOne) throw new Error(`a field of type ${type}`);
  skipOne(cursor, depth);
}

type Skip = (cursor: Cursor, depth: number) => void;

/** By the number of a type; those that are not here Parquet does not use. */
const VALUES: Readonly<Record<number, Skip>> = {
  // Booleans of a field are its type.
  1: () => undefined,
  2: () => undefined,
  3: (cursor) => {
    skip(cursor, 1);
  },
  4: varint,
  5: varint,
  6: varint,
  7: (cursor) => {
    skip(cursor, 8);
  },
  8: (cursor) => {
    skip(cursor, varint(cursor));
  },
  9: skipList,
  12: (cursor, depth) => {
    skipStruct(cursor, depth + 1);
  },
};

function skipList(cursor: Cursor, depth: number): void {
  const head = byte(cursor);
  const size = head >> 4 === 15 ? varint(cursor) : head >> 4;
  const type = head & 0xf;
  if (type === 9) throw new Error('a list of lists');
  if (size > cursor.bytes.length - cursor.at) throw new Error(`a list of ${size} in fewer bytes`);
  // Booleans of a list are a byte each.
  for (let i = 0; i < size; i++) skipValue(cursor, type === 1 || type === 2 ? 3 : type, depth + 1);
}

function byte(cursor: Cursor): number {
  skip(cursor, 1);
  return cursor.bytes[cursor.at - 1]!;
}

function skip(cursor: Cursor, count: number): void {
  cursor.at += count;
  if (cursor.at > cursor.bytes.length) throw new Error('its end too early');
}

/** An unsigned integer; of more than 2^53 only about. */
function varint(cursor: Cursor): number {
  let value = 0;
  for (let i = 0; i < LONGEST_VARINT; i++) {
    const next = byte(cursor);
    value += (next & 0x7f) * 2 ** (7 * i);
    if (next < 0x80) return value;
  }
  throw new Error('a number of more than 64 bits');
}

const LONGEST_VARINT = 10;
