import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { writeAttention } from '../../../src/engine/graph/attention.ts';
import { gradients } from '../../../src/engine/graph/autodiff.ts';
import { GRADIENT_RULES } from '../../../src/engine/graph/gradientRules.ts';
import { GraphBuilder } from '../../../src/engine/graph/graphBuilder.ts';
import type { Value } from '../../../src/engine/graph/graph.ts';
import type { PrimitiveName } from '../../../src/engine/graph/primitives.ts';
import { type Shape, sizeOf } from '../../../src/engine/graph/shape.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import { interpretGraph } from '../../support/interpretGraph.ts';
import { randomTensor, runGraph } from '../../support/runGraph.ts';

/**
 * A function whose gradient is checked. `sizes` are random, from 1 to 4; which range the values come from is the row's.
 */
interface Row {
  readonly shapes: (...sizes: number[]) => readonly Shape[];
  readonly build: (graph: GraphBuilder, inputs: readonly Value[], sizes: readonly number[]) => Value;
  /** Moves a normal random number to where the function is smooth. */
  readonly domain?: (x: number) => number;
}

const away = (x: number): number => x + Math.sign(x) * 0.1;
const positive = (x: number): number => Math.abs(x) + 0.2;

const ROWS: Readonly<Record<PrimitiveName, Row | 'not differentiable'>> = {
  add: binary((graph, a, b) => graph.add(a, b)),
  sub: binary((graph, a, b) => graph.sub(a, b)),
  mul: binary((graph, a, b) => graph.mul(a, b)),
  div: { ...binary((graph, a, b) => graph.div(a, b)), domain: away },
  pow: { ...binary((graph, a, b) => graph.pow(a, b)), domain: positive },
  min: binary((graph, a, b) => graph.min(a, b)),
  lessOrEqual: 'not differentiable',
  equal: 'not differentiable',
  where: 'not differentiable',
  neg: unary((graph, x) => graph.neg(x)),
  abs: { ...unary((graph, x) => graph.abs(x)), domain: away },
  sqrt: { ...unary((graph, x) => graph.sqrt(x)), domain: positive },
  exp: unary((graph, x) => graph.exp(x)),
  log: { ...unary((graph, x) => graph.log(x)), domain: positive },
  tanh: unary((graph, x) => graph.tanh(x)),
  relu: { ...unary((graph, x) => graph.relu(x)), domain: away },
  sigmoid: unary((graph, x) => graph.sigmoid(x)),
  erf: unary((graph, x) => graph.erf(x)),
  cast: unary((graph, x) => graph.cast(graph.cast(x, 'float16'), 'float32')),
  reduceSum: unary((graph, x) => graph.reduceSum(x, [0, 2])),
  reduceMean: unary((graph, x) => graph.reduceMean(x, [1])),
  reduceMax: unary((graph, x) => graph.reduceMax(x, [1, 2])),
  reduceMin: unary((graph, x) => graph.reduceMin(x, [0])),
  reduceSumSquare: unary((graph, x) => graph.reduceSumSquare(x, [0, 1])),
  softmax: unary((graph, x) => graph.softmax(x)),
  logSoftmax: unary((graph, x) => graph.logSoftmax(x)),
  reshape: unary((graph, x) => graph.reshape(x, [sizeOf(x.shape)])),
  expand: {
    shapes: (a, b, c) => [[a, 1, c, b]],
    build: (graph, [x], [a, b, c]) => graph.expand(x!, [a!, 3, c!, b!]),
  },
  transpose: unary((graph, x) => graph.transpose(x, [2, 0, 1])),
  // Ranges that overlap, touch and leave something out, as strips of attention do.
  slice: {
    shapes: (a, b) => [[a, 4 + b]],
    build: (graph, [x], [, b]) => {
      const parts = [
        [1, 3],
        [2, 4],
        [2, 3 + b!],
      ].map(([begin, end]) => graph.reduceSumSquare(graph.slice(x!, 1, begin!, end!), [1]));
      return parts.reduce((p, q) => graph.add(p, q));
    },
  },
  concat: {
    shapes: (a, b, c) => [
      [a, b],
      [a, c],
      [a, 2],
    ],
    build: (graph, inputs) => graph.concat(inputs, 1),
  },
  gatherElements: 'not differentiable',
  scatterElements: {
    shapes: (a, b) => [
      [a, b + 2],
      [a, 2],
    ],
    build: (graph, [x, updates], [a, b]) => {
      const indices = Array.from({ length: 2 * a! }, (_, i) => (i % 2 === 0 ? i % (b! + 1) : b! + 1));
      return graph.scatterElements(x!, graph.constant(indices, [a!, 2], 'int32'), updates!, 1);
    },
  },
  takeRows: { shapes: (a, b) => [[a, b]], build: (graph, [x]) => throughSomeRows(graph, x!) },
  addRows: {
    shapes: (a, b) => [
      [a, b],
      [a, b],
    ],
    build: (graph, [x, y]) => graph.addRows(x!, graph.takeRows(y!, everyOther(graph, y!)), everyOther(graph, y!)),
  },
  smallestIndices: 'not differentiable',
  matMul: {
    shapes: (a, b, c, d) => [
      [d, a, b],
      [d, b, c],
      [d, b, a],
      [d, c, b],
    ],
    build: (graph, [a, b, at, bt]) =>
      [
        graph.matMul(a!, b!, { scale: 0.5 }),
        graph.matMul(at!, b!, { transposeA: true }),
        graph.matMul(a!, bt!, { transposeB: true, scale: 3 }),
        graph.matMul(at!, bt!, { transposeA: true, transposeB: true }),
      ].reduce((p, q) => graph.add(p, graph.mul(p, q))),
  },
  linear: {
    shapes: (a, b, c) => [[a, b], [c, b], [c]],
    build: (graph, [x, weight, bias]) => graph.linear(x!, weight!, bias),
  },
  rmsNorm: {
    shapes: (a, b) => [[a, b + 1], [b + 1]],
    build: (graph, [x, weight]) => graph.rmsNorm(x!, weight!, 0.1),
  },
  layerNorm: {
    shapes: (a, b) => [[a, b + 2], [b + 2], [b + 2]],
    build: (graph, [x, weight, bias]) =>
      graph.concat([graph.layerNorm(x!, weight!, bias, 0.1), graph.layerNorm(x!, weight!, undefined, 0.1)], 0),
  },
  silu: unary((graph, x) => graph.silu(x)),
  gelu: unary((graph, x) => graph.concat([graph.gelu(x, true), graph.gelu(x, false)], 0)),
  rotate: {
    shapes: (a, b, c) => [[a, b, 2 * 2 * c]],
    build: (graph, [x], [, b, c]) => {
      const angles = Array.from({ length: b! * c! }, (_, i) => i * 0.7);
      const table = (f: (x: number) => number): Value => graph.constant(angles.map(f), [b!, c!]);
      const [cosines, sines] = [table(Math.cos), table(Math.sin)];
      return graph.concat([graph.rotate(x!, cosines, sines, 2), graph.rotate(x!, cosines, sines, 2, true)], 0);
    },
  },
  crossEntropy: {
    shapes: (a, b) => [[a, b + 1]],
    build: (graph, [logits], [a, b]) => {
      const targets = Array.from({ length: a! }, (_, i) => (i * 2) % (b! + 1));
      return graph.crossEntropy(logits!, graph.constant(targets, [a!], 'int32'));
    },
  },
};

