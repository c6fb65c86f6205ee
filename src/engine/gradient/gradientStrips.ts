import type { Parameter } from '../families/family.ts';
import type { Device } from '../runtime/device.ts';

/** Some rows of a parameter, whose gradient is an output of its own: `d:name`. */
export interface GradientStrip {
  readonly name: string;
  /** Rows `begin … end − 1`. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Rows of a weight's gradient that the CPU works off together. What one sample adds, [512, in], is squared and added while it is in the
 * cache, where the whole of it would pass through memory three times; and the products themselves are faster by a sixth.
 */
const CACHED_ROWS = 512;

/** The most rows of a strip. A device with memory of its own gets each gradient as one: many small programs keep it waiting. */
export function stripRows({ resident }: Pick<Device, 'resident'>): number {
  return resident ? Infinity : CACHED_ROWS;
}

/** A parameter in strips of about the same number of rows. What is no matrix is one, under the parameter's name, as what is small enough is. */
export function gradientStrips(
  { name, shape }: Pick<Parameter, 'name' | 'shape'>,
  most: number,
): readonly GradientStrip[] {
  const rows = shape[0]!;
  const count = shape.length === 2 ? Math.ceil(rows / most) : 1;
  if (count <= 1) return [{ name, begin: 0, end: rows }];
  const bound = (index: number): number => Math.floor((index * rows) / count);
  return Array.from({ length: count }, (_, i) => ({ name: `${name}:${i}`, begin: bound(i), end: bound(i + 1) }));
}
