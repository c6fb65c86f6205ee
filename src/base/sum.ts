/** In the order given, so that equal values have equal sums to the last bit. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
