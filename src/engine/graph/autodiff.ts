import {
  GRADIENT_RULES,
  type GradientContext,
  type GradientRule,
  type InputGradient,
  type RangeGradient,
} from './gradientRules.ts';
import type { Node, Value } from './graph.ts';
import type { GraphBuilder } from './graphBuilder.ts';
import type { PrimitiveName } from './primitives.ts';
import { EspalierError } from '../../base/errors.ts';

/** Where ∂L/∂value is known from outside: at a loss (1), or at the output of a block (what the blocks behind it hand back). */
export interface Seed {
  readonly value: Value;
  /** ∂L/∂value, of its shape. */
  readonly cotangent: Value;
}

/**
 * Reverse-mode differentiation, graph to graph: writes ∂L/∂v for every value of `wanted` behind what `graph` holds already, so that
 * gradients share what the forward pass has computed. Values on the way (the output of a linear layer) may be wanted as well
 * as inputs.
 *
 * @returns in the order of `wanted`; undefined where L does not depend on the value
 * @throws EspalierError `engine/invariant` where a gradient would have to pass an index or a truth value
 */
export function gradients(
  graph: GraphBuilder,
  seeds: readonly Seed[],
  wanted: readonly Value[],
): (Value | undefined)[] {
  const nodes = [...graph.written];
  const relevant = dependents(nodes, wanted);
  const collected = new Map<Value, Exclude<InputGradient, undefined>[]>();
  const collect = (value: Value, gradient: Exclude<InputGradient, undefined>): void => {
    collected.set(value, [...(collected.get(value) ?? []), gradient]);
  };
  for (const { value, cotangent } of seeds) if (relevant.has(value)) collect(value, cotangent);

  const totals = new Map<Value, Value>();
  const total = (value: Value): Value | undefined => {
    const parts = collected.get(value);
    if (!parts) return undefined;
    if (!totals.has(value)) totals.set(value, sum(graph, value, parts));
    return totals.get(value);
  };
  for (const node of nodes.toReversed()) {
    const joint = graph.jointOf(node.output);
    const { inputs } = joint ?? node;
    if (!relevant.has(node.output) || !inputs.some((input) => relevant.has(input))) continue;
    const cotangent = total(node.output);
    if (!cotangent) continue;
    const wants = (index: number): boolean => inputs[index] !== undefined && relevant.has(inputs[index]);
    const found = joint ? joint.gradient(cotangent) : rule(node)({ graph, node, cotangent, wants });
    for (const [index, gradient] of found.entries()) {
      if (gradient && wants(index)) collect(inputs[index]!, gradient);
    }
  }
  return wanted.map(total);
}

/** The wanted values and all that is computed from them: only there gradients have to go. */
function dependents(nodes: readonly Node[], wanted: readonly Value[]): ReadonlySet<Value> {
  const found = new Set(wanted);
  for (const node of nodes) if (node.inputs.some((input) => found.has(input))) found.add(node.output);
  return found;
}

function rule<Name extends PrimitiveName>(
  node: Node<Name>,
): (context: GradientContext<Name>) => readonly InputGradient[] {
  const row: GradientRule<Name> | { readonly reason: string } = GRADIENT_RULES[node.primitive];
  if (typeof row === 'function') return row;
  throw new EspalierError({
    code: 'engine/invariant',
    operation: `differentiating ${node.primitive}`,
    expected: 'a primitive that has a gradient',
    actual: row.reason,
    remedy: 'This is a defect of Espalier: please report it.',
  });
}

/** Sum of the gradients that came back to a value from all that uses it. */
function sum(graph: GraphBuilder, value: Value, parts: readonly Exclude<InputGradient, undefined>[]): Value {
  const whole = parts.filter((part): part is Value => !isRange(part));
  const byAxis = new Map<number, RangeGradient[]>();
  for (const part of parts) if (isRange(part)) byAxis.set(part.axis, [...(byAxis.get(part.axis) ?? []), part]);
  const joined = [...byAxis.values()].map((ranges) => join(graph, value, ranges));
  return [...whole, ...joined].reduce((a, b) => graph.add(a, b));
}

function isRange(part: Exclude<InputGradient, undefined>): part is RangeGradient {
  return 'axis' in part;
}

/**
 * Ranges along one axis, added up: between two neighbouring bounds the ranges that cover the piece are summed, or it is zero. So what
 * overlaps is added once, and what does not is only put in its place.
 */
function join(graph: GraphBuilder, value: Value, ranges: readonly RangeGradient[]): Value {
  const { axis } = ranges[0]!;
  const bounds = [...new Set([0, value.shape[axis]!, ...ranges.flatMap(({ begin, end }) => [begin, end])])];
  bounds.sort((a, b) => a - b);
  const pieces = bounds.slice(1).map((end, i) => {
    const begin = bounds[i]!;
    const covering = ranges.filter((range) => range.begin <= begin && end <= range.end);
    if (covering.length === 0) {
      const shape = value.shape.map((size, other) => (other === axis ? end - begin : size));
      return graph.constant([0], shape, value.type);
    }
    return covering
      .map((range) => graph.slice(range.value, axis, begin - range.begin, end - range.begin))
      .reduce((a, b) => graph.add(a, b));
  });
  return graph.concat(pieces, axis);
}
