import type { Value } from './graph.ts';
import type { GraphBuilder } from './graphBuilder.ts';

/** Strips of a matrix at most, and rows of one at least: more are fewer operations, and more copies of what they are made of. */
const [MOST, LEAST] = [4, 128];

/** H is symmetric: it is added up in strips of rows, each from the diagonal to the right. Shapes of those of H [n, n]. */
export function stripShapes(n: number): readonly (readonly [rows: number, columns: number])[] {
  const height = Math.max(LEAST, Math.ceil(n / MOST));
  return Array.from({ length: Math.ceil(n / height) }, (_, i) => [Math.min(height, n - i * height), n - i * height]);
}

/** Strips of xᵀx with x [tokens, n]. */
export function stripProducts(graph: GraphBuilder, x: Value): Value[] {
  const n = x.shape[1]!;
  return stripShapes(n).map(([rows, columns]) => {
    const right = columns === n ? x : graph.slice(x, 1, n - columns, n);
    const left = rows === columns ? right : graph.slice(x, 1, n - columns, n - columns + rows);
    return graph.matMul(left, right, { transposeA: true });
  });
}
