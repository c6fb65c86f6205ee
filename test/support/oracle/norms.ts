import { row, zeros, type Matrix } from './matrix.ts';

/** x / sqrt(mean(x²) + ε) · weight, over groups of `weight.length` features of each row (a whole row, or one head of it). */
export function rmsNorm(x: Matrix, weight: Float64Array, epsilon: number): Matrix {
  const normed = zeros(x.rows, x.columns);
  const width = weight.length;
  for (let begin = 0; begin < x.values.length; begin += width) {
    let squares = 0;
    for (let i = 0; i < width; i++) squares += x.values[begin + i]! ** 2;
    const scale = 1 / Math.sqrt(squares / width + epsilon);
    for (let i = 0; i < width; i++) normed.values[begin + i] = x.values[begin + i]! * scale * weight[i]!;
  }
  return normed;
}

/** (x − mean) / sqrt(variance + ε) · weight + bias, over each row; the variance divides by the number of features. */
export function layerNorm(x: Matrix, weight: Float64Array, bias: Float64Array, epsilon: number): Matrix {
  const normed = zeros(x.rows, x.columns);
  for (let t = 0; t < x.rows; t++) {
    const features = row(x, t);
    const mean = features.reduce((sum, value) => sum + value, 0) / x.columns;
    const variance = features.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.columns;
    const target = row(normed, t);
    features.forEach((value, i) => {
      target[i] = ((value - mean) / Math.sqrt(variance + epsilon)) * weight[i]! + bias[i]!;
    });
  }
  return normed;
}
