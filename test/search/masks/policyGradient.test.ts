import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import {
  authorsBaseline,
  drawMask,
  nextBaseline,
  policyGradient,
  policyGradientStep,
  project,
  rateAt,
} from '../../../src/search/masks/policyGradient.ts';

/** Learns on a loss of the mask alone. */
function learn(
  count: number,
  keep: number,
  lossOf: (mask: Uint8Array) => number,
  { steps = 2000, masks = 2, rate = 0.02, seed = 1 } = {},
): Float32Array {
  let probabilities: Float32Array = new Float32Array(count).fill(keep);
  let baseline: number | null = null;
  const rng = new Rng(seed);
  for (let step = 0; step < steps; step++) {
    const drawn = Array.from({ length: masks }, () => drawMask(probabilities, rng));
    const losses = drawn.map(lossOf);
    probabilities = policyGradientStep(probabilities, {
      ...{ masks: drawn, losses, baseline, rate: rateAt(step, steps, rate, 'cosine') },
      budgets: [{ begin: 0, end: count, keep }],
    });
    baseline = nextBaseline(baseline, losses, 5);
  }
  return probabilities;
}

const kept = (probabilities: Float32Array, count: number): readonly number[] =>
  [...probabilities.keys()]
    .sort((a, b) => probabilities[b]! - probabilities[a]!)
    .slice(0, count)
    .sort((a, b) => a - b);

describe('policy gradient on objectives with a known optimum', () => {
  it.each([1, 2, 3])('linear: the components that cost most stay, seed %i', (seed) => {
    const rng = new Rng(seed);
    const cost = Array.from({ length: 24 }, (_, i) => (i % 3 === 0 ? 1 : 0.1) * (0.8 + 0.4 * rng.uniform()));
    const lossOf = (mask: Uint8Array): number => cost.reduce((sum, value, i) => sum + (mask[i] === 1 ? 0 : value), 0);
    const probabilities = learn(24, 1 / 3, lossOf, { seed });
    expect(kept(probabilities, 8)).toEqual([0, 3, 6, 9, 12, 15, 18, 21]);
    for (const i of [0, 3, 6]) expect(probabilities[i]).toBeGreaterThan(0.95);
    for (const i of [1, 2, 4]) expect(probabilities[i]).toBeLessThan(0.07);
  });

  it.each([1, 2, 3])('coupled: one of each pair is enough, as enumeration has it, seed %i', (seed) => {
    // Neighbours do each other's work: to lose one costs what it costs, to lose both much more. By their own costs the first four would
    // stay.
    const alone = [0.9, 0.5, 0.85, 0.45, 0.4, 0.05, 0.35, 0.02];
    const lossOf = (mask: Uint8Array): number => {
      let loss = 0;
      for (let i = 0; i < 8; i += 2) {
        const [first, second] = [1 - mask[i]!, 1 - mask[i + 1]!];
        loss += alone[i]! * first + alone[i + 1]! * second + 2 * first * second;
      }
      return loss;
    };
    const best = allMasks(8)
      .filter((mask) => sum(mask) === 4)
      .reduce((a, b) => (lossOf(b) < lossOf(a) ? b : a));
    const probabilities = learn(8, 0.5, lossOf, { seed, steps: 4000, masks: 8, rate: 0.004 });
    expect([...best]).toEqual([1, 0, 1, 0, 1, 0, 1, 0]);
    expect(kept(probabilities, 4)).toEqual([0, 2, 4, 6]);
  });

  it('with one mask a step, and losses that are not finite now and then, it still finds them', () => {
    const lossOf = (mask: Uint8Array): number => (sum(mask) % 5 === 0 ? NaN : mask[0] === 1 && mask[1] === 1 ? 0 : 1);
    const probabilities = learn(8, 0.25, lossOf, { masks: 1, steps: 6000 });
    expect(kept(probabilities, 2)).toEqual([0, 1]);
  });
});

