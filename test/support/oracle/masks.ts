import type { WeightSparsity } from '../../../src/experiment/sparsitySchema.ts';
import type { Matrix } from './matrix.ts';

/**
 * 1 where a weight goes, shaped like `score`. The lowest scores of each comparison group go; among equal scores the lower column
 * first (over a whole matrix: the earlier weight, row after row).
 */
export function maskOf(score: Matrix, sparsity: WeightSparsity, group: 'row' | 'layer'): Uint8Array {
  const { rows, columns } = score;
  const gone = new Uint8Array(rows * columns);
  const size = sparsity.kind === 'n:m' ? sparsity.of : group === 'row' ? columns : rows * columns;
  const removed = sparsity.kind === 'n:m' ? sparsity.of - sparsity.keep : Math.floor(size * sparsity.share);
  for (let begin = 0; begin < gone.length; begin += size) {
    const order = Array.from({ length: size }, (_, i) => begin + i);
    order.sort((a, b) => score.values[a]! - score.values[b]! || a - b);
    for (const index of order.slice(0, removed)) gone[index] = 1;
  }
  return gone;
}

/** `weight` with zeros where `gone` is 1. */
export function masked(weight: Matrix, gone: Uint8Array): Matrix {
  return { ...weight, values: weight.values.map((value, i) => (gone[i] === 1 ? 0 : value)) };
}
