import { afterAll, describe, expect, test } from 'vitest';
import type { Value } from '../../../src/engine/graph/graph.ts';
import type { GraphBuilder } from '../../../src/engine/graph/graphBuilder.ts';
import type { PrimitiveName } from '../../../src/engine/graph/primitives.ts';
import { type HostTensor, randomTensor, runGraph, testDevices } from '../../support/runGraph.ts';

/** What a primitive is, once as our graph and once as plain float64 loops. A missing row does not compile. */
interface Row {
  readonly inputs: readonly HostTensor[];
  readonly build: (graph: GraphBuilder, ...inputs: Value[]) => Value;
  readonly expected: (...data: Float64Array[]) => number[];
}

const matrix = randomTensor([4, 6], 1);
const other = randomTensor([4, 6], 2);
const row = randomTensor([1, 6], 3);
const scale = randomTensor([6], 4);
const shift = randomTensor([6], 5);
const columns: HostTensor = { shape: [4, 2], data: Int32Array.of(0, 5, 1, 4, 2, 3, 3, 0) };

const ROWS: Readonly<Record<PrimitiveName, Row>> = {
  add: binary(
    (graph, a, b) => graph.add(a, b),
    (a, b) => a + b,
  ),
  sub: binary(
    (graph, a, b) => graph.sub(a, b),
    (a, b) => a - b,
  ),
  mul: binary(
    (graph, a, b) => graph.mul(a, b),
    (a, b) => a * b,
  ),
  div: binary(
    (graph, a, b) => graph.div(a, b),
    (a, b) => a / b,
  ),
  pow: binary(
    (graph, a, b) => graph.pow(graph.abs(a), b),
    (a, b) => Math.abs(a) ** b,
  ),
  min: binary((graph, a, b) => graph.min(a, b), Math.min),
  lessOrEqual: binary(
    (graph, a, b) => graph.lessOrEqual(a, b),
    (a, b) => Number(a <= b),
  ),
  equal: binary(
    (graph, a, b) => graph.equal(a, graph.min(a, b)),
    (a, b) => Number(a <= b),
  ),
  where: {
    inputs: [matrix, row],
    build: (graph, x, y) => graph.where(graph.lessOrEqual(x, graph.scalar(0.5)), x, y),
    expected: (x, y) => [...x].map((value, i) => (value <= 0.5 ? value : y[i % 6]!)),
  },
  neg: unary(
    (graph, x) => graph.neg(x),
    (x) => -x,
  ),
  abs: unary((graph, x) => graph.abs(x), Math.abs),
  sqrt: unary(
    (graph, x) => graph.sqrt(graph.abs(x)),
    (x) => Math.sqrt(Math.abs(x)),
  ),
  exp: unary((graph, x) => graph.exp(x), Math.exp),
  log: unary(
    (graph, x) => graph.log(graph.abs(x)),
    (x) => Math.log(Math.abs(x)),
  ),
  tanh: unary((graph, x) => graph.tanh(x), Math.tanh),
  relu: unary(
    (graph, x) => graph.relu(x),
    (x) => Math.max(0, x),
  ),
  sigmoid: unary((graph, x) => graph.sigmoid(x), sigmoid),
  erf: unary((graph, x) => graph.erf(x), erf),
  cast: unary((graph, x) => graph.cast(graph.cast(x, 'int32'), 'float32'), Math.trunc),
  reduceSum: reduction((graph, x, axes) => graph.reduceSum(x, axes), sum),
  reduceMean: reduction(
    (graph, x, axes) => graph.reduceMean(x, axes),
    (xs) => sum(xs) / xs.length,
  ),
  reduceMax: reduction(
    (graph, x, axes) => graph.reduceMax(x, axes),
    (xs) => Math.max(...xs),
  ),
  reduceMin: reduction(
    (graph, x, axes) => graph.reduceMin(x, axes),
    (xs) => Math.min(...xs),
  ),
  reduceSumSquare: reduction(
    (graph, x, axes) => graph.reduceSumSquare(x, axes),
    (xs) => sum(xs.map((x) => x * x)),
  ),
  softmax: {
    inputs: [matrix],
    build: (graph, x) => graph.softmax(x),
    expected: (x) => perRow(x, 6, (values) => values.map((v) => Math.exp(v) / sum(values.map(Math.exp)))),
  },
  logSoftmax: {
    inputs: [matrix],
    build: (graph, x) => graph.logSoftmax(x),
    expected: (x) => perRow(x, 6, (values) => values.map((v) => v - Math.log(sum(values.map(Math.exp))))),
  },
  reshape: unary(
    (graph, x) => graph.reshape(x, [3, 8]),
    (x) => x,
  ),
  expand: { inputs: [row], build: (graph, x) => graph.expand(x, [4, 6]), expected: (x) => repeat(x, 4) },
  transpose: {
    inputs: [randomTensor([2, 3, 4], 11)],
    build: (graph, x) => graph.transpose(x, [2, 0, 1]),
    expected: (x) => grid(4, 6, (k, at) => x[at * 4 + k]!),
  },
  slice: {
    inputs: [matrix],
    build: (graph, x) => graph.slice(x, 1, 2, 5),
    expected: (x) => [...x].filter((_, i) => i % 6 >= 2 && i % 6 < 5),
  },
  concat: {
    inputs: [matrix, row, other],
    build: (graph, ...parts) => graph.concat(parts, 0),
    expected: (...parts) => parts.flatMap((part) => [...part]),
  },
  gatherElements: {
    inputs: [matrix, columns],
    build: (graph, x, indices) => graph.gatherElements(x, indices, 1),
    expected: (x, indices) => grid(4, 2, (r, i) => x[r * 6 + indices[r * 2 + i]!]!),
  },
  scatterElements: {
    inputs: [matrix, columns, { shape: [4, 2], data: new Float32Array(8).fill(9) }],
    build: (graph, x, indices, updates) => graph.scatterElements(x, indices, updates, 1),
    expected: (x, indices) =>
      [...x].map((value, i) =>
        [...indices.subarray(Math.floor(i / 6) * 2, Math.floor(i / 6) * 2 + 2)].includes(i % 6) ? 9 : value,
      ),
  },
  takeRows: {
    inputs: [matrix, { shape: [4, 1], data: Float32Array.of(0, 1, 0, 1) }],
    build: (graph, x, chosen) =>
      graph.addRows(graph.expand(graph.constant([5], [1, 1]), [4, 6]), graph.takeRows(x, chosen), chosen),
    expected: (x) => [...x].map((value, i) => 5 + (Math.floor(i / 6) % 2) * value),
  },
  // One of nothing, and one of everything, too.
  addRows: {
    inputs: [matrix, other, ...[0, 1].map((all) => ({ shape: [4, 1], data: new Float32Array(4).fill(all) }))],
    build: (graph, x, rows, none, all) => {
      const added = (chosen: Value): Value =>
        graph.addRows(x, graph.silu(graph.linear(graph.takeRows(rows, chosen), square(graph))), chosen);
      return graph.concat([added(none), added(all)], 0);
    },
    expected: (x, rows) => [...x, ...[...x].map((value, i) => value + rows[i]! * 2 * sigmoid(rows[i]! * 2))],
  },
  // Two of each value: the lower column must win the tie at the boundary.
  smallestIndices: {
    inputs: [{ shape: [2, 6], data: Float32Array.of(3, 1, 2, 1, 2, 0, -1, -1, -1, -1, 5, 5) }],
    build: (graph, x) => graph.scatterElements(x, graph.smallestIndices(x, 4), graph.constant([9], [2, 4]), 1),
    expected: () => [3, 9, 9, 9, 2, 9, 9, 9, 9, 9, 5, 5],
  },
  // All four ways of transposing, in stacks of three and as plain matrices.
  matMul: {
    inputs: [randomTensor([3, 4, 5], 12), randomTensor([3, 5, 2], 13)],
    build(graph, a, b) {
      const swap = (x: Value, transpose: boolean): Value =>
        transpose
          ? graph.transpose(x, [...x.shape.keys()].slice(0, -2).concat([x.shape.length - 1, x.shape.length - 2]))
          : x;
      const first = (x: Value): Value => graph.reshape(graph.slice(x, 0, 0, 1), x.shape.slice(1));
      const ways = [false, true].flatMap((transposeA) =>
        [false, true].map((transposeB) => ({ transposeA, transposeB })),
      );
      return ways
        .flatMap(({ transposeA, transposeB }) => {
          const product = (x: Value, y: Value): Value =>
            graph.matMul(swap(x, transposeA), swap(y, transposeB), { transposeA, transposeB, scale: 0.25 });
          return [product(a, b), graph.expand(product(first(a), first(b)), [3, 4, 2])];
        })
        .reduce((x, y) => graph.add(x, y));
    },
    expected: (a, b) => {
      const product = (s: number, r: number, c: number): number =>
        sum(Array.from({ length: 5 }, (_, k) => a[s * 20 + r * 5 + k]! * b[s * 10 + k * 2 + c]!));
      return grid(12, 2, (at, c) => product(Math.floor(at / 4), at % 4, c) + product(0, at % 4, c));
    },
  },
  linear: {
    inputs: [matrix, randomTensor([5, 6], 6), randomTensor([5], 7)],
    build: (graph, x, weight, bias) => graph.linear(x, weight, bias),
    expected: (x, weight, bias) =>
      grid(4, 5, (r, o) => sum(Array.from({ length: 6 }, (_, j) => x[r * 6 + j]! * weight[o * 6 + j]!)) + bias[o]!),
  },
  rmsNorm: {
    inputs: [matrix, scale],
    build: (graph, x, weight) => graph.rmsNorm(x, weight, 1e-5),
    expected: (x, weight) =>
      perRow(x, 6, (values) => {
        const inverse = 1 / Math.sqrt(sum(values.map((v) => v * v)) / 6 + 1e-5);
        return values.map((v, j) => v * inverse * weight[j]!);
      }),
  },
  layerNorm: {
    inputs: [matrix, scale, shift],
    // With a bias, and without.
    build: (graph, x, weight, bias) =>
      graph.concat([graph.layerNorm(x, weight, bias, 1e-5), graph.layerNorm(x, weight, undefined, 1e-5)], 0),
    expected: (x, weight, bias) =>
      [1, 0].flatMap((times) => [
        ...perRow(x, 6, (values) => {
          const mean = sum(values) / 6;
          const inverse = 1 / Math.sqrt(sum(values.map((v) => (v - mean) ** 2)) / 6 + 1e-5);
          return values.map((v, j) => (v - mean) * inverse * weight[j]! + times * bias[j]!);
        }),
      ]),
  },
  silu: unary(
    (graph, x) => graph.silu(x),
    (x) => x * sigmoid(x),
  ),
  gelu: unary(
    (graph, x) => graph.gelu(x, true),
    (x) => {
      return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    },
  ),
  rotate: {
    inputs: [randomTensor([2, 3, 8], 8), randomTensor([3, 2], 9), randomTensor([3, 2], 10)],
    build: (graph, x, cosines, sines) =>
      graph.concat([graph.rotate(x, cosines, sines, 2), graph.rotate(x, cosines, sines, 2, true)], 0),
    // Each head's pair (i, i + 2) at token t, turned by the angle in row t; then its pair (2i, 2i + 1).
    expected: (x, cosines, sines) =>
      [2, 1].flatMap((apart) =>
        [...x].map((value, at) => {
          const [token, feature] = [Math.floor(at / 8) % 3, at % 4];
          const angle = token * 2 + (apart === 2 ? feature % 2 : Math.floor(feature / 2));
          const isFirst = apart === 2 ? feature < 2 : feature % 2 === 0;
          return isFirst
            ? value * cosines[angle]! - x[at + apart]! * sines[angle]!
            : value * cosines[angle]! + x[at - apart]! * sines[angle]!;
        }),
      ),
  },
  crossEntropy: {
    inputs: [matrix, { shape: [4], data: Int32Array.of(5, 0, 3, 1) }],
    build: (graph, logits, targets) => graph.crossEntropy(logits, targets),
    expected: (logits, targets) =>
      [...targets].map((target, r) => {
        const values = [...logits.subarray(r * 6, r * 6 + 6)];
        return Math.log(sum(values.map(Math.exp))) - values[target]!;
      }),
  },
};