describe('the estimate', () => {
  const s = Float32Array.from([0.2, 0.5, 0.9, 0.35, 0.7, 0.05]);
  const lossOf = (mask: Uint8Array): number =>
    3 + mask[0]! * mask[1]! - 2 * mask[2]! + 0.5 * mask[3]! * mask[4]! * mask[5]! - mask[1]! * mask[4]!;

  it.each([1, 2, 3])('of %i masks has the expectation that enumeration gives', (count) => {
    const baseline = 2.3;
    const expected = new Float64Array(s.length);
    // All masks with their chances, K times independently: E over tuples by recursion.
    const walk = (masks: readonly Uint8Array[], chance: number): void => {
      if (masks.length === count) {
        const gradient = policyGradient(s, { masks, losses: masks.map(lossOf), baseline })!;
        for (let i = 0; i < s.length; i++) expected[i]! += chance * gradient[i]!;
        return;
      }
      for (const mask of allMasks(s.length)) walk([...masks, mask], chance * chanceOf(mask));
    };
    if (count < 3) walk([], 1);
    else {
      // The same sum, since the masks of a step are independent of each other: K/(K−1) times that of one.
      for (const mask of allMasks(s.length)) {
        const gradient = policyGradient(s, { masks: [mask], losses: [lossOf(mask)], baseline })!;
        for (let i = 0; i < s.length; i++) expected[i]! += chanceOf(mask) * gradient[i]! * (count / (count - 1));
      }
    }
    for (let i = 0; i < s.length; i++) {
      const slope = meanLossWith(i, 1) - meanLossWith(i, 0);
      const factor = count === 1 ? 1 : count / (count - 1);
      expect(expected[i]).toBeCloseTo(factor * Math.sqrt(s[i]! * (1 - s[i]!)) * slope, 4);
    }
  });

  it('of drawn masks comes near to it', () => {
    const rng = new Rng(3);
    const mean = new Float64Array(s.length);
    const runs = 15_000;
    for (let run = 0; run < runs; run++) {
      const masks = [drawMask(s, rng), drawMask(s, rng)];
      const gradient = policyGradient(s, { masks, losses: masks.map(lossOf), baseline: 2.3 })!;
      for (let i = 0; i < s.length; i++) mean[i]! += gradient[i]! / runs;
    }
    for (let i = 0; i < s.length; i++) {
      const slope = meanLossWith(i, 1) - meanLossWith(i, 0);
      expect(Math.abs(mean[i]! - 2 * Math.sqrt(s[i]! * (1 - s[i]!)) * slope)).toBeLessThan(0.07);
    }
  });

  it.each<readonly [string, readonly (number | null)[], readonly number[] | undefined]>([
    ['two finite losses', [1, 3], [2, -2]],
    ['one left out: the other two, divided by one', [1, null, 3], [-2, 0]],
    ['what is not finite is left out', [1, Infinity, 3, NaN], [-2, 0]],
    ['one finite loss of several is too few', [1, null, null], undefined],
    ['none', [null, null], undefined],
    ['one mask alone', [3], [1, -1]],
    ['one mask alone, left out', [null], undefined],
  ])('%s', (_, losses, expected) => {
    // s = 1/2, so that the formula is Σ (ℓ − 2) · (m − 1/2) · 2 / (K − 1).
    const half = Float32Array.from([0.5, 0.5]);
    const masks = [Uint8Array.of(1, 0), Uint8Array.of(1, 0), Uint8Array.of(0, 0), Uint8Array.of(1, 1)].slice(
      0,
      losses.length,
    );
    if (losses.length === 2) masks[0] = Uint8Array.of(0, 1);
    const gradient = policyGradient(half, { masks, losses, baseline: 2 });
    expect(gradient && [...gradient].map((value) => Number(value.toFixed(4)))).toEqual(expected);
    const update = { masks, losses, baseline: 2, rate: 0.1, budgets: [{ begin: 0, end: 2, keep: 0.5 }] };
    const after = policyGradientStep(half, update);
    if (expected === undefined) expect(after).toBe(half);
    else expect(after[0]! + after[1]!).toBeCloseTo(1, 6);
  });

  it('does not overflow at the limits', () => {
    const limits = Float32Array.from([0, 1, 0.5, 0.5]);
    const masks = [Uint8Array.of(0, 1, 1, 0), Uint8Array.of(0, 1, 0, 1)];
    const gradient = policyGradient(limits, { masks, losses: [1, 9], baseline: 2 })!;
    expect([...gradient].every(Number.isFinite)).toBe(true);
    expect([gradient[0], gradient[1]].map(Math.abs as (value: number | undefined) => number)).toEqual([0, 0]);
  });

  function chanceOf(mask: Uint8Array): number {
    return s.reduce((chance, probability, i) => chance * (mask[i] === 1 ? probability : 1 - probability), 1);
  }

  /** E[ℓ] where component i is fixed. */
  function meanLossWith(i: number, value: 0 | 1): number {
    const all = allMasks(s.length).filter((mask) => mask[i] === value);
    const chance = value === 1 ? s[i]! : 1 - s[i]!;
    return all.reduce((total, mask) => total + (chanceOf(mask) / chance) * lossOf(mask), 0);
  }
});

