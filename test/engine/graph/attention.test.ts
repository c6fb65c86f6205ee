import { afterAll, expect, test } from 'vitest';
import { type AttentionShape, writeAttention } from '../../../src/engine/graph/attention.ts';
import { type HostTensor, randomTensor, runGraph, testDevices } from '../../support/runGraph.ts';

const { devices } = await testDevices();

afterAll(async () => {
  for (const device of devices) await device.dispose();
});

interface Row extends AttentionShape {
  readonly batch: number;
  readonly tokens: number;
  readonly dim: number;
}

/** Of each head other numbers, large ones at late keys. */
function slopes(heads: number, tokens: number): number[][] {
  return Array.from({ length: heads }, (_, h) => Array.from({ length: tokens }, (_, t) => t / 2 ** h + Math.sin(t)));
}

const ROWS: readonly Row[] = [
  { batch: 2, tokens: 70, heads: 4, kvHeads: 2, dim: 2, window: 9, scale: 1.7, cap: 0.8 },
  { batch: 1, tokens: 1, heads: 2, kvHeads: 2, dim: 3, window: undefined },
  { batch: 2, tokens: 130, heads: 3, kvHeads: 1, dim: 2, window: undefined },
  { batch: 1, tokens: 70, heads: 4, kvHeads: 2, dim: 2, window: 9, scale: 0.3 },
  { batch: 2, tokens: 130, heads: 4, kvHeads: 2, dim: 2, window: undefined, added: slopes(4, 130) },
  // Strips that a window leaves and enters in their midst, and units that go in two groups.
  {
    batch: 3,
    tokens: 37,
    heads: 4,
    kvHeads: 1,
    dim: 3,
    window: 11,
    strip: { rows: 4, units: 2 },
    added: slopes(4, 37),
  },
  { batch: 1, tokens: 37, heads: 2, kvHeads: 2, dim: 3, window: 4, strip: { rows: 8, units: 1 }, cap: 1.5 },
  { batch: 1, tokens: 40, heads: 2, kvHeads: 1, dim: 3, window: 1, strip: { rows: 8, units: 1 } },
];

// A software device takes seconds to compile the programs of many shapes: it gets the one that has everything.
const cases = devices.flatMap((device) =>
  (device.name === 'cpu' ? ROWS : ROWS.filter((_, i) => i === 0 || i === 5)).map((row) => ({
    device,
    name: device.name,
    row,
  })),
);

test.each(cases)(
  'on $name: $row.heads heads, $row.tokens tokens, window $row.window, scale $row.scale',
  async ({ device, row }) => {
    const { batch, tokens, heads, kvHeads, dim } = row;
    const inputs = [heads, kvHeads, kvHeads].map((count, i) => randomTensor([batch, tokens, count * dim], i + 1));
    const actual = await runGraph(
      device,
      inputs,
      (graph, query, key, value) =>
        writeAttention(graph, { query: query, key: key, value: value, rotary: undefined }, row).mixed,
    );
    const [query, key, value] = inputs.map(({ data }) => Float64Array.from(data));
    const expected = attention(query!, key!, value!, { ...row, window: row.window ?? Infinity });
    for (const [i, wanted] of expected.entries()) expect(Math.abs(actual[i]! - wanted)).toBeLessThan(1e-5);
  },
);

test.each(
  devices.flatMap((device) => [false, true].map((interleaved) => ({ device, name: device.name, interleaved }))),
)(
  'on $name, neighbours $interleaved: of a head the first features turn, and the others stay',
  async ({ device, interleaved }) => {
    const [row, pairs] = [{ batch: 2, tokens: 5, heads: 4, kvHeads: 2, dim: 6, window: undefined }, 2];
    const inputs = [4, 2, 2].map((count, i) => randomTensor([2, 5, count * 6], i + 1));
    const tables = [7, 8].map((seed) => randomTensor([5, pairs], seed));
    const actual = await runGraph(
      device,
      [...inputs, ...tables],
      (graph, query, key, value, cosines, sines) =>
        writeAttention(graph, { query: query, key: key, value: value, rotary: { cosines, sines, interleaved } }, row)
          .mixed,
    );
    const [cosines, sines] = tables.map(({ data }) => data);
    const turned = ({ data }: HostTensor, heads: number): Float64Array => {
      const x = Float64Array.from(data);
      for (let head = 0; head < 2 * 5 * heads; head++) {
        const token = Math.floor(head / heads) % 5;
        for (let i = 0; i < pairs; i++) {
          const [at, table] = [6 * head + (interleaved ? 2 * i : i), pairs * token + i];
          const apart = interleaved ? 1 : pairs;
          const [a, b] = [data[at]!, data[at + apart]!];
          x[at] = a * cosines![table]! - b * sines![table]!;
          x[at + apart] = b * cosines![table]! + a * sines![table]!;
        }
      }
      return x;
    };
    const [query, key, value] = inputs as [HostTensor, HostTensor, HostTensor];
    const plain = { ...row, window: Infinity };
    const expected = attention(turned(query, 4), turned(key, 2), Float64Array.from(value.data), plain);
    for (const [i, wanted] of expected.entries()) expect(Math.abs(actual[i]! - wanted)).toBeLessThan(1e-4);
  },
);

interface PlainShape {
  readonly batch: number;
  readonly tokens: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly dim: number;
  readonly window: number;
  readonly scale?: number | undefined;
  readonly added?: readonly (readonly number[])[] | undefined;
  readonly cap?: number | undefined;
}

function attention(
  query: Float64Array,
  key: Float64Array,
  value: Float64Array,
  { batch, tokens, heads, kvHeads, dim, window, scale = 1 / Math.sqrt(dim), cap, added }: PlainShape,
): number[] {
  const capped = (score: number): number => (cap === undefined ? score : cap * Math.tanh(score / cap));
  const out = new Array<number>(batch * tokens * heads * dim).fill(0);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const kv = Math.floor(h / (heads / kvHeads));
      for (let t = 0; t < tokens; t++) {
        const at = (token: number, head: number, count: number, d: number): number =>
          ((b * tokens + token) * count + head) * dim + d;
        const seen = Array.from({ length: Math.min(window, t + 1) }, (_, i) => t - i);
        const products = seen.map((s) =>
          sum(Array.from({ length: dim }, (_, d) => query[at(t, h, heads, d)]! * key[at(s, kv, kvHeads, d)]!)),
        );
        const scores = products.map((product, i) => Math.exp(capped(product * scale) + (added?.[h]![seen[i]!] ?? 0)));
        for (let d = 0; d < dim; d++) {
          const mixed = sum(seen.map((s, i) => scores[i]! * value[at(s, kv, kvHeads, d)]!));
          out[at(t, h, heads, d)] = mixed / sum(scores);
        }
      }
    }
  }
  return out;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
