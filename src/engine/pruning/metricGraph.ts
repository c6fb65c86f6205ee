import type { Expression } from '../../metric/expression.ts';
import type { OperandName } from '../../metric/operands.ts';
import type { OperationName } from '../../metric/operations.ts';
import type { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Value } from '../graph/graph.ts';
import { broadcastShapes, type Shape, sizeOf } from '../graph/shape.ts';

/**
 * Writes a metric into a graph. Where the whole of a tensor is reduced (norms, means, extremes), the tensor is the one that the
 * expression has at that place: [out, in], or [1, in] for operands that are one row.
 *
 * @param operand the operands' values: [out, in] or [1, in], float32
 * @returns the score, [out, in] or [1, in]
 */
export function writeMetric(graph: GraphBuilder, expression: Expression, operand: (name: OperandName) => Value): Value {
  switch (expression.kind) {
    case 'operand':
      return operand(expression.name);
    case 'number':
      return graph.scalar(expression.value);
    case 'operation': {
      const [x, y] = expression.arguments.map((argument) => writeMetric(graph, argument, operand));
      return writeOperation(graph, expression.operation, x!, y ?? x!);
    }
  }
}

/** Writes one operation; a unary one ignores y. */
export function writeOperation(graph: GraphBuilder, name: OperationName, x: Value, y: Value): Value {
  return OPERATION_GRAPHS[name](graph, x, y);
}

/** One row an operation, with the formulas of the operation table. */
const OPERATION_GRAPHS: Readonly<Record<OperationName, (graph: GraphBuilder, x: Value, y: Value) => Value>> = {
  add: (graph, x, y) => graph.add(x, y),
  sub: (graph, x, y) => graph.sub(x, y),
  mul: (graph, x, y) => graph.mul(x, y),
  // x / ‖y‖₂ over the common shape: a row that meets a matrix counts once for each output row.
  div(graph, x, y) {
    const shape = broadcastShapes(x.shape, y.shape)!;
    const [left, right] = [expand(graph, x, shape), expand(graph, y, shape)];
    return graph.div(left, graph.sqrt(reduceWhole(graph, 'reduceSum', graph.mul(right, right))));
  },
  quotient: (graph, x, y) => graph.div(x, y),
  power: (graph, x, y) => graph.pow(x, y),
  sqr: (graph, x) => graph.mul(x, x),
  pow: (graph, x) => graph.mul(x, x),
  neg: (graph, x) => graph.neg(x),
  abs: (graph, x) => graph.abs(x),
  tanh: (graph, x) => graph.tanh(x),
  skp: (_, x) => x,
  log: (graph, x) => graph.log(graph.add(graph.abs(x), graph.scalar(0.001))),
  exp: (graph, x) => graph.exp(graph.min(x, graph.scalar(100))),
  sqrt: (graph, x) => graph.sqrt(graph.abs(x)),
  mms(graph, x) {
    const minimum = reduceWhole(graph, 'reduceMin', x);
    return graph.div(graph.sub(x, minimum), graph.sub(reduceWhole(graph, 'reduceMax', x), minimum));
  },
  zsn(graph, x) {
    const size = sizeOf(x.shape);
    const centred = graph.sub(x, reduceWhole(graph, 'reduceMean', x));
    const squares = reduceWhole(graph, 'reduceSum', graph.mul(centred, centred));
    return graph.div(centred, graph.sqrt(graph.div(squares, graph.scalar(size - 1))));
  },
};

/**
 * A reduction over every element, one axis after the other: partial sums of one row each lose less to rounding than one long
 * running sum.
 */
export function reduceWhole(
  graph: GraphBuilder,
  reduction: 'reduceSum' | 'reduceMean' | 'reduceMin' | 'reduceMax',
  x: Value,
): Value {
  let value = x;
  for (let axis = x.shape.length - 1; axis >= 0; axis--) {
    if (x.shape[axis] !== 1) value = graph[reduction](value, [axis]);
  }
  return value;
}

function expand(graph: GraphBuilder, x: Value, shape: Shape): Value {
  return sizeOf(x.shape) === sizeOf(shape) ? x : graph.expand(x, shape);
}