describe('drawing', () => {
  it('keeps each component as often as its probability says, and certain ones always', () => {
    const s = Float32Array.from([0, 1, 0.25, 0.5, 0.999]);
    const rng = new Rng(4);
    const counts = new Array<number>(5).fill(0);
    const runs = 20_000;
    for (let run = 0; run < runs; run++) for (const [i, bit] of drawMask(s, rng).entries()) counts[i]! += bit;
    expect(counts[0]).toBe(0);
    expect(counts[1]).toBe(runs);
    for (const i of [2, 3, 4]) expect(Math.abs(counts[i]! / runs - s[i]!)).toBeLessThan(0.015);
  });
});

describe('what the losses are compared with', () => {
  it('is a moving average that begins with the first mean', () => {
    expect(nextBaseline(null, [null, NaN], 5)).toBeNull();
    expect(nextBaseline(null, [2, 4], 5)).toBe(3);
    expect(nextBaseline(3, [6, null], 5)).toBeCloseTo(4, 12);
    expect(nextBaseline(3, [null], 5)).toBe(3);
    expect(nextBaseline(3, [6], 1)).toBe(6);
  });
});

describe('the learning rate', () => {
  it('falls along a cosine, or stays', () => {
    expect([0, 25, 50, 75, 100].map((step) => rateAt(step, 100, 0.4, 'cosine').toFixed(4))).toEqual(
      [0.4, 0.2 * (1 + Math.SQRT1_2), 0.2, 0.2 * (1 - Math.SQRT1_2), 0].map((rate) => rate.toFixed(4)),
    );
    expect(rateAt(99, 100, 0.4, 'none')).toBe(0.4);
  });
});

function allMasks(count: number): readonly Uint8Array[] {
  return Array.from({ length: 2 ** count }, (_, code) => Uint8Array.from({ length: count }, (_, i) => (code >> i) & 1));
}

function sum(mask: Uint8Array): number {
  return mask.reduce((total, bit) => total + bit, 0);
}

describe('as the authors’ code has it', () => {
  const s = Float32Array.from([0.3, 0.6, 0.9]);
  const masks = [Uint8Array.from([1, 0, 1]), Uint8Array.from([0, 1, 1]), Uint8Array.from([1, 1, 0])];

  it.each<[what: string, losses: (number | null)[]]>([
    ['all losses finite', [2, 3, 5]],
    ['one loss dropped', [2, null, 5]],
    ['one loss left', [null, 3, null]],
  ])('the sum is divided by all masks less one: %s', (_, losses) => {
    const baseline = authorsBaseline(3, losses, 5)!;
    const finite = losses.filter((loss) => loss !== null);
    expect(baseline).toBeCloseTo(3 * 0.8 + (finite.reduce((sum, loss) => sum + loss, 0) / finite.length) * 0.2, 12);
    const found = policyGradient(s, { masks, losses, baseline, divided: 'by-all' })!;
    for (const [i, probability] of s.entries()) {
      const p = Math.fround(probability);
      let expected = 0;
      for (const [k, loss] of losses.entries())
        if (loss !== null)
          expected += ((loss - baseline) * (masks[k]![i]! - p)) / Math.sqrt((p + 1e-7) * (1 - p + 1e-7));
      expect(found[i]).toBeCloseTo(expected / 2, 10);
    }
  });

  it('the first average is the first mean, and a step without a finite loss moves nothing', () => {
    expect(authorsBaseline(null, [2, 4], 5)).toBe(3);
    expect(authorsBaseline(7, [null, NaN], 5)).toBe(7);
    expect(policyGradient(s, { masks, losses: [null, null, null], baseline: 1, divided: 'by-all' })).toBeUndefined();
  });

  it.each<[what: string, values: number[], projected: number[]]>([
    ['below the budget: left as it is', [0.1, 0.2, 0.3], [0.1, 0.2, 0.3]],
    ['below it once cut off', [-0.5, 0.2, 1.2], [0, 0.2, 1]],
    ['above it: moved down to it', [0.9, 0.9, 0.9], [0.5, 0.5, 0.5]],
  ])('a budget that is never raised: %s', (_, values, projected) => {
    const budgets = [{ begin: 0, end: 3, keep: 0.5, atMost: true }];
    const found = project(Float64Array.from(values), new Float32Array(3), budgets);
    for (const [i, value] of projected.entries()) expect(found[i]).toBeCloseTo(value, 6);
  });
});
