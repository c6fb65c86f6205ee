import type { ReadableType } from './elementTypes.ts';

/**
 * Turns the little-endian elements in `source` into float32 at `target[at…]`, bit by bit the value that IEEE 754 conversion
 * gives: bf16, f16 and f32 exactly (subnormals, infinities and NaN payloads included), f64 rounded to nearest even, everything of 8 bits exactly.
 * `source` must start at a multiple of 8 bytes in its buffer. Halves are taken two at a time, as signed integers: that is
 * half again as fast as one by one, and a loop written out is four times as fast as one that calls a function.
 */
export const WIDEN: Readonly<Record<ReadableType, (source: Uint8Array, target: Float32Array, at: number) => void>> = {
  BF16(source, target, at) {
    const pairs = new Int32Array(source.buffer, source.byteOffset, source.byteLength >>> 2);
    const bits = signedBitsOf(target);
    for (let i = 0, to = at; i < pairs.length; i++, to += 2) {
      const pair = pairs[i]!;
      bits[to] = pair << 16;
      bits[to + 1] = pair & 0xffff_0000;
    }
    if (source.byteLength & 2) bits[at + 2 * pairs.length] = lastHalf(source) << 16;
  },
  F16(source, target, at) {
    const pairs = new Int32Array(source.buffer, source.byteOffset, source.byteLength >>> 2);
    const bits = signedBitsOf(target);
    const table = float16Table();
    for (let i = 0, to = at; i < pairs.length; i++, to += 2) {
      const pair = pairs[i]!;
      bits[to] = table[pair & 0xffff]!;
      bits[to + 1] = table[pair >>> 16]!;
    }
    if (source.byteLength & 2) bits[at + 2 * pairs.length] = table[lastHalf(source)]!;
  },
  F32(source, target, at) {
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    bytes.set(source, at * 4);
  },
  F64(source, target, at) {
    target.set(new Float64Array(source.buffer, source.byteOffset, source.byteLength >>> 3), at);
  },
  F8_E4M3(source, target, at) {
    for (let i = 0; i < source.length; i++) target[at + i] = FLOAT8[source[i]!]!;
  },
  // The upper half of a float16.
  F8_E5M2(source, target, at) {
    const [bits, table] = [signedBitsOf(target), float16Table()];
    for (let i = 0; i < source.length; i++) bits[at + i] = table[source[i]! << 8]!;
  },
  I8(source, target, at) {
    target.set(new Int8Array(source.buffer, source.byteOffset, source.byteLength), at);
  },
  U8(source, target, at) {
    target.set(source, at);
  },
  BOOL(source, target, at) {
    target.set(source, at);
  },
};

/** The bits of a float32 array. Going through integers keeps NaN payloads, which float stores may not. */
export function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function signedBitsOf(values: Float32Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}

function lastHalf(source: Uint8Array): number {
  return source[source.length - 2]! | (source[source.length - 1]! << 8);
}

let table16: Int32Array | undefined;

/** float32 bits of each of the 65 536 float16 values; made on first use (256 KiB). */
function float16Table(): Int32Array {
  if (table16) return table16;
  const table = new Int32Array(65_536);
  for (let half = 0; half < table.length; half++) table[half] = widenFloat16(half);
  return (table16 = table);
}

/** 1 sign, 5 exponent (bias 15) and 10 fraction bits → 1, 8 (bias 127) and 23. */
function widenFloat16(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f80_0000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // A subnormal, fraction · 2⁻²⁴, is a normal float32: shift its leading one up to the hidden bit.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

/**
 * 1 sign, 4 exponent (bias 7) and 3 fraction bits. Without infinities: of the largest exponent only the largest fraction is no number
 * (Micikevicius et al. 2022, table 1).
 */
function widenFloat8(bits: number): number {
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >>> 3) & 15;
  const fraction = bits & 7;
  if ((bits & 0x7f) === 0x7f) return NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -9 : (8 + fraction) * 2 ** (exponent - 10));
}

const FLOAT8 = Float32Array.from({ length: 256 }, (_, bits) => widenFloat8(bits));