const { devices, missing } = await testDevices();

afterAll(async () => {
  for (const device of devices) await device.dispose();
});

describe.each(devices.map((device) => ({ device, name: device.name })))('on $name', ({ device }) => {
  test.each(Object.entries(ROWS))('%s', async (_, { inputs, build, expected }) => {
    const actual = await runGraph(device, inputs, build);
    const wanted = expected(...inputs.map(({ data }) => Float64Array.from(data)));
    expect(actual.length).toBe(wanted.length);
    for (const [i, value] of wanted.entries()) {
      expect(Math.abs(actual[i]! - value), `element ${i}: ${actual[i]} for ${value}`).toBeLessThan(
        1e-4 * (1 + Math.abs(value)),
      );
    }
  });
});

test.each(devices.map((device) => ({ device, name: device.name })))(
  'on $name: a slice that waits for something is the slice, whatever that is',
  async ({ device }) => {
    const other = { shape: [2], data: Float32Array.of(NaN, Infinity) };
    const actual = await runGraph(device, [matrix, other], (graph, x, late) => {
      const after = [late, graph.mul(late, late)];
      return graph.concat([graph.slice(x, 1, 2, 5, after), graph.slice(x, 1, 0, 6, after)], 1);
    });
    const expected = grid(4, 9, (r, c) => matrix.data[r * 6 + (c < 3 ? c + 2 : c - 3)]!);
    expect([...actual]).toEqual(expected);
  },
);

