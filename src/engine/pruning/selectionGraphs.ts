import type { ElementType } from '../graph/elementType.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Graph, Value } from '../graph/graph.ts';

type MatrixShape = readonly [number, number];

/** `score` [n, m], `threshold` [n, 1] → `count` [n, 1]: how many of each row are at most its threshold. */
export function buildCountGraph(shape: MatrixShape): Graph {
  const graph = new GraphBuilder();
  const score = graph.input('score', shape);
  const counted = graph.cast(graph.lessOrEqual(score, graph.input('threshold', [shape[0], 1])), 'float32');
  graph.output('count', graph.reduceSum(counted, [1]));
  return graph.build('count');
}

/** `score` [n, m], `threshold` and `cut` [n, 1] → `count` [n, 1]: how many of each row are below its threshold, or at it and left of its cut. */
export function buildTieGraph(shape: MatrixShape): Graph {
  const graph = new GraphBuilder();
  graph.output('count', graph.reduceSum(writeLower(graph, graph.input('score', shape)), [1]));
  return graph.build('ties');
}

/** The same inputs and `weight` → `pruned`: the weight without what {@link buildTieGraph} counts; `zeros` [n, 1], how many are zero in each row. */
export function buildCutGraph(shape: MatrixShape, weightType: ElementType): Graph {
  const graph = new GraphBuilder();
  writePruned(graph, graph.input('weight', shape, weightType), writeLower(graph, graph.input('score', shape)));
  return graph.build('cut');
}

/**
 * `score` and `weight` [n, m] → `pruned` and `zeros` as {@link buildCutGraph} has them: of each `size` weights of a row those go that fewer than
 * `remove` are before, lower ones and equal ones to the left. Each two are compared once.
 */
export function buildRankGraph(shape: MatrixShape, size: number, remove: number, weightType: ElementType): Graph {
  const graph = new GraphBuilder();
  const groups = (shape[0] * shape[1]) / size;
  const score = graph.reshape(graph.input('score', shape), [groups, size]);
  const columns = Array.from({ length: size }, (_, column) => graph.slice(score, 1, column, column + 1));
  /** Of each column, for every column beside it: 1 where that is before it. */
  const before = columns.map((): Value[] => []);
  for (const [i, left] of columns.entries()) {
    for (const [j, right] of columns.entries()) {
      if (j <= i) continue;
      const leftGoes = graph.cast(graph.lessOrEqual(left, right), 'float32');
      before[j]!.push(leftGoes);
      before[i]!.push(graph.sub(graph.scalar(1), leftGoes));
    }
  }
  const ranks = before.map((found) => found.reduce((sum, one) => graph.add(sum, one)));
  const goes = graph.cast(graph.lessOrEqual(graph.concat(ranks, 1), graph.scalar(remove - 1)), 'float32');
  writePruned(graph, graph.input('weight', shape, weightType), graph.reshape(goes, shape));
  return graph.build('ranks');
}

/** 1 where a score is below its row's `threshold`, or at it and left of its `cut`, else 0. */
function writeLower(graph: GraphBuilder, score: Value): Value {
  const [rows, columns] = score.shape as MatrixShape;
  const threshold = graph.input('threshold', [rows, 1]);
  const places = graph.constant(
    Array.from({ length: columns }, (_, column) => column),
    [1, columns],
  );
  const not = (truth: Value): Value => graph.sub(graph.scalar(1), graph.cast(truth, 'float32'));
  const below = not(graph.lessOrEqual(threshold, score));
  const same = graph.cast(graph.equal(score, threshold), 'float32');
  const left = not(graph.lessOrEqual(graph.input('cut', [rows, 1]), places));
  return graph.add(below, graph.mul(same, left));
}

function writePruned(graph: GraphBuilder, weight: Value, goes: Value): void {
  const stays = graph.equal(goes, graph.scalar(0));
  const pruned = graph.where(stays, weight, graph.constant([0], [1, 1], weight.type));
  const zero = graph.equal(graph.cast(pruned, 'float32'), graph.scalar(0));
  graph.output('zeros', graph.reduceSum(graph.cast(zero, 'float32'), [1]));
  graph.output('pruned', pruned);
}