/** x [n, m] → like x: the square of every other row, 0 elsewhere. */
function throughSomeRows(graph: GraphBuilder, x: Value): Value {
  const chosen = everyOther(graph, x);
  const rows = graph.takeRows(x, chosen);
  return graph.addRows(graph.expand(graph.constant([0], [1, 1]), x.shape), graph.mul(rows, rows), chosen);
}

function everyOther(graph: GraphBuilder, x: Value): Value {
  const [rows] = x.shape as [number, number];
  const bits = Array.from({ length: rows }, (_, row) => row % 2);
  return graph.constant(bits, [rows, 1]);
}

/** More than one primitive: where the pieces meet. */
const COMPOSITIONS: Readonly<Record<string, Row>> = {
  'a value used three times': unary((graph, x) => graph.mul(graph.add(x, graph.tanh(x)), x)),
  'causal attention with grouped queries and a window': {
    shapes: (a, b) => [
      [a, 7, 4 * b],
      [a, 7, 2 * b],
      [a, 7, 2 * b],
    ],
    build: (graph, [query, key, value]) =>
      writeAttention(
        graph,
        { query: query!, key: key!, value: value!, rotary: undefined },
        { heads: 4, kvHeads: 2, window: 3, strip: { rows: 2, units: 1 } },
      ).mixed,
  },
  // Strips of 3, 3 and 1 tokens; units go by twos and one alone.
  'attention to all tokens before, in strips and groups, with what ALiBi adds': {
    shapes: (a, b) => [
      [a, 7, 6 * b],
      [a, 7, 3 * b],
      [a, 7, 3 * b],
    ],
    build: (graph, [query, key, value]) =>
      writeAttention(
        graph,
        { query: query!, key: key!, value: value!, rotary: undefined },
        {
          ...{ heads: 6, kvHeads: 3, window: undefined, strip: { rows: 3, units: 2 } },
          added: Array.from({ length: 6 }, (_, head) => Array.from({ length: 7 }, (_, key) => key / (head + 2))),
        },
      ).mixed,
  },
  'attention that sees itself alone, and two tokens': {
    shapes: (a, b) => [
      [a, 5, b],
      [a, 5, b],
      [a, 5, b],
    ],
    build: (graph, [query, key, value]) => {
      const mixed = (window: number): Value =>
        writeAttention(
          graph,
          { query: query!, key: key!, value: value!, rotary: undefined },
          { heads: 1, kvHeads: 1, window, strip: { rows: 2, units: 1 } },
        ).mixed;
      return graph.add(mixed(1), mixed(2));
    },
  },
  'capped attention in strips with a window': {
    shapes: (a, b) => [
      [a, 7, 2 * b],
      [a, 7, b],
      [a, 7, b],
    ],
    build: (graph, [query, key, value]) =>
      writeAttention(
        graph,
        { query: query!, key: key!, value: value!, rotary: undefined },
        { heads: 2, kvHeads: 1, window: 4, strip: { rows: 2, units: 4 }, scale: 2, cap: 0.7 },
      ).mixed,
  },
  'attention with capped scores': {
    shapes: (a, b) => [
      [a, 5, 2 * b],
      [a, 5, 2 * b],
      [a, 5, 2 * b],
    ],
    build: (graph, [query, key, value]) =>
      writeAttention(
        graph,
        { query: query!, key: key!, value: value!, rotary: undefined },
        { heads: 2, kvHeads: 2, window: undefined, scale: 2, cap: 0.7 },
      ).mixed,
  },
};