test.runIf(missing === undefined)(missing === undefined ? 'WebGPU is tested too' : `WebGPU: ${missing}`, () => {
  expect(devices.map((device) => device.name)).toEqual(['cpu', 'webgpu']);
});

function binary(build: Row['build'], f: (a: number, b: number) => number): Row {
  // One matrix by a matrix, and by a row: broadcasting is half of what elementwise primitives do.
  return {
    inputs: [matrix, other, row],
    build: (graph, a, b, c) =>
      graph.add(graph.cast(build(graph, a, b), 'float32'), graph.cast(build(graph, a, c), 'float32')),
    expected: (a, b, c) => [...a].map((value, i) => f(value, b[i]!) + f(value, c[i % 6]!)),
  };
}

function unary(build: (graph: GraphBuilder, x: Value) => Value, f: (x: number) => number): Row {
  return { inputs: [matrix], build, expected: (x) => [...x].map(f) };
}

function reduction(
  build: (graph: GraphBuilder, x: Value, axes: readonly number[]) => Value,
  f: (values: number[]) => number,
): Row {
  return {
    inputs: [matrix],
    build: (graph, x) => graph.add(build(graph, x, [1]), build(graph, x, [0, 1])),
    expected: (x) => perRow(x, 6, (values) => [f(values) + f([...x])]),
  };
}

/** Σ_n 2/√π · (−1)ⁿ x^(2n+1) / (n! (2n+1)), to float64 precision for |x| < 6. */
function erf(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function perRow(x: Float64Array, columns: number, f: (values: number[]) => number[]): number[] {
  return Array.from({ length: x.length / columns }, (_, r) =>
    f([...x.subarray(r * columns, (r + 1) * columns)]),
  ).flat();
}

/** Twice the unit matrix [6, 6]. */
function square(graph: GraphBuilder): Value {
  return graph.constant(
    Array.from({ length: 36 }, (_, i) => (i % 7 === 0 ? 2 : 0)),
    [6, 6],
  );
}

function grid(rows: number, columns: number, f: (row: number, column: number) => number): number[] {
  return Array.from({ length: rows * columns }, (_, i) => f(Math.floor(i / columns), i % columns));
}

function repeat(values: Float64Array, times: number): number[] {
  return Array.from({ length: times }, () => [...values]).flat();
}
