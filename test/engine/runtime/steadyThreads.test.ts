import { describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { GraphBuilder } from '../../../src/engine/graph/graphBuilder.ts';
import type { Value } from '../../../src/engine/graph/graph.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import { HYBRID_PARTS, steadyThreads } from '../../../src/engine/runtime/steadyThreads.ts';
import { randomTensor, runGraph } from '../../support/runGraph.ts';
import {
  type Build,
  differingThreads,
  type Product,
  randomProduct,
  threadsThatChange,
} from '../../support/threadedPrograms.ts';

const THREADS = [2, 3, 8];

const plain = { batch: 1, transposeA: false, transposeB: true, scale: 1, linear: false } as const;

/** What threads change where nothing is done about it, and what they never did. */
const KNOWN: readonly Product[] = [
  // Two parts of 64 columns take 256 of the depth at a time, the whole takes 128.
  { ...plain, rows: 64, columns: 128, depth: 320, linear: true },
  { ...plain, rows: 100, columns: 256, depth: 688, linear: true },
  { ...plain, rows: 17, columns: 129, depth: 300, transposeB: false },
  { ...plain, batch: 2, rows: 30, columns: 60, depth: 500, scale: 0.25 },
  // The last rows stand alone.
  { ...plain, rows: 5, columns: 5, depth: 9000 },
  { ...plain, rows: 16, columns: 16, depth: 5000 },
  { ...plain, rows: 31, columns: 30, depth: 2000, transposeB: false },
  // A column is a vector.
  { ...plain, rows: 521, columns: 1, depth: 432, transposeB: false },
  // A row is one already; the other way round it is none.
  { ...plain, rows: 1, columns: 700, depth: 600 },
  { ...plain, rows: 1, columns: 700, depth: 600, transposeA: true },
  // Enough rows, or little depth: all threads may work.
  { ...plain, rows: 1024, columns: 320, depth: 300, linear: true },
  { ...plain, rows: 64, columns: 1024, depth: 128, linear: true },
  { ...plain, batch: 4, rows: 128, columns: 512, depth: 64, scale: 0.125 },
];

describe('the number of threads changes no bit', () => {
  const random = Array.from({ length: 24 }, (_, seed) => randomProduct(new Rng(seed)));
  test.each([...KNOWN, ...random].map((product) => [JSON.stringify(product), product] as const))(
    'of the product %s',
    async (_, product) => {
      expect(await threadsThatChange(THREADS, product)).toEqual([]);
    },
  );

  const positive: Build = (graph, x) => graph.add(graph.abs(x), graph.scalar(0.001));
  test.each<[string, Build]>([
    ['log', (graph, x) => graph.log(positive(graph, x))],
    ['exp', (graph, x) => graph.exp(x)],
    ['tanh', (graph, x) => graph.tanh(x)],
    ['sqrt', (graph, x) => graph.sqrt(positive(graph, x))],
    ['sigmoid', (graph, x) => graph.sigmoid(x)],
    ['silu', (graph, x) => graph.silu(x)],
    ['gelu', (graph, x) => graph.gelu(x, false)],
    ['gelu of tanh', (graph, x) => graph.gelu(x, true)],
    ['erf', (graph, x) => graph.erf(x)],
    ['a quotient', (graph, x) => graph.div(x, positive(graph, x))],
    ['a square', (graph, x) => graph.pow(x, graph.scalar(2))],
    ['a power', (graph, x) => graph.pow(positive(graph, x), graph.scalar(0.37))],
    ['powers', (graph, x) => graph.pow(positive(graph, x), x)],
    ['softmax', (graph, x) => graph.softmax(x)],
    ['the smallest', (graph, x) => graph.cast(graph.cast(graph.smallestIndices(x, 40), 'int32'), 'float32')],
  ])('of %s', async (_, build) => {
    for (const shape of [
      [1, 100_003],
      [163, 1537],
      [8, 320, 65],
    ]) {
      expect(await differingThreads(THREADS, [randomTensor(shape, 1)], build), shape.join('×')).toEqual([]);
    }
  });

  test.each(['reduceSum', 'reduceMean', 'reduceMax', 'reduceMin', 'reduceSumSquare'] as const)(
    'of %s, whatever it reduces',
    async (reduce) => {
      for (const shape of [
        [3, 64, 64],
        [7, 163, 157],
        [1, 1731, 157],
        [2, 3, 8065],
        [300, 4, 300],
      ]) {
        const x = randomTensor(shape, 1);
        for (const axes of [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]]) {
          // A factor behind it must not choose another way to sum either.
          const build: Build = (graph, value) => graph.mul(graph[reduce](value, axes), graph.scalar(0.3));
          expect(await differingThreads(THREADS, [x], build), `${shape.join('×')}, axes ${axes.join(', ')}`).toEqual(
            [],
          );
        }
      }
    },
    120_000,
  );

  // Threads would part five of the rows, and not all 64.
  test('of products with some of the rows', async () => {
    const chosen = { shape: [64, 1], data: Float32Array.from({ length: 64 }, (_, row) => Number(row % 13 === 0)) };
    const inputs = [randomTensor([64, 9000], 1), randomTensor([5, 9000], 2), chosen];
    const build = (graph: GraphBuilder, ...[x, weight, rows]: Value[]): Value => {
      const y = graph.linear(graph.takeRows(x!, rows!), weight!);
      return graph.addRows(graph.expand(graph.constant([0], [1, 1]), [64, 5]), y, rows!);
    };
    expect(await differingThreads(THREADS, inputs, build)).toEqual([]);
  });

  test.each([4, 65, 128, 333])('of norms over %d features', async (width) => {
    const inputs = [randomTensor([700, width], 1), randomTensor([width], 2), randomTensor([width], 3)];
    expect(await differingThreads(THREADS, inputs, (graph, x, scale) => graph.rmsNorm(x, scale, 1e-5))).toEqual([]);
    expect(
      await differingThreads(THREADS, inputs, (graph, x, scale, shift) => graph.layerNorm(x, scale, shift, 1e-5)),
    ).toEqual([]);
  });
});