const cases = Object.entries({ ...ROWS, ...COMPOSITIONS }).flatMap(([name, row]) =>
  row === 'not differentiable' ? [] : [{ name, row }],
);

describe('the gradient is what central differences in float64 say', () => {
  test.each(cases)('$name', ({ name, row }) => {
    const size = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(fc.tuple(size, size, size, size), fc.nat(1000), (sizes, seed) => {
        checkDifferences(row, sizes, seed);
      }),
      { numRuns: name.includes('ttention') ? 2 : 8, seed: 7 },
    );
  });
});

describe('on the device the gradient is the same within float32', () => {
  const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
  test.each(cases)('$name', async ({ name, row }) => {
    const sizes = [2, 3, 4, 2];
    const inputs = tensors(row, sizes, 3);
    // A cast to float16 and back rounds for real there.
    const tolerance = name === 'cast' ? 1e-2 : 1e-4;
    for (let index = 0; index < inputs.length; index++) {
      const exact = exactGradient(row, sizes, inputs, index);
      const host = inputs.map(({ shape, data }) => ({ shape, data: Float32Array.from(data) }));
      const actual = await runGraph(device, host, (graph, ...values) => lossGradient(graph, row, values, sizes, index));
      for (const [i, value] of exact.entries()) {
        expect(Math.abs(actual[i]! - value)).toBeLessThan(tolerance * (1 + Math.abs(value)));
      }
    }
  });
});

test.each(Object.entries(ROWS).filter(([, row]) => row === 'not differentiable'))('%s says why it has none', (name) => {
  const rule = GRADIENT_RULES[name as PrimitiveName];
  expect(typeof rule === 'function' ? undefined : rule.reason).toMatch(/\w/);
});

test('a gradient through an index is refused', () => {
  const graph = new GraphBuilder();
  const x = graph.input('x', [1, 4]);
  const indices = graph.smallestIndices(x, 2);
  expect(() => gradients(graph, [{ value: indices, cotangent: indices }], [x])).toThrow(/smallestIndices/);
});

