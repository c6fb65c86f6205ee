import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import type { Device } from '../../../src/engine/runtime/device.ts';
import type { DeviceTensor } from '../../../src/engine/runtime/deviceTensor.ts';
import { leastSquares } from '../../../src/engine/update/leastSquares.ts';
import { openSolver } from '../../../src/engine/update/openSolver.ts';
import * as oracle from '../../support/oracle/updates.ts';
import { testDevices } from '../../support/runGraph.ts';

/** Layers [out, in] and the tokens that H is of. Some are narrower than a tile, some no multiple of it, some several. */
const SHAPES = [
  { out: 1, n: 1, tokens: 3 },
  { out: 3, n: 7, tokens: 20 },
  { out: 8, n: 128, tokens: 300 },
  { out: 5, n: 132, tokens: 200 },
  { out: 12, n: 270, tokens: 400 },
];

/** What SparseGPT chooses by itself: of so many columns at a time, also more than a tile has, or N:M, also of groups that no tile holds a whole number of. */
const OWN = [
  { own: 'half of 128 columns', share: 0.5, columns: 128 },
  { own: '60 % of 5 columns', share: 0.6, columns: 5 },
  { own: 'half of 200 columns', share: 0.5, columns: 200 },
  { own: '2:4', keep: 2, of: 4 },
  { own: '1:3', keep: 1, of: 3 },
  { own: '2:132', keep: 2, of: 132 },
] as const;

const { devices } = await testDevices();
afterAll(async () => {
  for (const device of devices) await device.dispose();
});

const CASES = devices.flatMap((device) => SHAPES.map((shape) => ({ on: device.name, device, ...shape })));

describe.each(CASES)('$out × $n, $tokens tokens, on $on', ({ device, out, n, tokens }) => {
  const { weight, pruned, gone, h } = randomLayer(out, n, tokens);
  const gramOn = async () => ({ size: n, tokens, sums: await upload(device, h), dispose: () => undefined });

  it('SparseGPT updates under a mask as float64 does', async () => {
    const solver = await openSolver(device, await gramOn(), { method: 'sparsegpt', damping: 0.01, columns: 128 });
    const updated = await solver.update(await upload(device, weight), await upload(device, pruned));
    await expectClose(device, updated, oracle.sparseGpt(weight, h, 0.01, { gone }));
    expect(solver.damping).toBe(0.01);
    solver.dispose();
  });

  it.each(OWN.filter((own) => !('of' in own) || n % own.of === 0))(
    'SparseGPT chooses $own as float64 does',
    async (own) => {
      const columns = 'columns' in own ? own.columns : 128;
      const solver = await openSolver(device, await gramOn(), { method: 'sparsegpt', damping: 0.01, columns });
      const sparsity = 'of' in own ? ({ ...own, kind: 'n:m' } as const) : ({ ...own, kind: 'unstructured' } as const);
      const updated = await solver.prune(await upload(device, weight), sparsity);
      await expectClose(device, updated, oracle.sparseGpt(weight, h, 0.01, own));
      solver.dispose();
    },
  );

  it('ADMM updates under a mask as float64 does', async () => {
    const solver = await openSolver(device, await gramOn(), { method: 'admm', damping: 0.1, iterations: 20 });
    const updated = await solver.update(await upload(device, weight), await upload(device, pruned));
    await expectClose(device, updated, oracle.admm(weight, h, gone, 0.1, 20));
    expect(solver.damping).toBe(0.1);
    solver.dispose();
  });

  it('least squares refits the columns that stay as float64 does', async () => {
    const kept = Uint8Array.from({ length: n }, (_, j) => Number(j === 0 || j % 3 !== 1));
    const refitted = await leastSquares(device, await upload(device, weight), await gramOn(), kept, 0.01);
    await expectClose(device, refitted.weight, oracle.leastSquares(weight, h, [...kept].map(Boolean), 0.01));
    expect(refitted.damping).toBe(0.01);
  });
});

function randomLayer(out: number, n: number, tokens: number) {
  const rng = new Rng(out * 1000 + n);
  const matrix = (rows: number, columns: number): number[][] =>
    Array.from({ length: rows }, () => Array.from({ length: columns }, () => Math.fround(rng.normal())));
  // Inputs that depend on each other; one is far larger than the others, one never fires.
  const factorOf = (j: number): number => (j === 2 ? 30 : Number(j !== 4));
  const x = oracle.times(matrix(tokens, n), matrix(n, n)).map((row) => row.map((value, j) => value * factorOf(j)));
  const h = oracle.gramOf(x).map((row) => row.map(Math.fround));
  const weight = matrix(out, n);
  const gone = weight.map((row) => row.map(() => rng.uniform() < 0.5));
  const pruned = weight.map((row, i) => row.map((value, j) => (gone[i]![j] ? 0 : value)));
  return { h, weight, gone, pruned };
}

function upload(device: Device, rows: oracle.Matrix): Promise<DeviceTensor> {
  return device.upload(Float32Array.from(rows.flat()), [rows.length, rows[0]!.length], 'float32');
}

/** Zeros where the oracle has them, and elsewhere the same but for rounding, as a share of the largest weight. */
async function expectClose(device: Device, updated: DeviceTensor, expected: oracle.Matrix): Promise<void> {
  const [values, wanted] = [await device.download(updated), expected.flat()];
  expect(wanted.filter((value, i) => (value === 0) !== (values[i] === 0))).toEqual([]);
  const largest = Math.max(...wanted.map(Math.abs));
  const worst = Math.max(...wanted.map((value, i) => Math.abs(value - values[i]!)));
  expect(worst / (largest || 1)).toBeLessThan(2e-4);
}
