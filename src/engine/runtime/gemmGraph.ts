import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';

/** x [m, k] · weightᵀ with weight [n, k]: the product that a linear layer is. Both are inputs, as in every program of ours. */
export function buildGemmGraph(m: number, k: number, n: number, precision: 'float32' | 'float16'): Graph {
  const graph = new GraphBuilder();
  const x = graph.cast(graph.input('x', [m, k]), precision);
  const weight = graph.cast(graph.input('weight', [n, k]), precision);
  graph.output('y', graph.cast(graph.linear(x, weight), 'float32'));
  return graph.build('gemm');
}
