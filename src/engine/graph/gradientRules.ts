import type { Node, Value } from './graph.ts';
import type { GraphBuilder } from './graphBuilder.ts';
import type { PrimitiveName } from './primitives.ts';
import { type Shape, sizeOf } from './shape.ts';

/** What a rule sees: the node y = f(inputs), and ∂L/∂y, of y's shape. */
export interface GradientContext<Name extends PrimitiveName> {
  readonly graph: GraphBuilder;
  readonly node: Node<Name>;
  readonly cotangent: Value;
  /** Whether ∂L/∂inputs[i] is asked for: what is not is not written. */
  readonly wants: (input: number) => boolean;
}

/** ∂L/∂input over a range of an axis, zero elsewhere: slices of one tensor are put together without filling up each with zeros. */
export interface RangeGradient {
  readonly axis: number;
  readonly begin: number;
  readonly end: number;
  readonly value: Value;
}

export type InputGradient = Value | RangeGradient | undefined;

/** Writes ∂L/∂inputs[i] for every input that is wanted, each of its input's shape. */
export type GradientRule<Name extends PrimitiveName> = (context: GradientContext<Name>) => readonly InputGradient[];

/** Indices and truth values have no gradient; a tensor that reaches the loss through them alone does not depend on them smoothly. */
export interface NotDifferentiable {
  readonly reason: string;
}

type Rule<Name extends PrimitiveName> = GradientRule<Name> | NotDifferentiable;

/** For y = f(x): the derivative dy/dx as a value of x's shape. */
function unary<Name extends PrimitiveName>(
  derivative: (graph: GraphBuilder, x: Value, y: Value) => Value,
): GradientRule<Name> {
  return ({ graph, node, cotangent }) => [graph.mul(cotangent, derivative(graph, node.inputs[0]!, node.output))];
}

/** For y = f(a, b) with broadcasting: ∂L/∂a and ∂L/∂b in y's shape, summed over what was broadcast. */
function binary<Name extends PrimitiveName>(
  left: (graph: GraphBuilder, d: Value, a: Value, b: Value, y: Value) => Value,
  right: (graph: GraphBuilder, d: Value, a: Value, b: Value, y: Value) => Value,
): GradientRule<Name> {
  return ({ graph, node, cotangent, wants }) => {
    const [a, b] = node.inputs as readonly [Value, Value];
    const gradient = (index: number, rule: typeof left): Value | undefined =>
      wants(index)
        ? unbroadcast(graph, rule(graph, cotangent, a, b, node.output), node.inputs[index]!.shape)
        : undefined;
    return [gradient(0, left), gradient(1, right)];
  };
}

/** The elements that are the extreme share its gradient. */
const extreme: GradientRule<'reduceMax' | 'reduceMin'> = ({ graph, node, cotangent }) => {
  const [x] = node.inputs as readonly [Value];
  const hit = graph.cast(graph.equal(x, node.output), 'float32');
  const count = graph.reduceSum(hit, node.parameters.axes);
  return [graph.mul(hit, graph.div(cotangent, count))];
};

