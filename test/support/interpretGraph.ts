import type { Graph, Node, Value } from '../../src/engine/graph/graph.ts';
import type { PrimitiveName } from '../../src/engine/graph/primitives.ts';
import { type Shape, sizeOf } from '../../src/engine/graph/shape.ts';

/** A tensor in float64, row-major; truth values are 0 and 1. */
export interface Tensor64 {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/**
 * Computes a graph in float64 by plain loops, with no runtime: what the programs' float32 results and the gradient rules are checked
 * against. A primitive without a row does not compile.
 */
export function interpretGraph(
  graph: Graph,
  inputs: Readonly<Record<string, Float64Array>>,
): Record<string, Float64Array> {
  const known = new Map<Value, Float64Array>();
  for (const { name, value } of graph.inputs) known.set(value, inputs[name]!);
  for (const { value, data } of graph.constants) {
    known.set(
      value,
      new Float64Array(sizeOf(value.shape)).map((_, i) => (data.length === 1 ? data[0]! : data[i]!)),
    );
  }
  for (const node of graph.nodes) {
    const tensors = node.inputs.map((input) => ({ shape: input.shape, data: known.get(input)! }));
    known.set(node.output, interpretNode(node, tensors));
  }
  return Object.fromEntries(graph.outputs.map(({ name, value }) => [name, known.get(value)!]));
}

type Interpretation<Name extends PrimitiveName> = (node: Node<Name>, inputs: readonly Tensor64[]) => Float64Array;

function interpretNode<Name extends PrimitiveName>(node: Node<Name>, inputs: readonly Tensor64[]): Float64Array {
  return INTERPRETATIONS[node.primitive](node, inputs);
}

const INTERPRETATIONS: { readonly [Name in PrimitiveName]: Interpretation<Name> } = {
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b),
  pow: binary((a, b) => a ** b),
  min: binary(Math.min),
  lessOrEqual: binary((a, b) => Number(a <= b)),
  equal: binary((a, b) => Number(a === b)),
  where: ({ output }, [condition, x, y]) =>
    fill(output.shape, (index) => {
      const chosen = condition!.data[broadcastOffset(index, condition!.shape)] === 0 ? y! : x!;
      return chosen.data[broadcastOffset(index, chosen.shape)]!;
    }),
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  sqrt: unary(Math.sqrt),
  exp: unary(Math.exp),
  log: unary(Math.log),
  tanh: unary(Math.tanh),
  relu: unary((x) => Math.max(0, x)),
  sigmoid: unary(sigmoid),
  erf: unary(erf),
  cast: (node, [x]) => (node.output.type.startsWith('int') ? x!.data.map(Math.trunc) : x!.data),
  reduceSum: reduction(sum),
  reduceMean: reduction((values) => sum(values) / values.length),
  reduceMax: reduction((values) => Math.max(...values)),
  reduceMin: reduction((values) => Math.min(...values)),
  reduceSumSquare: reduction((values) => sum(values.map((value) => value * value))),
  softmax: (_, [x]) =>
    perRow(x!, x!.shape.at(-1)!, (values) => {
      const powers = exponentials(values);
      return powers.map((power) => power / sum(powers));
    }),
  logSoftmax: (_, [x]) =>
    perRow(x!, x!.shape.at(-1)!, (values) => {
      const most = Math.max(...values);
      const logSum = Math.log(sum(exponentials(values)));
      return values.map((value) => value - most - logSum);
    }),
  reshape: (_, [x]) => x!.data,
  expand: (node, [x]) => fill(node.output.shape, (index) => x!.data[broadcastOffset(index, x!.shape)]!),
  transpose: ({ parameters, output }, [x]) =>
    fill(output.shape, (index) => {
      const source: number[] = [];
      parameters.permutation.forEach((axis, i) => (source[axis] = index[i]!));
      return x!.data[offset(source, x!.shape)]!;
    }),
  slice: ({ parameters: { axis, begin }, output }, [x]) =>
    fill(output.shape, (index) => x!.data[offset(shifted(index, axis, begin), x!.shape)]!),
  concat({ parameters: { axis }, output }, inputs) {
    return fill(output.shape, (index) => {
      let begin = 0;
      const part = inputs.find(({ shape }) => index[axis]! < (begin += shape[axis]!))!;
      return part.data[offset(shifted(index, axis, part.shape[axis]! - begin), part.shape)]!;
    });
  },
  gatherElements: ({ parameters: { axis }, output }, [x, indices]) => {
    let at = 0;
    return fill(output.shape, (index) => x!.data[offset(index.with(axis, indices!.data[at++]!), x!.shape)]!);
  },
  scatterElements({ parameters: { axis } }, [x, indices, updates]) {
    const scattered = x!.data.slice();
    let at = 0;
    fill(indices!.shape, (index) => {
      scattered[offset(index.with(axis, indices!.data[at]!), x!.shape)] = updates!.data[at]!;
      return at++;
    });
    return scattered;
  },
  takeRows: (_, [x, chosen]) => x!.data.map((value, at) => value * chosen!.data[Math.floor(at / x!.shape[1]!)]!),
  addRows: (_, [x, rows, chosen]) =>
    x!.data.map((value, at) => value + rows!.data[at]! * chosen!.data[Math.floor(at / x!.shape[1]!)]!),
  smallestIndices: ({ parameters: { k } }, [x]) =>
    perRow(x!, x!.shape.at(-1)!, (values) =>
      [...values.keys()].sort((a, b) => values[a]! - values[b]! || a - b).slice(0, k),
    ),
  matMul({ parameters: { transposeA, transposeB, scale }, output }, [a, b]) {
    const inner = a!.shape.at(transposeA ? -2 : -1)!;
    return fill(output.shape, (index) => {
      const [stack, row, column] = [index.slice(0, -2), index.at(-2)!, index.at(-1)!];
      return (
        scale *
        sum(
          Array.from({ length: inner }, (_, k) => {
            const left = a!.data[offset([...stack, ...(transposeA ? [k, row] : [row, k])], a!.shape)]!;
            return left * b!.data[offset([...stack, ...(transposeB ? [column, k] : [k, column])], b!.shape)]!;
          }),
        )
      );
    });
  },
  linear: ({ output }, [x, weight, bias]) => {
    const columns = weight!.shape[1]!;
    return fill(output.shape, ([row, out]) => {
      let total = bias ? bias.data[out!]! : 0;
      for (let j = 0; j < columns; j++) total += x!.data[row! * columns + j]! * weight!.data[out! * columns + j]!;
      return total;
    });
  },
  rmsNorm: ({ parameters: { epsilon } }, [x, weight]) =>
    perRow(x!, x!.shape.at(-1)!, (values) => {
      const inverse = 1 / Math.sqrt(sum(values.map((v) => v * v)) / values.length + epsilon);
      return values.map((v, j) => v * inverse * weight!.data[j]!);
    }),
  layerNorm: ({ parameters: { epsilon } }, [x, weight, bias]) =>
    perRow(x!, x!.shape.at(-1)!, (values) => {
      const mean = sum(values) / values.length;
      const inverse = 1 / Math.sqrt(sum(values.map((v) => (v - mean) ** 2)) / values.length + epsilon);
      return values.map((v, j) => (v - mean) * inverse * weight!.data[j]! + (bias?.data[j] ?? 0));
    }),
  silu: unary((x) => x * sigmoid(x)),
  gelu: ({ parameters }, [x]) =>
    x!.data.map((v) =>
      parameters.approximate
        ? 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))
        : 0.5 * v * (1 + erf(v / Math.SQRT2)),
    ),
  rotate: ({ parameters: { heads, interleaved } }, [x, cosines, sines]) => {
    const [, tokens, width] = x!.shape as [number, number, number];
    const [dim, half] = [width / heads, width / heads / 2];
    return x!.data.map((value, at) => {
      const [token, feature] = [Math.floor(at / width) % tokens, at % dim];
      const angle = token * half + (interleaved ? Math.floor(feature / 2) : feature % half);
      const [cosine, sine] = [cosines!.data[angle]!, sines!.data[angle]!];
      const [isFirst, other] = interleaved ? [feature % 2 === 0, 1] : [feature < half, half];
      return isFirst ? value * cosine - x!.data[at + other]! * sine : value * cosine + x!.data[at - other]! * sine;
    });
  },
  crossEntropy: (_, [logits, targets]) => {
    let row = 0;
    return perRow(logits!, logits!.shape[1]!, (values) => {
      const largest = Math.max(...values);
      const total = sum(values.map((value) => Math.exp(value - largest)));
      return [Math.log(total) + largest - values[targets!.data[row++]!]!];
    });
  },
};