test('what the loss does not depend on has no gradient, and nothing is written for what nobody wants', () => {
  const graph = new GraphBuilder();
  const [a, b, other] = [graph.input('a', [2]), graph.input('b', [2]), graph.input('other', [2])];
  const y = graph.mul(a, b);
  const before = graph.written.length;
  expect(gradients(graph, [{ value: y, cotangent: y }], [other])).toEqual([undefined]);
  expect(graph.written.length).toBe(before);
  expect(gradients(graph, [{ value: y, cotangent: y }], [a])).toHaveLength(1);
  expect(graph.written.slice(before).map(({ primitive }) => primitive)).toEqual(['mul']);
});

/** Compares ∂L/∂(every element) with (L(x + h) − L(x − h)) / 2h, for L = Σ cᵢ·f(x)ᵢ with fixed weights c. */
function checkDifferences(row: Row, sizes: readonly number[], seed: number): void {
  const inputs = tensors(row, sizes, seed);
  const graph = new GraphBuilder();
  const values = inputs.map(({ shape }, i) => graph.input(`i${i}`, shape));
  graph.output('loss', loss(graph, row, values, sizes).total);
  const built = graph.build('loss');
  const lossOf = (data: readonly Float64Array[]): number => interpretGraph(built, named(data))['loss']![0]!;

  const step = 1e-5;
  for (const [index, { data }] of inputs.entries()) {
    const exact = exactGradient(row, sizes, inputs, index);
    // Of many elements a few at even distances.
    for (let i = 0; i < data.length; i += Math.ceil(data.length / 24)) {
      const moved = (by: number): number =>
        lossOf(inputs.map((input, j) => (j === index ? input.data.with(i, data[i]! + by) : input.data)));
      const difference = (moved(step) - moved(-step)) / (2 * step);
      expect(Math.abs(exact[i]! - difference), `input ${index}, element ${i}`).toBeLessThan(
        1e-6 * (1 + Math.abs(difference)),
      );
    }
  }
}

/** ∂L/∂inputs[index] by our rules, computed in float64. */
function exactGradient(
  row: Row,
  sizes: readonly number[],
  inputs: readonly { shape: Shape; data: Float64Array }[],
  index: number,
): Float64Array {
  const graph = new GraphBuilder();
  const values = inputs.map(({ shape }, i) => graph.input(`i${i}`, shape));
  graph.output('gradient', lossGradient(graph, row, values, sizes, index));
  return interpretGraph(graph.build('gradient'), named(inputs.map(({ data }) => data)))['gradient']!;
}

function lossGradient(
  graph: GraphBuilder,
  row: Row,
  values: readonly Value[],
  sizes: readonly number[],
  index: number,
): Value {
  const { y, weights } = loss(graph, row, values, sizes);
  const [gradient] = gradients(graph, [{ value: y, cotangent: weights }], [values[index]!]);
  expect(gradient!.shape).toEqual(values[index]!.shape);
  return gradient!;
}

function loss(graph: GraphBuilder, row: Row, values: readonly Value[], sizes: readonly number[]) {
  const y = row.build(graph, values, sizes);
  const rng = new Rng(99);
  const weights = graph.constant(
    Array.from({ length: sizeOf(y.shape) }, () => rng.normal()),
    y.shape,
  );
  return { y, weights, total: graph.reduceSum(graph.mul(y, weights), [...y.shape.keys()]) };
}

function tensors(row: Row, sizes: readonly number[], seed: number) {
  return row.shapes(...sizes).map((shape, i) => {
    const { data } = randomTensor(shape, 10 * seed + i, 1);
    return { shape, data: Float64Array.from(data, row.domain ?? ((x) => x)) };
  });
}

function named(data: readonly Float64Array[]): Record<string, Float64Array> {
  return Object.fromEntries(data.map((values, i) => [`i${i}`, values]));
}

function unary(build: (graph: GraphBuilder, x: Value) => Value): Row {
  return { shapes: (a, b, c) => [[a, b, c]], build: (graph, [x]) => build(graph, x!) };
}

/** Both operands are broadcast: along an axis of size 1, and along one that is missing. */
function binary(build: (graph: GraphBuilder, a: Value, b: Value) => Value): Row {
  return {
    shapes: (a, b, c) => [
      [a, 1, c],
      [b, c],
    ],
    build: (graph, [x, y]) => build(graph, x!, y!),
  };
}
