import { row } from './matrix.ts';
import { forward, type OracleModel } from './model.ts';

/** Mean of KL(dense ‖ other) of the next-token distributions over the T − 1 predictions of each block, in nats. */
export function divergence(dense: OracleModel, other: OracleModel, blocks: readonly (readonly number[])[]): number {
  let [sum, count] = [0, 0];
  for (const tokens of blocks) {
    const [left, right] = [forward(dense, tokens), forward(other, tokens)];
    for (let t = 0; t + 1 < tokens.length; t++, count++) {
      const [p, q] = [logProbabilities(row(left, t)), logProbabilities(row(right, t))];
      for (const [i, value] of p.entries()) sum += Math.exp(value) * (value - q[i]!);
    }
  }
  return sum / count;
}

function logProbabilities(scores: ArrayLike<number>): number[] {
  const values = Array.from(scores);
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const normaliser = largest + Math.log(values.reduce((total, value) => total + Math.exp(value - largest), 0));
  return values.map((value) => value - normaliser);
}
