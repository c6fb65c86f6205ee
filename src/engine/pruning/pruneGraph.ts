import type { EvaluationSettings } from '../../experiment/settings.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import type { Expression } from '../../metric/expression.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { writeScore } from './scoreGraph.ts';

export interface PruneGraphOptions {
  readonly expression: Expression;
  /** Of the weight: [out, in]. */
  readonly shape: readonly [number, number];
  readonly sparsity: Sparsity;
  readonly group: EvaluationSettings['group'];
  /** Element type of the weight that goes in and comes out; scores are computed in float32. */
  readonly weightType: 'float32' | 'float16';
}

/**
 * Scores a linear layer's weights and sets the lowest of every comparison group to zero. Inputs: `weight` [out, in] with signs,
 * and the operands that the metric names beside W: rows [1, in], and G [out, in]. Outputs: `pruned` like the weight; `zeros` [out, 1], the number of
 * zeros in each row of it; and what {@link writeScore} says of the score.
 */
export function buildPruneGraph({ expression, shape, sparsity, group, weightType }: PruneGraphOptions): Graph {
  const graph = new GraphBuilder();
  const weight = graph.input('weight', shape, weightType);
  const score = writeScore(graph, expression, graph.cast(weight, 'float32'));
  const full = score.shape[0] === shape[0] ? score : graph.expand(score, shape);
  const pruned = removeLowest(graph, weight, full, sparsity, group);
  const zero = graph.equal(graph.cast(pruned, 'float32'), graph.scalar(0));
  graph.output('zeros', graph.reduceSum(graph.cast(zero, 'float32'), [1]));
  graph.output('pruned', pruned);
  return graph.build('prune');
}

/** Weight with the lowest scores of each group set to zero; of equal scores the lower column goes first. */
function removeLowest(
  graph: GraphBuilder,
  weight: Value,
  score: Value,
  sparsity: Sparsity,
  group: EvaluationSettings['group'],
): Value {
  const [out, columns] = weight.shape as [number, number];
  const { groups, size, remove } = comparisonGroups([out, columns], sparsity, group);
  if (remove === 0) return weight;
  const indices = graph.smallestIndices(graph.reshape(score, [groups, size]), remove);
  const zeros = graph.constant([0], [groups, remove], weight.type);
  const pruned = graph.scatterElements(graph.reshape(weight, [groups, size]), indices, zeros, 1);
  return graph.reshape(pruned, [out, columns]);
}

/** How a weight [out, in] falls into groups of consecutive elements, and how many of each group go. */
export function comparisonGroups(
  [out, columns]: readonly [number, number],
  sparsity: Sparsity,
  group: EvaluationSettings['group'],
): { readonly groups: number; readonly size: number; readonly remove: number } {
  if (sparsity.kind === 'n:m') {
    return { groups: (out * columns) / sparsity.of, size: sparsity.of, remove: sparsity.of - sparsity.keep };
  }
  const size = group === 'row' ? columns : out * columns;
  // In double precision as it is, like the papers' int(columns * ratio): 29 % of 1000 removes 289.
  const remove = Math.floor(size * sparsity.share);
  return { groups: (out * columns) / size, size, remove };
}
