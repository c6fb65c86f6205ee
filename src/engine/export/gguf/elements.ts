import { NARROW, type NarrowType } from '../../checkpoint/narrow.ts';
import { WIDEN } from '../../checkpoint/widen.ts';

/** Types of elements that are written to a GGUF file, as ggml calls them. */
export type GgmlType = 'F32' | 'F16' | 'BF16' | 'Q8_0';

/** How a type lies in a file: blocks of so many elements of a row, each of so many bytes. */
interface ElementForm {
  /** Of `enum ggml_type`. */
  readonly id: number;
  readonly elements: number;
  readonly bytes: number;
  /** float32 values, whole blocks of them → bytes; rounded to nearest. */
  readonly encode: (values: Float32Array) => Uint8Array;
  /** The other way. `bytes` start at a multiple of 8 in their buffer. */
  readonly decode: (bytes: Uint8Array) => Float32Array;
}

/** Elements that share a scale. */
const BLOCK = 32;
const BLOCK_BYTES = 2 + BLOCK;

/** Types and layouts of ggml's `ggml.h` and `ggml-common.h`. */
export const ELEMENT_FORMS: Readonly<Record<GgmlType, ElementForm>> = {
  F32: { id: 0, ...plain('F32', 4) },
  F16: { id: 1, ...plain('F16', 2) },
  Q8_0: { id: 8, elements: BLOCK, bytes: BLOCK_BYTES, encode: encodeQ8, decode: decodeQ8 },
  BF16: { id: 30, ...plain('BF16', 2) },
};

/** The type with that number, if it is one of ours. */
export function ggmlTypeOf(id: number): GgmlType | undefined {
  return (Object.keys(ELEMENT_FORMS) as GgmlType[]).find((type) => ELEMENT_FORMS[type].id === id);
}

/** Bytes of `count` elements that are whole blocks. */
export function encodedBytes(type: GgmlType, count: number): number {
  const { elements, bytes } = ELEMENT_FORMS[type];
  return (count / elements) * bytes;
}

function plain(type: NarrowType, bytes: number): Omit<ElementForm, 'id'> {
  return {
    elements: 1,
    bytes,
    encode: NARROW[type],
    decode(source) {
      const values = new Float32Array(source.length / bytes);
      WIDEN[type](source, values, 0);
      return values;
    },
  };
}

/**
 * Blocks of a float16 scale d = max|x| / 127 and 32 integers round(x / d), halves away from zero, computed in float32 as ggml's
 * `quantize_row_q8_0_ref` does: the same bytes.
 */
function encodeQ8(values: Float32Array): Uint8Array {
  const count = values.length / BLOCK;
  const bytes = new Uint8Array(count * BLOCK_BYTES);
  const integers = new Int8Array(bytes.buffer);
  const scales = new Float32Array(count);
  for (let block = 0; block < count; block++) {
    const from = block * BLOCK;
    let largest = 0;
    for (let i = from; i < from + BLOCK; i++) largest = Math.max(largest, Math.abs(values[i]!));
    const scale = Math.fround(largest / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    scales[block] = scale;
    for (let i = 0, to = block * BLOCK_BYTES + 2; i < BLOCK; i++, to++) {
      const scaled = Math.fround(values[from + i]! * inverse);
      integers[to] = scaled < 0 ? -Math.floor(0.5 - scaled) : Math.floor(scaled + 0.5);
    }
  }
  const halves = NARROW.F16(scales);
  for (let block = 0; block < count; block++) {
    bytes[block * BLOCK_BYTES] = halves[2 * block]!;
    bytes[block * BLOCK_BYTES + 1] = halves[2 * block + 1]!;
  }
  return bytes;
}

function decodeQ8(source: Uint8Array): Float32Array {
  const count = source.length / BLOCK_BYTES;
  const halves = new Uint8Array(2 * count);
  for (let block = 0; block < count; block++) {
    halves[2 * block] = source[block * BLOCK_BYTES]!;
    halves[2 * block + 1] = source[block * BLOCK_BYTES + 1]!;
  }
  const scales = new Float32Array(count);
  WIDEN.F16(halves, scales, 0);
  const integers = new Int8Array(source.buffer, source.byteOffset, source.length);
  const values = new Float32Array(count * BLOCK);
  for (let block = 0; block < count; block++) {
    const from = block * BLOCK_BYTES + 2;
    for (let i = 0; i < BLOCK; i++) values[block * BLOCK + i] = integers[from + i]! * scales[block]!;
  }
  return values;
}