/** One row a primitive; the formula stands above where it is not plain. d is ∂L/∂y. */
export const GRADIENT_RULES: { readonly [Name in PrimitiveName]: Rule<Name> } = {
  add: binary(
    (_, d) => d,
    (_, d) => d,
  ),
  sub: binary(
    (_, d) => d,
    (graph, d) => graph.neg(d),
  ),
  mul: binary(
    (graph, d, _, b) => graph.mul(d, b),
    (graph, d, a) => graph.mul(d, a),
  ),
  // ∂(a/b)/∂b = −y/b
  div: binary(
    (graph, d, _, b) => graph.div(d, b),
    (graph, d, _, b, y) => graph.neg(graph.div(graph.mul(d, y), b)),
  ),
  // ∂(a^b)/∂a = b·a^(b−1), ∂(a^b)/∂b = ln(a)·y
  pow: binary(
    (graph, d, a, b) => graph.mul(d, graph.mul(b, graph.pow(a, graph.sub(b, graph.scalar(1))))),
    (graph, d, a, _, y) => graph.mul(d, graph.mul(graph.log(a), y)),
  ),
  // Of equal elements the first one is the minimum.
  min: binary(
    (graph, d, a, b) => graph.mul(d, graph.cast(graph.lessOrEqual(a, b), 'float32')),
    (graph, d, a, b) => graph.mul(d, graph.sub(graph.scalar(1), graph.cast(graph.lessOrEqual(a, b), 'float32'))),
  ),
  lessOrEqual: { reason: 'a truth value does not change smoothly' },
  equal: { reason: 'a truth value does not change smoothly' },
  where: { reason: 'it sets weights to zero, and no loss is followed through that' },
  neg: ({ graph, cotangent }) => [graph.neg(cotangent)],
  // sign x, from x ≥ 0 and x ≤ 0: 0 at 0
  abs: unary((graph, x) => {
    const zero = graph.scalar(0);
    const [positive, negative] = [graph.lessOrEqual(zero, x), graph.lessOrEqual(x, zero)];
    return graph.sub(graph.cast(positive, 'float32'), graph.cast(negative, 'float32'));
  }),
  sqrt: unary((graph, _, y) => graph.div(graph.scalar(0.5), y)),
  exp: unary((_graph, _x, y) => y),
  log: ({ graph, node, cotangent }) => [graph.div(cotangent, node.inputs[0]!)],
  tanh: unary((graph, _, y) => graph.sub(graph.scalar(1), graph.mul(y, y))),
  // y is 0 exactly where x ≤ 0
  relu: unary((graph, _, y) =>
    graph.sub(graph.scalar(1), graph.cast(graph.lessOrEqual(y, graph.scalar(0)), 'float32')),
  ),
  sigmoid: unary((graph, _, y) => graph.mul(y, graph.sub(graph.scalar(1), y))),
  // 2/√π · exp(−x²)
  erf: unary((graph, x) => graph.mul(graph.scalar(2 / Math.sqrt(Math.PI)), graph.exp(graph.neg(graph.mul(x, x))))),
  cast: ({ graph, node, cotangent }) => [graph.cast(cotangent, node.inputs[0]!.type)],
  reduceSum: ({ graph, node, cotangent }) => [graph.expand(cotangent, node.inputs[0]!.shape)],
  reduceMean({ graph, node, cotangent }) {
    const { shape } = node.inputs[0]!;
    const count = sizeOf(shape) / sizeOf(node.output.shape);
    return [graph.expand(graph.mul(cotangent, graph.scalar(1 / count)), shape)];
  },
  reduceMax: extreme,
  reduceMin: extreme,
  reduceSumSquare: ({ graph, node, cotangent }) => [graph.mul(node.inputs[0]!, graph.mul(cotangent, graph.scalar(2)))],
  // y · (d − Σ d·y)
  softmax({ graph, node, cotangent }) {
    const y = node.output;
    const inner = graph.reduceSum(graph.mul(cotangent, y), [y.shape.length - 1]);
    return [graph.mul(y, graph.sub(cotangent, inner))];
  },
  // d − exp(y) · Σ d
  logSoftmax({ graph, node, cotangent }) {
    const y = node.output;
    const total = graph.reduceSum(cotangent, [y.shape.length - 1]);
    return [graph.sub(cotangent, graph.mul(graph.exp(y), total))];
  },
  reshape: ({ graph, node, cotangent }) => [graph.reshape(cotangent, node.inputs[0]!.shape)],
  expand: ({ graph, node, cotangent }) => [unbroadcast(graph, cotangent, node.inputs[0]!.shape)],
  transpose({ graph, node, cotangent }) {
    const { permutation } = node.parameters;
    return [
      graph.transpose(
        cotangent,
        permutation.map((_, axis) => permutation.indexOf(axis)),
      ),
    ];
  },
  slice: ({ node, cotangent }) => [{ ...node.parameters, value: cotangent }],
  concat({ graph, node, cotangent, wants }) {
    const { axis } = node.parameters;
    let begin = 0;
    return node.inputs.map((input, index) => {
      const end = begin + input.shape[axis]!;
      const part = wants(index) ? graph.slice(cotangent, axis, begin, end) : undefined;
      begin = end;
      return part;
    });
  },
  gatherElements: { reason: 'it serves gradients, and second derivatives are not taken' },
  scatterElements({ graph, node, cotangent, wants }) {
    const [, indices, updates] = node.inputs as readonly [Value, Value, Value];
    const { axis } = node.parameters;
    const zeros = (): Value => graph.constant([0], updates.shape);
    return [
      wants(0) ? graph.scatterElements(cotangent, indices, zeros(), axis) : undefined,
      undefined,
      wants(2) ? graph.gatherElements(cotangent, indices, axis) : undefined,
    ];
  },
  // Each is the other's transpose; who is chosen does not change smoothly.
  takeRows({ graph, node, cotangent, wants }) {
    const [x, chosen] = node.inputs as readonly [Value, Value];
    const zeros = (): Value => graph.expand(graph.constant([0], [1, 1], x.type), x.shape);
    return [wants(0) ? graph.addRows(zeros(), cotangent, chosen) : undefined, undefined];
  },
  addRows: ({ graph, node, cotangent, wants }) => [
    wants(0) ? cotangent : undefined,
    wants(1) ? graph.takeRows(cotangent, node.inputs[2]!) : undefined,
    undefined,
  ],
  smallestIndices: { reason: 'an index does not change smoothly' },
  // C = s·A·B: ∂L/∂A = s·d·Bᵀ, ∂L/∂B = s·Aᵀ·d, and their transposes where an operand is transposed.
  matMul({ graph, node, cotangent, wants }) {
    const [a, b] = node.inputs as readonly [Value, Value];
    const { transposeA, transposeB, scale } = node.parameters;
    const left = (): Value =>
      transposeA
        ? graph.matMul(b, cotangent, { transposeA: transposeB, transposeB: true, scale })
        : graph.matMul(cotangent, b, { transposeB: !transposeB, scale });
    const right = (): Value =>
      transposeB
        ? graph.matMul(cotangent, a, { transposeA: true, transposeB: transposeA, scale })
        : graph.matMul(a, cotangent, { transposeA: !transposeA, scale });
    return [wants(0) ? left() : undefined, wants(1) ? right() : undefined];
  },
  // y = x·Wᵀ + b: ∂L/∂x = d·W, ∂L/∂W = dᵀ·x, ∂L/∂b = Σ_rows d
  linear({ graph, node, cotangent, wants }) {
    const [x, weight] = node.inputs as readonly [Value, Value];
    return [
      wants(0) ? graph.matMul(cotangent, weight) : undefined,
      wants(1) ? graph.matMul(cotangent, x, { transposeA: true }) : undefined,
      wants(2) ? sumOfRows(graph, cotangent) : undefined,
    ];
  },
  // y = n·w with n = x·r, r = 1/sqrt(mean(x²) + ε), e = d·w: ∂L/∂x = r·(e − n·mean(e·n)), ∂L/∂w = Σ_rows d·n
  rmsNorm({ graph, node, cotangent, wants }) {
    const [x, weight] = node.inputs as readonly [Value, Value];
    const last = [x.shape.length - 1];
    const meanSquare = graph.mul(graph.reduceSumSquare(x, last), graph.scalar(1 / x.shape.at(-1)!));
    const inverse = graph.div(
      graph.scalar(1),
      graph.sqrt(graph.add(meanSquare, graph.scalar(node.parameters.epsilon))),
    );
    const normed = graph.mul(x, inverse);
    return [
      wants(0) ? throughNorm(graph, graph.mul(cotangent, weight), normed, inverse, false) : undefined,
      wants(1) ? sumOfRows(graph, graph.mul(cotangent, normed)) : undefined,
    ];
  },
  // y = n·w + b with n = (x − mean x)·r: ∂L/∂x = r·(e − mean e − n·mean(e·n)), ∂L/∂w = Σ_rows d·n, ∂L/∂b = Σ_rows d
  layerNorm({ graph, node, cotangent, wants }) {
    const [x, weight] = node.inputs as readonly [Value, Value, Value?];
    const last = [x.shape.length - 1];
    const centred = graph.sub(x, graph.reduceMean(x, last));
    const variance = graph.mul(graph.reduceSumSquare(centred, last), graph.scalar(1 / x.shape.at(-1)!));
    const inverse = graph.div(graph.scalar(1), graph.sqrt(graph.add(variance, graph.scalar(node.parameters.epsilon))));
    const normed = graph.mul(centred, inverse);
    return [
      wants(0) ? throughNorm(graph, graph.mul(cotangent, weight), normed, inverse, true) : undefined,
      wants(1) ? sumOfRows(graph, graph.mul(cotangent, normed)) : undefined,
      wants(2) ? sumOfRows(graph, cotangent) : undefined,
    ];
  },
  // y = x·σ: σ·(1 + x·(1 − σ)) = σ + y·(1 − σ) = y + σ·(1 − y)
  silu: unary((graph, x, y) => {
    const sigmoid = graph.sigmoid(x);
    return graph.add(y, graph.mul(sigmoid, graph.sub(graph.scalar(1), y)));
  }),
  gelu: ({ graph, node, cotangent }) => {
    const [x] = node.inputs as readonly [Value];
    return [graph.mul(cotangent, node.parameters.approximate ? tanhGelu(graph, x) : exactGelu(graph, x))];
  },
  // A rotation is linear, and its transpose turns back by the same angles.
  rotate({ graph, node, cotangent, wants }) {
    if (wants(1) || wants(2)) throw new RangeError('rotate: the tables of angles are no parameters');
    const [, cosines, sines] = node.inputs as readonly [Value, Value, Value];
    const { heads, interleaved } = node.parameters;
    return [graph.rotate(cotangent, cosines, graph.neg(sines), heads, interleaved)];
  },
  // ∂L/∂logits = d · (softmax(logits) − 1 at the target)
  crossEntropy({ graph, node, cotangent }) {
    const [logits, targets] = node.inputs as readonly [Value, Value];
    const rows = logits.shape[0]!;
    const column = graph.reshape(targets, [rows, 1]);
    const d = graph.reshape(cotangent, [rows, 1]);
    const scaled = graph.mul(graph.softmax(logits), d);
    const atTarget = graph.sub(graph.gatherElements(scaled, column, 1), d);
    return [graph.scatterElements(scaled, column, atTarget, 1), undefined];
  },
};

