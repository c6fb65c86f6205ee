/** Values as `PackedValues` has them: float32, little-endian, in base64. Every bit survives. */
export function packValues(values: Float32Array): string {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i]!, true);
  const parts: string[] = [];
  for (let begin = 0; begin < bytes.length; begin += PART) {
    let digits = '';
    for (let i = begin; i < Math.min(begin + PART, bytes.length); i += 3) {
      const left = bytes.length - i;
      const bits = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
      digits += DIGITS[bits >>> 18]! + DIGITS[(bits >>> 12) & 63]!;
      digits += (left > 1 ? DIGITS[(bits >>> 6) & 63]! : '=') + (left > 2 ? DIGITS[bits & 63]! : '=');
    }
    parts.push(digits);
  }
  return parts.join('');
}

/** @returns the values, or undefined where the text is not `count` of them */
export function unpackValues(text: string, count: number): Float32Array | undefined {
  const size = count * 4;
  if (text.length !== 4 * Math.ceil(size / 3)) return undefined;
  const bytes = new Uint8Array(size + 2);
  for (let i = 0, at = 0; i < text.length; i += 4, at += 3) {
    let bits = 0;
    for (let k = 0; k < 4; k++) {
      const value = VALUES[text.charCodeAt(i + k)];
      // Only what fills the last three bytes may be missing.
      const isPadding = text[i + k] === '=' && at + k > size;
      if (value === undefined && !isPadding) return undefined;
      bits = (bits << 6) | (value ?? 0);
    }
    bytes[at] = bits >>> 16;
    bytes[at + 1] = bits >>> 8;
    bytes[at + 2] = bits;
  }
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES: readonly (number | undefined)[] = Array.from({ length: 128 }, (_, code) => {
  const value = DIGITS.indexOf(String.fromCharCode(code));
  return value === -1 ? undefined : value;
});
/** Bytes, a multiple of 3. */
const PART = 3 << 14;
