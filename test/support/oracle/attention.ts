import { zeros, type Matrix } from './matrix.ts';
import type { Rotation } from './rotary.ts';

/**
 * Causal attention: query t sees keys max(0, t − window + 1) … t. Query head h uses key-value head ⌊h · kvHeads / heads⌋.
 * `queries` [T, heads · headDim], `keys` and `values` [T, kvHeads · headDim]; the result is shaped like `queries`.
 */
export function attention(
  queries: Matrix,
  keys: Matrix,
  values: Matrix,
  shape: {
    readonly heads: number;
    readonly kvHeads: number;
    readonly headDim: number;
    readonly window: number;
    /** Factor of the products; 1/√headDim by default. */
    readonly scale?: number;
    /** What is added to the score of a head and a key. */
    readonly added?: (head: number, key: number) => number;
  },
): Matrix {
  const { heads, kvHeads, headDim, window, scale = 1 / Math.sqrt(headDim), added = () => 0 } = shape;
  const mixed = zeros(queries.rows, queries.columns);
  for (let h = 0; h < heads; h++) {
    const from = h * headDim;
    const kvFrom = Math.floor((h * kvHeads) / heads) * headDim;
    for (let t = 0; t < queries.rows; t++) {
      const first = Math.max(0, t - window + 1);
      const scores: number[] = [];
      for (let s = first; s <= t; s++) {
        let dot = 0;
        for (let d = 0; d < headDim; d++) dot += at(queries, t, from + d) * at(keys, s, kvFrom + d);
        scores.push(dot * scale + added(h, s));
      }
      softmax(scores).forEach((share, j) => {
        for (let d = 0; d < headDim; d++) {
          mixed.values[t * mixed.columns + from + d]! += share * at(values, first + j, kvFrom + d);
        }
      });
    }
  }
  return mixed;
}

/** Turns each head's pair (i, i + number of pairs) at row t by t · frequency_i; features behind the pairs stay. */
export function rotate(x: Matrix, headDim: number, { frequencies, magnitude }: Rotation): Matrix {
  const rotated = { ...x, values: x.values.slice() };
  const half = frequencies.length;
  for (let t = 0; t < x.rows; t++) {
    for (let head = 0; head < x.columns; head += headDim) {
      for (let i = 0; i < half; i++) {
        const [cosine, sine] = [Math.cos(t * frequencies[i]!) * magnitude, Math.sin(t * frequencies[i]!) * magnitude];
        const [a, b] = [at(x, t, head + i), at(x, t, head + half + i)];
        rotated.values[t * x.columns + head + i] = a * cosine - b * sine;
        rotated.values[t * x.columns + head + half + i] = b * cosine + a * sine;
      }
    }
  }
  return rotated;
}

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function at(matrix: Matrix, row: number, column: number): number {
  return matrix.values[row * matrix.columns + column]!;
}
