import { zeros, type Matrix } from './matrix.ts';
import type { Rotation } from './rotary.ts';

/**
 * Causal attention: query t sees keys max(0, t − window + 1) … t. Query head h uses key-value head ⌊h · kvHeads / heads⌋.
 * `queries` [T, heads · headDim], `keys` and `values` [T, kvHeads · headDim]; the result is shaped like `queries`.
 */
export function attention(queries: Matrix, keys: Matrix, values: Matrix, shape: AttentionShape): Matrix {
  const { heads, kvHeads, headDim, window, scale, cap, added = () => 0 } = shape;
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
        const score = scale === undefined ? dot / Math.sqrt(headDim) : dot * scale;
        scores.push((cap === undefined ? score : cap * Math.tanh(score / cap)) + added(h, s));
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

export interface AttentionShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly window: number;
  /** Of the products; 1 / √headDim where it is not given. */
  readonly scale?: number | undefined;
  /** Scores are cap · tanh(score / cap). */
  readonly cap?: number | undefined;
  /** What is added to the score of a head and a key. */
  readonly added?: (head: number, key: number) => number;
}

/**
 * Turns each head's pair (i, i + number of pairs), or of neighbours (2i, 2i + 1), at row t by t · frequency_i; features behind the pairs
 * stay.
 */
export function rotate(
  x: Matrix,
  headDim: number,
  { frequencies, magnitude }: Rotation,
  pairs: 'halves' | 'neighbours' = 'halves',
): Matrix {
  const rotated = { ...x, values: x.values.slice() };
  const half = frequencies.length;
  for (let t = 0; t < x.rows; t++) {
    for (let head = 0; head < x.columns; head += headDim) {
      for (let i = 0; i < half; i++) {
        const [cosine, sine] = [Math.cos(t * frequencies[i]!) * magnitude, Math.sin(t * frequencies[i]!) * magnitude];
        const [first, second] = pairs === 'halves' ? [i, half + i] : [2 * i, 2 * i + 1];
        const [a, b] = [at(x, t, head + first), at(x, t, head + second)];
        rotated.values[t * x.columns + head + first] = a * cosine - b * sine;
        rotated.values[t * x.columns + head + second] = b * cosine + a * sine;
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
