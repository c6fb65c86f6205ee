/** The slope of the line through points that lies closest to them in y. */
export function leastSquaresSlope(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [xMean, yMean] = [mean(x), mean(y)];
  const sum = (of: (i: number) => number): number => x.reduce((total, _, i) => total + of(i), 0);
  return sum((i) => (x[i]! - xMean) * (y[i]! - yMean)) / sum((i) => (x[i]! - xMean) ** 2);
}
