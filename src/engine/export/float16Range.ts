import { EspalierError } from '../../base/errors.ts';

/** The first value that float16 rounds to infinity. */
const FLOAT16_END = 65_520;

/** @throws EspalierError `export/mismatch` where float16 has no room for one of the values */
export function requireFloat16(tensor: string, values: Float32Array, remedy: string): void {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  // NaN is not smaller either.
  if (largest < FLOAT16_END) return;
  throw new EspalierError({
    code: 'export/mismatch',
    operation: `writing ${tensor} as float16`,
    expected: 'weights of at most 65504',
    actual: largest.toPrecision(4),
    remedy,
  });
}
