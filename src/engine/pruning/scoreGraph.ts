import type { Expression } from '../../metric/expression.ts';
import { operandsOf } from '../../metric/measure.ts';
import type { OperandName } from '../../metric/operands.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { isRowOperand } from './inputStatistics.ts';
import { reduceWhole, writeMetric } from './metricGraph.ts';

/** Largest finite float32. */
const FLOAT32_MAX = 3.4028234663852886e38;

/**
 * A program for the score of a linear layer's weights. Inputs: `weight` [out, in] with signs, and the operands of {@link writeScore}. Outputs:
 * `score` [out, in], float32, and what {@link writeScore} says of it.
 */
export function buildScoreGraph(
  expression: Expression,
  shape: readonly [number, number],
  weightType: 'float32' | 'float16',
): Graph {
  const graph = new GraphBuilder();
  const score = writeScore(graph, expression, graph.cast(graph.input('weight', shape, weightType), 'float32'));
  graph.output('score', graph.expand(score, shape));
  return graph.build('score');
}

/**
 * The score of a linear layer's weights, [out, in] or [1, in] where one row stands for all. Takes as inputs the operands that the metric
 * names beside W: rows [1, in], and G [out, in]; and has as outputs what `ScoreSummary` takes in: `finite` [out or 1, 1], the number of
 * finite scores in each row, `minimum` and `maximum` [1, 1].
 *
 * @param signed the weight with its signs, [out, in], float32
 */
export function writeScore(graph: GraphBuilder, expression: Expression, signed: Value): Value {
  const operands = new Map<OperandName, Value>();
  for (const name of operandsOf(expression)) operands.set(name, operandValue(graph, name, signed));
  const written = writeMetric(graph, expression, (name) => operands.get(name)!);
  // A metric of numbers alone gives one score to all weights.
  const score = written.shape.length === 2 ? written : graph.expand(written, [1, signed.shape[1]!]);
  graph.output('finite', writeFinite(graph, score));
  graph.output('minimum', reduceWhole(graph, 'reduceMin', score));
  graph.output('maximum', reduceWhole(graph, 'reduceMax', score));
  return score;
}

/** x [n, m], float32 → [n, 1]: how many elements of each row are finite. */
export function writeFinite(graph: GraphBuilder, x: Value): Value {
  const finite = graph.cast(graph.lessOrEqual(graph.abs(x), graph.scalar(FLOAT32_MAX)), 'float32');
  return graph.reduceSum(finite, [1]);
}

/** An operand, read off the weight or an input of its own: one row, or G like the weight. */
function operandValue(graph: GraphBuilder, name: OperandName, signed: Value): Value {
  if (name === 'W') return graph.abs(signed);
  if (name === 'Wsigned') return signed;
  return graph.input(name, isRowOperand(name) ? [1, signed.shape[1]!] : signed.shape);
}
