import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import { DeviceTensor } from '../../../src/engine/runtime/deviceTensor.ts';
import { leastSquares } from '../../../src/engine/update/leastSquares.ts';
import { openSolver } from '../../../src/engine/update/openSolver.ts';
import * as oracle from '../../support/oracle/updates.ts';

/** Layers [out, in] and the tokens that H is of. Some are narrower than a panel, some no multiple of it. */
const SHAPES = [
  { out: 1, n: 1, tokens: 3 },
  { out: 3, n: 7, tokens: 20 },
  { out: 8, n: 128, tokens: 300 },
  { out: 5, n: 132, tokens: 200 },
  { out: 12, n: 270, tokens: 400 },
];

let device: Device;
beforeAll(() => {
  device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
});
afterAll(() => device.dispose());

describe.each(SHAPES)('$out × $n, $tokens tokens', ({ out, n, tokens }) => {
  const layer = randomLayer(out, n, tokens);

  it('SparseGPT updates under a mask as float64 does', async () => {
    const solver = await openSolver(device, layer.gram, { method: 'sparsegpt', damping: 0.01, columns: 128 });
    const updated = await solver.update(tensor(layer.weight), tensor(layer.pruned));
    expectClose(updated, oracle.sparseGpt(layer.weight, layer.h, 0.01, { gone: layer.gone }));
    expect(solver.damping).toBe(0.01);
    solver.dispose();
  });

  it.each([128, 5, 200])('SparseGPT chooses in %i columns as float64 does', async (columns) => {
    const solver = await openSolver(device, layer.gram, { method: 'sparsegpt', damping: 0.01, columns });
    const updated = await solver.prune(tensor(layer.weight), { kind: 'unstructured', share: 0.5 });
    expectClose(updated, oracle.sparseGpt(layer.weight, layer.h, 0.01, { share: 0.5, columns }));
    solver.dispose();
  });

  it.each([
    [2, 4],
    [1, 3],
    [3, 132],
  ])('SparseGPT chooses %i:%i as float64 does', async (keep, of) => {
    if (n % of !== 0) return;
    const solver = await openSolver(device, layer.gram, { method: 'sparsegpt', damping: 0.01, columns: 128 });
    const updated = await solver.prune(tensor(layer.weight), { kind: 'n:m', keep, of });
    expectClose(updated, oracle.sparseGpt(layer.weight, layer.h, 0.01, { keep, of }));
    solver.dispose();
  });

  it('ADMM updates under a mask as float64 does', async () => {
    const solver = await openSolver(device, layer.gram, { method: 'admm', damping: 0.1, iterations: 20 });
    const updated = await solver.update(tensor(layer.weight), tensor(layer.pruned));
    expectClose(updated, oracle.admm(layer.weight, layer.h, layer.gone, 0.1, 20));
    solver.dispose();
  });

  it('least squares refits the columns that stay as float64 does', async () => {
    const kept = Uint8Array.from({ length: n }, (_, j) => Number(j === 0 || j % 3 !== 1));
    const { weight, damping } = await leastSquares(device, tensor(layer.weight), layer.gram, kept, 0.01);
    expectClose(weight, oracle.leastSquares(layer.weight, layer.h, [...kept].map(Boolean), 0.01));
    expect(damping).toBe(0.01);
  });
});

function randomLayer(out: number, n: number, tokens: number) {
  const rng = new Rng(out * 1000 + n);
  const matrix = (rows: number, columns: number): number[][] =>
    Array.from({ length: rows }, () => Array.from({ length: columns }, () => Math.fround(rng.normal())));
  // Inputs that depend on each other, one of them far larger than the others.
  const mix = matrix(n, n);
  const x = oracle.times(matrix(tokens, n), mix).map((row) => row.map((value, j) => value * (j === 2 ? 30 : 1)));
  const h = oracle.gramOf(x).map((row) => row.map(Math.fround));
  const weight = matrix(out, n);
  const gone = weight.map((row) => row.map(() => rng.uniform() < 0.5));
  const pruned = weight.map((row, i) => row.map((value, j) => (gone[i]![j] ? 0 : value)));
  return { h, weight, gone, pruned, gram: { size: n, tokens, sums: tensor(h), dispose: () => undefined } };
}

function tensor(rows: oracle.Matrix): DeviceTensor {
  return DeviceTensor.fromHost(Float32Array.from(rows.flat()), [rows.length, rows[0]!.length]);
}

/** Zeros where the oracle has them, and elsewhere the same but for rounding, as a share of the largest weight. */
function expectClose(updated: DeviceTensor, expected: oracle.Matrix): void {
  const [values, wanted] = [updated.floats(), expected.flat()];
  expect(wanted.filter((value, i) => (value === 0) !== (values[i] === 0))).toEqual([]);
  const largest = Math.max(...wanted.map(Math.abs));
  const worst = Math.max(...wanted.map((value, i) => Math.abs(value - values[i]!)));
  expect(worst / (largest || 1)).toBeLessThan(2e-4);
}
