import { expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { KeptWeights } from '../../../src/engine/pruning/keptWeights.ts';
import { DeviceTensor } from '../../../src/engine/runtime/deviceTensor.ts';

/** A weight that counts how often it is disposed of. */
class Watched extends DeviceTensor {
  disposed = 0;

  constructor(elements: number) {
    const { tensor, type, shape } = DeviceTensor.empty([elements]);
    super(tensor, type, shape);
  }

  override dispose(): void {
    this.disposed++;
  }
}

test.each([0, 100, 1000, 1e6])(
  '%i bytes hold what was asked for last, and each weight is disposed of once',
  (limit) => {
    const kept = new KeptWeights(limit);
    const rng = new Rng(limit);
    const made: Watched[] = [];
    /** Keys, the one asked for last behind. */
    let order: { readonly key: string; readonly bytes: number }[] = [];
    for (let i = 0; i < 300; i++) {
      const key = String(Math.floor(rng.uniform() * 30));
      const found = kept.get(key);
      expect(found !== undefined).toBe(order.some((entry) => entry.key === key));
      const weight = (found?.weight ?? new Watched(1 + Math.floor(rng.uniform() * 20))) as Watched;
      if (!found) {
        kept.set(key, { weight, zeros: i });
        made.push(weight);
      }
      expect(kept.has(weight)).toBe(true);
      expect(weight.disposed).toBe(0);
      order = [...order.filter((entry) => entry.key !== key), { key, bytes: 4 * weight.shape[0]! }];
      if (i % 3 > 0) continue;
      kept.trim();
      const bytes = (): number => order.reduce((sum, entry) => sum + entry.bytes, 0);
      while (bytes() > limit) order.shift();
      expect(kept.bytes).toBe(bytes());
      expect(kept.bytes).toBeLessThanOrEqual(limit);
      expect(made.filter(({ disposed }) => disposed === 0).length).toBe(order.length);
    }
    kept.dispose();
    expect(kept.bytes).toBe(0);
    expect(new Set(made.map(({ disposed }) => disposed))).toEqual(new Set([1]));
  },
);
