/** An integer in the order of the values, and the same of both zeros: the magnitude's bits with the sign of the value. */
export function keyOfBits(bits: number): number {
  const sign = bits >> 31;
  return (((bits & 0x7fffffff) ^ sign) - sign) | 0;
}

/** The same of a value. */
export function keyOf(value: number): number {
  float[0] = value;
  return keyOfBits(floatBits[0]!);
}

/** The float32 with that key. */
export function valueOf(key: number): number {
  floatBits[0] = key >= 0 ? key : -key | 0x80000000;
  return float[0]!;
}

const float = new Float32Array(1);
const floatBits = new Int32Array(float.buffer);
