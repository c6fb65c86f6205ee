import type { Expression } from '../../metric/expression.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Graph } from '../graph/graph.ts';
import { writeScore } from '../pruning/scoreGraph.ts';

export interface GatherGraphOptions {
  readonly expression: Expression;
  /** Of the weight: [out, in]. */
  readonly shape: readonly [number, number];
  readonly weightType: 'float32' | 'float16';
}

/**
 * Scores a linear layer's weights as a pruning of single weights does, and takes the mean of each column's scores over the rows. Inputs:
 * `weight` [out, in] with signs, and the operands of `writeScore`. Outputs: `columns` [1, in], and what `writeScore` says of the score.
 */
export function buildGatherGraph({ expression, shape, weightType }: GatherGraphOptions): Graph {
  const graph = new GraphBuilder();
  const weight = graph.cast(graph.input('weight', shape, weightType), 'float32');
  const score = writeScore(graph, expression, weight);
  // Where one row stands for all, it is their mean.
  graph.output('columns', score.shape[0] === 1 ? score : graph.reduceMean(score, [0]));
  return graph.build('gather');
}