test('a sum over the axis in the middle is the same for one slice and among others', async () => {
  const device = new Device({ name: 'cpu', precision: 'float32', threads: 2 });
  const many = randomTensor([5, 64, 48], 1);
  const one = { shape: [1, 64, 48], data: many.data.slice(0, 64 * 48) };
  const build: Build = (graph, x) => graph.reduceSum(x, [1]);
  const among = await runGraph(device, [many], build);
  expect(await runGraph(device, [one], build)).toEqual(among.slice(0, 48));
  await device.dispose();
});

describe('a program has', () => {
  const linear = (rows: number, columns: number, depth: number) => {
    const graph = new GraphBuilder();
    graph.output('y', graph.linear(graph.input('x', [rows, depth]), graph.input('weight', [columns, depth])));
    return graph.build('linear');
  };

  test.each([
    ['all threads where there are enough rows', [1024, 688, 256], 16, 16],
    ['all threads where there are many columns', [512, 4096, 4096], 16, 16],
    ['all threads where the depth is added up at once', [64, 1024, 128], 16, 16],
    ['all threads where the runtime would use one', [8, 128, 60], 16, 16],
    ['as many as leave more than 64 columns to each', [64, 256, 688], 16, 3],
    ['one where two would have 64 columns', [64, 128, 320], 2, 1],
    ['as many as leave two rows to each', [16, 16, 5000], 16, 8],
    ['all threads for a single output', [500, 1, 300], 16, 16],
  ] as const)('%s', (_, [rows, columns, depth], threads, expected) => {
    expect(steadyThreads(linear(rows, columns, depth), threads)).toBe(expected);
  });

  test('fewer where cores are of several kinds, and a thread has four parts', () => {
    expect(steadyThreads(linear(64, 256, 688), 16, HYBRID_PARTS)).toBe(1);
    expect(steadyThreads(linear(512, 4096, 4096), 16, HYBRID_PARTS)).toBe(12);
    expect(steadyThreads(linear(1024, 688, 256), 16, HYBRID_PARTS)).toBe(16);
  });

  test('as many as its narrowest product takes', () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', [64, 256]);
    const wide = graph.linear(x, graph.input('up', [1024, 256]));
    graph.output('y', graph.linear(wide, graph.input('down', [256, 1024])));
    expect(steadyThreads(graph.build('two'), 16)).toBe(3);
  });
});