function unary(f: (x: number) => number): (node: Node, inputs: readonly Tensor64[]) => Float64Array {
  return (_, [x]) => x!.data.map((value) => f(value));
}

function binary(f: (a: number, b: number) => number): (node: Node, inputs: readonly Tensor64[]) => Float64Array {
  return (node, [a, b]) =>
    fill(node.output.shape, (index) =>
      f(a!.data[broadcastOffset(index, a!.shape)]!, b!.data[broadcastOffset(index, b!.shape)]!),
    );
}

function reduction(
  f: (values: number[]) => number,
): (
  node: Node<'reduceSum' | 'reduceMean' | 'reduceMax' | 'reduceMin' | 'reduceSumSquare'>,
  inputs: readonly Tensor64[],
) => Float64Array {
  return ({ output }, [x]) => {
    const groups = Array.from({ length: sizeOf(output.shape) }, (): number[] => []);
    let at = 0;
    fill(x!.shape, (index) => {
      groups[broadcastOffset(index, output.shape)]!.push(x!.data[at]!);
      return at++;
    });
    return Float64Array.from(groups, f);
  };
}

/** A tensor whose elements are a function of their place. */
function fill(shape: Shape, f: (index: number[]) => number): Float64Array {
  const index = shape.map(() => 0);
  return new Float64Array(sizeOf(shape)).map(() => {
    const value = f(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
    return value;
  });
}

function offset(index: readonly number[], shape: Shape): number {
  return shape.reduce((at, size, axis) => at * size + index[axis]!, 0);
}

/** Place in a tensor that is broadcast: its axes of size 1 repeat, and it may have fewer axes. */
function broadcastOffset(index: readonly number[], shape: Shape): number {
  const extra = index.length - shape.length;
  return shape.reduce((at, size, axis) => at * size + (size === 1 ? 0 : index[axis + extra]!), 0);
}

function shifted(index: readonly number[], axis: number, by: number): number[] {
  return index.with(axis, index[axis]! + by);
}

function perRow(x: Tensor64, columns: number, f: (values: number[]) => number[]): Float64Array {
  const rows = Array.from({ length: x.data.length / columns }, (_, r) => [
    ...x.data.subarray(r * columns, (r + 1) * columns),
  ]);
  return Float64Array.from(rows.flatMap(f));
}

function exponentials(values: readonly number[]): number[] {
  const largest = Math.max(...values);
  return values.map((value) => Math.exp(value - largest));
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** 2/√π · Σ_n (−1)ⁿ x^(2n+1) / (n! (2n+1)), to float64 precision where |x| < 5. */
export function erf(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-18; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
