import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import { DeviceTensor } from '../../../src/engine/runtime/deviceTensor.ts';
import { leastSquares } from '../../../src/engine/update/leastSquares.ts';
import type { WeightUpdate } from '../../../src/experiment/updates.ts';
import { openSolver } from '../../../src/engine/update/openSolver.ts';
import * as oracle from '../../support/oracle/updates.ts';
import { failureOf } from '../../support/expectCoded.ts';

let device: Device;
beforeAll(() => {
  device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
});
afterAll(() => device.dispose());

/** Layers of random sizes whose inputs are few, doubled, dead, or of any scale, and random damping. */
const CASES = Array.from({ length: 24 }, (_, seed) => randomCase(seed));

describe.each(CASES)('$seed: $out × $n, $tokens tokens, $kind, scale $scale, damping $damping', (layer) => {
  const { weight, pruned, gone, h, gram, damping } = layer;

  it.each(['sparsegpt', 'admm', 'reconstruct'] as const)(
    '%s is finite, zero where it should be, and loses as little as in float64',
    async (method) => {
      const kept = Uint8Array.from(weight[0]!, (_, j) => Number(j % 4 !== 1));
      const mask = method === 'reconstruct' ? weight.map((row) => row.map((_, j) => kept[j] === 0)) : gone;
      const { updated, used } = await update(method);
      const rows = weight.map((row, i) => row.map((_, j) => updated[i * row.length + j]!));
      expect(updated.every(Number.isFinite)).toBe(true);
      expect(rows.flat().filter((value, at) => mask.flat()[at] && value !== 0)).toEqual([]);
      expect(used).toBeGreaterThanOrEqual(damping);
      const expected = {
        sparsegpt: () => oracle.sparseGpt(weight, h, used, { gone }),
        admm: () => oracle.admm(weight, h, gone, used, 20),
        reconstruct: () => oracle.leastSquares(weight, h, [...kept].map(Boolean), used),
      }[method]();
      const zeroed = weight.map((row, i) => row.map((value, j) => (mask[i]![j] ? 0 : value)));
      const [lost, least, most] = [rows, expected, zeroed].map((other) => oracle.lostOutput(weight, other, h));
      expect(lost).toBeLessThanOrEqual(least! * 1.02 + most! * 1e-4);
    },
  );

  async function update(method: 'sparsegpt' | 'admm' | 'reconstruct') {
    if (method === 'reconstruct') {
      const kept = Uint8Array.from(weight[0]!, (_, j) => Number(j % 4 !== 1));
      const refitted = await leastSquares(device, tensor(weight), gram, kept, damping);
      return { updated: refitted.weight.floats(), used: refitted.damping };
    }
    const settings = method === 'admm' ? ({ method, iterations: 20 } as const) : ({ method, columns: 128 } as const);
    const solver = await openSolver(device, gram, { ...settings, damping });
    const updated = await solver.update(tensor(weight), tensor(pruned));
    solver.dispose();
    return { updated: updated.floats(), used: solver.damping };
  }
});

const OF_FEW: Readonly<Record<WeightUpdate['method'], WeightUpdate>> = {
  sparsegpt: { method: 'sparsegpt', damping: 0.1, columns: 8 },
  admm: { method: 'admm', damping: 0.1, iterations: 5 },
};

describe('cancelled at any of its pauses, it ends with that', () => {
  it.each(['sparsegpt', 'admm', 'reconstruct'] as const)('%s', async (method) => {
    const { weight, pruned, gram } = randomCase(3);
    const kept = Uint8Array.from(weight[0]!, (_, j) => Number(j % 4 !== 1));
    const run = async (pause: () => Promise<void>): Promise<unknown> => {
      if (method === 'reconstruct') return leastSquares(device, tensor(weight), gram, kept, 0.1, pause);
      const solver = await openSolver(device, gram, OF_FEW[method], pause);
      return solver.update(tensor(weight), tensor(pruned), pause);
    };
    let pauses = 0;
    await run(() => {
      pauses++;
      return Promise.resolve();
    });
    expect(pauses).toBeGreaterThan(1);
    for (let last = 1; last <= pauses; last++) {
      let left = last;
      const pause = () => (--left === 0 ? Promise.reject(new Error(`at ${last}`)) : Promise.resolve());
      await expect(run(pause)).rejects.toThrow(`at ${last}`);
    }
  });
});

