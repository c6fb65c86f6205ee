import { HISTOGRAM_BINS, type NodeStatistics } from '../../experiment/inspection.ts';

export type ValueStatistics = Omit<NodeStatistics, 'path' | 'shape'>;

/**
 * Extremes, mean, share of non-finite values and histogram of a tensor, in two passes. Sums are kept in float64. Where all finite
 * values are equal the first bin has them all.
 */
export function valueStatistics(values: Float32Array): ValueStatistics {
  let [minimum, maximum, sum, finite] = [Infinity, -Infinity, 0, 0];
  for (const value of values) {
    if (!isFinite(value)) continue;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
    sum += value;
    finite++;
  }
  const histogram = new Array<number>(HISTOGRAM_BINS).fill(0);
  const nonFinite = 1 - finite / values.length;
  if (finite === 0) return { minimum: null, maximum: null, mean: null, nonFinite, histogram };
  const range = maximum - minimum;
  if (range === 0) histogram[0] = finite;
  else {
    for (const value of values) {
      if (!isFinite(value)) continue;
      histogram[Math.min(HISTOGRAM_BINS - 1, Math.floor(((value - minimum) / range) * HISTOGRAM_BINS))]!++;
    }
  }
  return { minimum, maximum, mean: sum / finite, nonFinite, histogram };
}

/** Infinity and NaN are the two that are no difference from themselves: a compare costs less than a call in a loop of millions. */
function isFinite(value: number): boolean {
  return value - value === 0;
}