/** Sums a gradient over the axes along which a tensor of this shape was broadcast. */
function unbroadcast(graph: GraphBuilder, gradient: Value, shape: Shape): Value {
  const extra = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((size, axis) => (size !== (shape[axis - extra] ?? 1) ? [axis] : []));
  const summed = axes.length > 0 ? graph.reduceSum(gradient, axes) : gradient;
  return graph.reshape(summed, shape);
}

/** d [… , n] → Σ over all rows [n]. */
function sumOfRows(graph: GraphBuilder, d: Value): Value {
  const columns = d.shape.at(-1)!;
  const rows = graph.reshape(d, [sizeOf(d.shape) / columns, columns]);
  return graph.reshape(graph.reduceSum(rows, [0]), [columns]);
}

/** r·(e − [mean e] − n·mean(e·n)), means along the last axis. */
function throughNorm(graph: GraphBuilder, e: Value, normed: Value, inverse: Value, centred: boolean): Value {
  const last = [e.shape.length - 1];
  const mean = graph.reduceMean(graph.mul(e, normed), last);
  const straight = centred ? graph.sub(e, graph.reduceMean(e, last)) : e;
  return graph.mul(graph.sub(straight, graph.mul(normed, mean)), inverse);
}

/** Φ(x) + x·φ(x). */
function exactGelu(graph: GraphBuilder, x: Value): Value {
  const half = graph.scalar(0.5);
  const cumulative = graph.add(half, graph.mul(half, graph.erf(graph.mul(x, graph.scalar(Math.SQRT1_2)))));
  const density = graph.exp(graph.mul(graph.mul(x, x), graph.scalar(-0.5)));
  return graph.add(cumulative, graph.mul(graph.mul(x, density), graph.scalar(1 / Math.sqrt(2 * Math.PI))));
}

/** ½·(1 + t) + ½·x·(1 − t²)·u′ with t = tanh u, u = √(2/π)·(x + 0.044715·x³). */
function tanhGelu(graph: GraphBuilder, x: Value): Value {
  const [c, a] = [Math.sqrt(2 / Math.PI), 0.044715];
  const [one, half] = [graph.scalar(1), graph.scalar(0.5)];
  const square = graph.mul(x, x);
  const u = graph.mul(graph.mul(x, graph.scalar(c)), graph.add(one, graph.mul(square, graph.scalar(a))));
  const t = graph.tanh(u);
  const slope = graph.add(graph.scalar(c), graph.mul(square, graph.scalar(3 * a * c)));
  const bent = graph.mul(graph.mul(x, graph.sub(one, graph.mul(t, t))), slope);
  return graph.mul(half, graph.add(graph.add(one, t), bent));
}
