type Values = readonly number[] | Float64Array;

/**
 * The shift of the projection onto `{Σ wᵢ·pᵢ = total, 0 ≤ pᵢ ≤ 1}`: the nearest point of it, where a distance counts wᵢ times in
 * component i, is `clamp(xᵢ − shift, 0, 1)`. Without weights all of them are 1.
 *
 * Σ wᵢ·clamp(xᵢ − v, 0, 1) falls from Σ w to 0 as v grows, in straight pieces. The bracket around the solution is halved, unless the
 * straight piece at hand meets the total inside of it, which is nearer: a handful of passes, whatever the number of components. The
 * total is met to 1e-12 of Σ w.
 *
 * @param total from 0 to Σ w; beyond that the nearer end is taken
 */
export function projectionShift(values: Values, total: number, weights?: Values): number {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value - 1);
    high = Math.max(high, value);
  }
  const enough = 1e-12 * clampedSum(values, low, weights).sum;
  let shift = 0;
  for (let pass = 0; pass < MAX_PASSES && low < high; pass++) {
    if (!(shift > low && shift < high)) shift = low + (high - low) / 2;
    const { sum, free } = clampedSum(values, shift, weights);
    if (Math.abs(sum - total) <= enough) return shift;
    if (sum > total) low = shift;
    else high = shift;
    const next = free > 0 ? shift + (sum - total) / free : NaN;
    if (next === shift) return shift;
    shift = next;
  }
  return low + (high - low) / 2;
}

/** `clamp(value − shift, 0, 1)`. */
export function shifted(value: number, shift: number): number {
  const moved = value - shift;
  return moved <= 0 ? 0 : moved > 1 ? 1 : moved;
}

/** Where straight pieces lead astray, halving alone is through by then. */
const MAX_PASSES = 200;

/** @returns Σ wᵢ·clamp(xᵢ − v, 0, 1), and Σ wᵢ over those strictly between, which is how fast it falls */
function clampedSum(
  values: Values,
  shift: number,
  weights: Values | undefined,
): { readonly sum: number; readonly free: number } {
  let [sum, free] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const weight = weights ? weights[i]! : 1;
    const moved = values[i]! - shift;
    if (moved >= 1) sum += weight;
    else if (moved > 0) {
      sum += weight * moved;
      free += weight;
    }
  }
  return { sum, free };
}
