import { HISTOGRAM_BINS } from '../../experiment/inspectionSchema.ts';
import type { NodeStatistics } from '../../experiment/inspectionSchema.ts';

export type ValueStatistics = Omit<NodeStatistics, 'path' | 'shape'>;

/**
 * Extremes, mean, share of non-finite values and histogram of a tensor, in two passes. Sums are kept in float64. Where all finite
 * values are equal the first bin has them all.
 */
export function valueStatistics(values: Float32Array): ValueStatistics {
  const { length } = values;
  let [minimum, maximum, sum, finite] = [Infinity, -Infinity, 0, 0];
  // Indices, because an iterator costs several times the arithmetic.
  for (let i = 0; i < length; i++) {
    const value = values[i]!;
    if (!isFinite(value)) continue;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
    sum += value;
    finite++;
  }
  const counts = new Float64Array(HISTOGRAM_BINS);
  const nonFinite = 1 - finite / length;
  if (finite === 0) return { minimum: null, maximum: null, mean: null, nonFinite, histogram: [...counts] };
  const range = maximum - minimum;
  if (range === 0) counts[0] = finite;
  else {
    for (let i = 0; i < length; i++) {
      const value = values[i]!;
      if (!isFinite(value)) continue;
      const place = ((value - minimum) / range) * HISTOGRAM_BINS;
      counts[place < HISTOGRAM_BINS ? Math.trunc(place) : HISTOGRAM_BINS - 1]!++;
    }
  }
  return { minimum, maximum, mean: sum / finite, nonFinite, histogram: [...counts] };
}

/** Infinity and NaN are the two that are no difference from themselves: a compare costs less than a call in a loop of millions. */
function isFinite(value: number): boolean {
  return value - value === 0;
}
