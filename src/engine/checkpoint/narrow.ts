import { bitsOf } from './widen.ts';

/** Types that float32 values are written as. */
export type NarrowType = 'F32' | 'F16' | 'BF16';

/** The bytes of float32 values in another type, rounded to nearest even. Those of `F32` are the values' own memory. */
export const NARROW: Readonly<Record<NarrowType, (values: Float32Array) => Uint8Array>> = {
  F32: (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  BF16: (values) => narrow(values, narrowToBfloat16),
  F16: (values) => narrow(values, narrowToFloat16),
};

function narrow(values: Float32Array, narrowBits: (bits: number) => number): Uint8Array {
  const bits = bitsOf(values);
  const halves = new Uint16Array(bits.length);
  // A loop: Uint16Array.from takes forty times as long.
  for (let i = 0; i < bits.length; i++) halves[i] = narrowBits(bits[i]!);
  return new Uint8Array(halves.buffer);
}

/** float32 bits → bfloat16 bits: the upper half, rounded to nearest even; a NaN stays one. */
function narrowToBfloat16(bits: number): number {
  if ((bits & 0x7fff_ffff) > 0x7f80_0000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** float32 bits → float16 bits, rounded to nearest even; what is too large becomes infinity, a NaN stays one. */
function narrowToFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  // Half-way between 65504, the largest float16, and 65536: from here on values round to infinity.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00;
  const exponent = (magnitude >>> 23) - 112;
  if (exponent > 0) return sign | roundShift(magnitude - (112 << 23), 13);
  // Subnormal: fraction · 2⁻²⁴, the hidden bit made explicit. Below half of the smallest one everything is zero.
  if (exponent < -10) return sign;
  return sign | roundShift((magnitude & 0x7f_ffff) | 0x80_0000, 14 - exponent);
}

/** `value / 2^shift`, rounded to nearest even. */
function roundShift(value: number, shift: number): number {
  const half = 1 << (shift - 1);
  const odd = (value >>> shift) & 1;
  return (value + half - 1 + odd) >>> shift;
}
