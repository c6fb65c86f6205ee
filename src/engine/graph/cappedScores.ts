import type { Value } from './graph.ts';
import type { GraphBuilder } from './graphBuilder.ts';

/** cap · tanh(x / cap), where there is a cap. */
export function capped(graph: GraphBuilder, x: Value, cap: number | undefined): Value {
  if (cap === undefined) return x;
  const inverse = graph.scalar(1 / cap, x.type);
  return graph.mul(graph.tanh(graph.mul(x, inverse)), graph.scalar(cap, x.type));
}

/** The derivative of {@link capped} from its value y: 1 − (y / cap)². */
export function slopeOfCap(graph: GraphBuilder, y: Value, cap: number): Value {
  const ratio = graph.mul(y, graph.scalar(1 / cap, y.type));
  return graph.sub(graph.scalar(1, y.type), graph.mul(ratio, ratio));
}