describe('what cannot be', () => {
  it.each([NaN, Infinity])('sums of %d have a coded error', async (value) => {
    const { gram, weight } = randomCase(3);
    gram.sums.floats()[0] = value;
    for (const update of [
      { method: 'sparsegpt', damping: 0.01, columns: 128 },
      { method: 'admm', damping: 0.1, iterations: 20 },
    ] as const) {
      expect((await failureOf(() => openSolver(device, gram, update))).code).toBe('recovery/ill-conditioned');
    }
    const kept = new Uint8Array(weight[0]!.length).fill(1);
    const refit = () => leastSquares(device, tensor(weight), gram, kept, 0.01);
    expect((await failureOf(refit)).code).toBe('recovery/ill-conditioned');
  });

  it('a weight that is not finite has a coded error', async () => {
    const { gram, weight, pruned } = randomCase(5);
    for (const update of [
      { method: 'sparsegpt', damping: 0.01, columns: 128 },
      { method: 'admm', damping: 0.1, iterations: 20 },
    ] as const) {
      const solver = await openSolver(device, gram, update);
      const spoilt = weight.map((row, i) => row.map((value, j) => (i + j === 0 ? NaN : value)));
      const failure = await failureOf(() => solver.update(tensor(spoilt), tensor(pruned)));
      expect(failure.code).toBe('recovery/ill-conditioned');
    }
  });

  it('N:M that does not divide the columns has a coded error', async () => {
    const { gram, weight } = randomCase(3);
    const solver = await openSolver(device, gram, { method: 'sparsegpt', damping: 0.01, columns: 128 });
    const of = weight[0]!.length + 1;
    const failure = await failureOf(() => solver.prune(tensor(weight), { kind: 'n:m', keep: 1, of }));
    expect(failure.code).toBe('settings/invalid');
  });
});

function randomCase(seed: number) {
  const rng = new Rng(seed);
  const pick = <T>(values: readonly T[]): T => values[rng.integer(values.length)]!;
  const n = pick([1, 2, 5, 17, 64, 127, 128, 129, 150]);
  const out = pick([1, 3, 16]);
  const tokens = pick([1, 2, Math.ceil(n / 3), 2 * n, 300]);
  const kind = pick(['plain', 'doubled', 'dead', 'one direction', 'outlier'] as const);
  const scale = pick([1e-12, 1e-4, 1, 1e5, 1e12]);
  const damping = pick([0, 1e-6, 0.001, 0.01, 0.1, 1]);
  const matrix = (rows: number, columns: number): number[][] =>
    Array.from({ length: rows }, () => Array.from({ length: columns }, () => Math.fround(rng.normal())));
  const common = matrix(tokens, 1);
  const x = matrix(tokens, n).map((row, t) =>
    row.map((value, j) => {
      const others = {
        doubled: row[j - (j % 2)]!,
        dead: j % 3 === 0 ? 0 : value,
        'one direction': common[t]![0]! + value * 1e-4,
      };
      const of =
        kind === 'plain' || kind === 'outlier' ? value * (kind === 'outlier' && j === 1 ? 1000 : 1) : others[kind];
      return Math.fround(of * scale);
    }),
  );
  const h = oracle.gramOf(x).map((row) => row.map(Math.fround));
  const weight = matrix(out, n);
  const gone = weight.map((row) => row.map(() => rng.uniform() < 0.5));
  const pruned = weight.map((row, i) => row.map((value, j) => (gone[i]![j] ? 0 : value)));
  const gram = { size: n, tokens, sums: tensor(h), dispose: () => undefined };
  return { seed, out, n, tokens, kind, scale, damping, weight, pruned, gone, h, gram };
}

function tensor(rows: oracle.Matrix): DeviceTensor {
  return DeviceTensor.fromHost(Float32Array.from(rows.flat()), [rows.length, rows[0]!.length]);
}
