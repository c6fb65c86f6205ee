import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeAttention } from '../../../src/engine/graph/attention.ts';
import { backwardSize, causalStrips, stripSize } from '../../../src/engine/graph/attentionStrips.ts';
import { gradients } from '../../../src/engine/graph/autodiff.ts';
import type { Graph, Value } from '../../../src/engine/graph/graph.ts';
import { GraphBuilder } from '../../../src/engine/graph/graphBuilder.ts';
import { sizeOf } from '../../../src/engine/graph/shape.ts';

test('each query has all keys that it sees in its strip, once, and what has no mask all of the strip see', () => {
  const sizes = [100, 40, 120].map((max) => fc.integer({ min: 1, max }));
  fc.assert(
    fc.property(fc.tuple(...sizes), ([tokens, rows, window]) => {
      const strips = causalStrips(tokens!, rows!, window);
      expect(strips.flatMap(({ begin, end }) => range(begin, end))).toEqual(range(0, tokens!));
      for (const { begin, end, parts } of strips) {
        const [first, last] = [Math.max(0, begin - window! + 1), end];
        expect(parts.flatMap((part) => range(part.first, part.end))).toEqual(range(first, last));
        for (const part of parts) {
          const seen = (query: number): boolean =>
            range(part.first, part.end).every((key) => key <= query && key > query - window!);
          if (!part.masked) expect(range(begin, end).every(seen)).toBe(true);
        }
      }
    }),
    { seed: 3, numRuns: 300 },
  );
});

test('a mask is no larger than two strips are high, however long the text is', () => {
  for (const [tokens, window] of [
    [16_384, undefined],
    [16_384, 4096],
    [4096, 100],
  ] as const) {
    const { rows } = stripSize(4, tokens, 2, window);
    for (const { parts } of causalStrips(tokens, rows, window)) {
      for (const part of parts) if (part.masked) expect(part.end - part.first).toBeLessThanOrEqual(2 * rows);
    }
  }
});

test('strips of the way back have another height', () => {
  for (const tokens of [1, 2, 5, 64, 256, 2048, 16_384]) {
    const [there, back] = [stripSize(8, tokens, 4), backwardSize(8, tokens, 4)];
    expect(back.rows).toBeLessThanOrEqual(there.rows);
    if (tokens > 4) expect(back.rows).toBeLessThan(there.rows);
  }
});

// Exponents of growth from 4096 to 16384 tokens: 1 where it is linear.
test.each([
  ['nodes', (graph: Graph) => graph.nodes.length],
  ['elements of constants', (graph: Graph) => graph.constants.reduce((sum, { data }) => sum + data.length, 0)],
  [
    'elements of the largest tensor',
    (graph: Graph) => Math.max(...graph.nodes.map(({ output }) => sizeOf(output.shape))),
  ],
])('%s grow no faster than the text', (_, measure) => {
  for (const window of [undefined, 512]) {
    const [short, long] = [4096, 16_384].map((tokens) => measure(attentionThereAndBack(tokens, window)));
    expect(Math.log(long! / short!) / Math.log(4)).toBeLessThanOrEqual(1.05);
  }
});

test('what a window hides from a whole strip is not computed', () => {
  const products = (window: number | undefined): number =>
    attentionThereAndBack(8192, window)
      .nodes.filter(({ primitive }) => primitive === 'matMul')
      .reduce((sum, { inputs, output }) => sum + sizeOf(output.shape) * inputs[0]!.shape.at(-1)!, 0);
  // Of 8192 tokens all see 4096 others on average, and with the window and half a strip about 600.
  expect(products(512) / products(undefined)).toBeLessThan(0.2);
});

test('on the way back a strip waits for the one before it, so that the weights of one are held', () => {
  const { nodes } = attentionThereAndBack(1024, undefined);
  const ancestors = new Map<Value, ReadonlySet<Value>>();
  for (const { inputs, output } of nodes) {
    ancestors.set(output, new Set(inputs.flatMap((input) => [input, ...(ancestors.get(input) ?? [])])));
  }
  const weights = nodes.filter(({ primitive }) => primitive === 'softmax').map(({ output }) => output);
  const there = causalStrips(1024, stripSize(4, 1024, 2).rows).length;
  const back = weights.slice(there);
  expect(back.length).toBeGreaterThan(there);
  for (const [i, value] of back.slice(1).entries()) expect(ancestors.get(value)!.has(back[i]!)).toBe(true);
});

function attentionThereAndBack(tokens: number, window: number | undefined): Graph {
  const graph = new GraphBuilder();
  const inputs = [8, 4, 4].map((heads, i) => graph.input('qkv'[i]!, [1, tokens, heads * 16]));
  const [query, key, value] = inputs as [(typeof inputs)[0], (typeof inputs)[0], (typeof inputs)[0]];
  const { mixed } = writeAttention(
    graph,
    { query, key, value, rotary: undefined },
    {
      ...{ heads: 8, kvHeads: 4, window },
      added: Array.from({ length: 8 }, (_, head) => Array.from({ length: tokens }, (_, at) => at / 2 ** head)),
    },
  );
  const found = gradients(graph, [{ value: mixed, cotangent: graph.input('dy', mixed.shape) }], inputs);
  graph.output('y', mixed);
  for (const [i, gradient] of found.entries()) graph.output(`d${i}`, gradient!);
  return graph.build('attention');
}

function range(begin: number, end: number): number[] {
  return Array.from({ length: end - begin }, (_, i) => begin + i);
}
