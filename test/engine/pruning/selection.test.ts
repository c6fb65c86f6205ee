import { afterAll, describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import type { WeightSparsity } from '../../../src/experiment/sparsitySchema.ts';
import { printSparsity } from '../../../src/experiment/sparsity.ts';
import type { Parameter } from '../../../src/engine/families/family.ts';
import { Pruner } from '../../../src/engine/pruning/pruner.ts';
import type { Device } from '../../../src/engine/runtime/device.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { testDevices } from '../../support/runGraph.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

// What goes of a layer is said by sorting its scores, of equal ones the lower column first: here by a plain sort, and in the engine by thresholds.

interface Case {
  readonly shape: readonly [number, number];
  readonly sparsity: WeightSparsity;
  readonly group: 'row' | 'layer';
}

const share = (of: number): WeightSparsity => ({ kind: 'unstructured', share: of });
const ratio = (keep: number, of: number): WeightSparsity => ({ kind: 'n:m', keep, of });

const CASES: readonly Case[] = [
  ...[0, 0.001, 0.29, 0.5, 0.75, 0.999].map((of) => ({ shape: [7, 100], sparsity: share(of), group: 'row' }) as const),
  ...[0.001, 0.5, 0.98].map((of) => ({ shape: [7, 100], sparsity: share(of), group: 'layer' }) as const),
  ...[1, 2, 3].map((keep) => ({ shape: [6, 32], sparsity: ratio(keep, 4), group: 'row' }) as const),
  ...[ratio(1, 2), ratio(5, 8), ratio(4, 8), ratio(6, 16), ratio(16, 32)].map(
    (sparsity) => ({ shape: [6, 32], sparsity, group: 'row' }) as const,
  ),
  // Rows of one and two weights.
  { shape: [5, 1], sparsity: share(0.5), group: 'layer' },
  { shape: [3, 2], sparsity: share(0.5), group: 'row' },
];

/** What weights are drawn from: normal numbers, few values many times over, all but zeros, the smallest and the largest that there are. */
const KINDS: Readonly<Record<string, (rng: Rng) => number>> = {
  normal: (rng) => rng.normal(),
  duplicates: (rng) => (rng.integer(5) - 2) / 4,
  zeros: (rng) => (rng.uniform() < 0.6 ? (rng.uniform() < 0.5 ? 0 : -0) : rng.normal()),
  scales: (rng) => rng.normal() * 2 ** (rng.integer(200) - 100),
  neighbours: (rng) => 1 + rng.integer(6) * 2 ** -23,
  extremes: (rng) => [3.4028234663852886e38, -3.4028234663852886e38, 0, 1.1754943508222875e-38][rng.integer(4)]!,
};
/** A device may take them for zeros. */
const DENORMALS = { denormals: (rng: Rng): number => (rng.integer(9) - 4) * 2 ** -149 };

const { devices, missing } = await testDevices();

describe.each(devices)('masks on $name are those of a sort', (device) => {
  afterAll(() => device.dispose());
  const kinds = Object.entries(device.resident ? KINDS : { ...KINDS, ...DENORMALS });

  test.each(CASES)('$shape, $sparsity, of each $group', async ({ shape, sparsity, group }) => {
    for (const [seed, [kind, draw]] of kinds.entries()) {
      for (const metric of ['W', 'neg(W)', 'Wsigned']) {
        const rng = new Rng(seed);
        const weight = Float32Array.from({ length: shape[0] * shape[1] }, () => draw(rng));
        const score = weight.map((value) => SCORES[metric]!(value));
        if (score.every((value) => value === score[0])) continue;
        const pruned = await prune(device, metric, { shape, sparsity, group }, weight);
        const expected = sorted(weight, score, { shape, sparsity, group });
        expect([...pruned], `${kind}, ${metric}`).toEqual(expected);
      }
    }
  });
});

// Of more rows than are scored at once on the CPU: a whole number of times as many, and some more.
describe('a layer that is scored in parts', () => {
  const [device] = devices as [Device, ...Device[]];
  const shape = [1100, 512] as const;
  const draw = (): Float32Array => {
    const rng = new Rng(1);
    return Float32Array.from({ length: shape[0] * shape[1] }, () => Math.round(200 * rng.normal()) / 100);
  };

  test.each([
    [share(0.5), 'row'],
    [share(0.5), 'layer'],
    [ratio(2, 4), 'row'],
  ] as const)('%o of each %s', async (sparsity, group) => {
    const weight = draw();
    const pruned = await prune(device, 'W', { shape, sparsity, group }, weight);
    const expected = Float32Array.from(sorted(weight, weight.map(Math.abs), { shape, sparsity, group }));
    expect(Buffer.from(pruned.buffer, pruned.byteOffset, pruned.byteLength).equals(Buffer.from(expected.buffer))).toBe(
      true,
    );
  });

  test.each(['row', 'layer'] as const)('with scores that are not finite, of each %s', async (group) => {
    const weight = draw();
    weight[7] = NaN;
    weight[weight.length - 1] = -Infinity;
    const failure = await failureOf(() => prune(device, 'W', { shape, sparsity: share(0.5), group }, weight));
    expect(failure.data).toMatchObject({
      code: 'metric/invalid-score',
      actual: '2 scores (0.000355 %) that are infinite or not a number',
    });
  });

  test('with one score for all', async () => {
    const weight = draw().fill(0.5);
    const failure = await failureOf(() => prune(device, 'W', { shape, sparsity: share(0.5), group: 'row' }, weight));
    expect(failure.data).toMatchObject({
      code: 'metric/invalid-score',
      actual: 'the same score 0.5 everywhere',
    });
  });
});

test.runIf(missing === undefined)(missing === undefined ? 'WebGPU is tested too' : `WebGPU: ${missing}`, () => {
  expect(devices.map(({ name }) => name)).toContain('webgpu');
});

const SCORES: Readonly<Record<string, (value: number) => number>> = {
  W: Math.abs,
  'neg(W)': (value) => -Math.abs(value),
  Wsigned: (value) => value,
};

async function prune(device: Device, metric: string, how: Case, weight: Float32Array): Promise<Float32Array> {
  const { shape, sparsity, group } = how;
  const layer: Parameter = { name: 'layer', tensor: 'layer.weight', shape, linear: true };
  const pruner = new Pruner(device, { metric, expression: fromPrefix(metric), sparsity, group });
  const pruned = await pruner.prune(0, layer, await device.upload(weight, shape, 'float32'), undefined, undefined);
  const values = await device.download(pruned!);
  const zeros = values.reduce((count, value) => count + Number(value === 0), 0);
  expect(pruner.blocks[0], printSparsity(sparsity)).toEqual({ weights: weight.length, zeros });
  pruned!.dispose();
  return values;
}

/** A plain sort of each group. */
function sorted(weight: Float32Array, score: Float32Array, { shape: [out, columns], sparsity, group }: Case): number[] {
  const size = sparsity.kind === 'n:m' ? sparsity.of : group === 'row' ? columns : out * columns;
  const remove = sparsity.kind === 'n:m' ? sparsity.of - sparsity.keep : Math.floor(size * sparsity.share);
  const pruned = [...weight];
  for (let begin = 0; begin < weight.length; begin += size) {
    const order = Array.from({ length: size }, (_, i) => begin + i).sort((a, b) => score[a]! - score[b]! || a - b);
    for (const place of order.slice(0, remove)) pruned[place] = 0;
  }
  return pruned;
}
