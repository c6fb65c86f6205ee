import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { crossRates, mutateRates, randomRates, spreadRates } from '../../../src/search/rates/selfPruner/operators.ts';
import type { Made } from '../../../src/search/rates/selfPruner/operators.ts';
import {
  MEAN_TOLERANCE,
  meanOf,
  printRate,
  projectRates,
  projectSome,
  rateSpace,
} from '../../../src/search/rates/rates.ts';
import type { RateSpace } from '../../../src/search/rates/rates.ts';
import { failureOf } from '../../support/expectCoded.ts';

const block = (
  channels: number,
): { groups: number; channels: number; groupWeights: number; channelWeights: number } => ({
  ...{ groups: 2, groupWeights: 64, channels, channelWeights: 24 },
});

/** Blocks of one size, or of sizes of their own. */
const spaces = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: 1, max: 40 }).map((blocks) => Array.from({ length: blocks }, () => 100)),
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 40 }),
    ),
    fc.integer({ min: 0, max: 100_000 }),
  )
  .map(([channels, mean]) => rateSpace(channels.map(block), mean / 100_000));
const problems = spaces.chain((space) => {
  const { length } = space.shares;
  const values = fc.array(fc.double({ min: -2, max: 3, noNaN: true }), { minLength: length, maxLength: length });
  return fc.tuple(fc.constant(space), values, fc.integer());
});

describe('rates', () => {
  it('are put onto five decimals in [0, 1] with the mean, and stay there but for a rounding', () => {
    fc.assert(
      fc.property(problems, ([space, values]) => {
        const rates = projectRates(values, space);
        expectRates(rates, space);
        for (const [i, rate] of projectRates(rates, space).entries())
          expect(Math.abs(rate - rates[i]!)).toBeLessThan(1.1e-5);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('meet the mean exactly where blocks are of one size and five decimals can', () => {
    for (const blocks of [1, 3, 8, 32]) {
      const space = rateSpace(
        Array.from({ length: blocks }, () => block(7)),
        0.3,
      );
      const rng = new Rng(blocks);
      for (let run = 0; run < 50; run++) {
        const rates = projectRates(
          space.shares.map(() => rng.uniform()),
          space,
        );
        const units = rates.reduce((sum, rate) => sum + Math.round(rate * 1e5), 0);
        expect(units).toBe(blocks * 30_000);
      }
    }
  });

  it.each<readonly [string, readonly number[], number, readonly number[]]>([
    ['uniform stays uniform', [0.3, 0.3, 0.3], 0.3, [0.3, 0.3, 0.3]],
    ['thirds are shared out', [1, 1, 1], 1 / 3, [0.33334, 0.33333, 0.33333]],
    ['what is missing goes to those that lost most', [0.100001, 0.200008, 0.500001], 0.26667, [0.1, 0.20001, 0.5]],
    ['shifted', [0.2, 0.4], 0.5, [0.4, 0.6]],
    ['a limit is a limit', [0, 0.9], 0.6, [0.2, 1]],
  ])('%s', (_, values, mean, expected) => {
    const space = rateSpace(
      values.map(() => block(5)),
      mean,
    );
    expect(projectRates(values, space)).toEqual(expected);
  });

  it('count blocks by their weights: what goes of all is the mean', () => {
    const space = rateSpace([block(0), block(100)], 0.5);
    const [small, large] = projectRates([1, 0], space);
    expect(small! * 128 + large! * (128 + 2400)).toBeCloseTo(0.5 * (256 + 2400), 1);
    expect(small).toBeGreaterThan(0.9);
  });

  it('of the blocks that are not meant stay as they are', () => {
    const space = rateSpace(
      Array.from({ length: 6 }, () => block(9)),
      0.4,
    );
    const before = projectRates([0.1, 0.9, 0.29, 0.4, 0.57, 0.3], space);
    const changed = projectSome(
      before.map((rate, i) => (i === 1 || i === 4 ? rate + 0.2 * i : rate)),
      [1, 4],
      space,
    );
    expectRates(changed, space);
    for (const i of [0, 2, 3, 5]) expect(changed[i]).toBe(before[i]);
    expect(changed[1]! + changed[4]!).toBeCloseTo(before[1]! + before[4]!, 9);
    expect(changed[1]).not.toBe(before[1]);
  });

  it('need something to remove', async () => {
    expect((await failureOf(() => rateSpace([], 0.3))).code).toBe('settings/invalid');
    expect((await failureOf(() => rateSpace([block(1)], 1.2))).code).toBe('settings/invalid');
  });
});

describe('classical operators', () => {
  const makers: Readonly<Record<string, (space: RateSpace, rng: Rng) => Made>> = {
    random: (space, rng) => randomRates(space, rng),
    spread: (space, rng) => spreadRates(rng.integer(9), undefined, 0.1, space, rng),
    'spread with OWL': (space, rng) =>
      spreadRates(
        rng.integer(9),
        space.shares.map((_, i) => (i % 2) * 0.7),
        0.1,
        space,
        rng,
      ),
    mutate: (space, rng) => mutateRates(parents(space, rng, 1 + rng.integer(4)), 0.05, space, rng),
    cross: (space, rng) => crossRates(parents(space, rng, 2 + rng.integer(4)), space, rng),
  };

  it.each(Object.keys(makers))('%s keeps to five decimals, [0, 1] and the mean', (name) => {
    fc.assert(
      fc.property(spaces, fc.integer(), (space, seed) => {
        const made = makers[name]!(space, new Rng(seed));
        expectRates(made.rates, space);
        expect(new Set(made.parents).size).toBe(made.parents.length);
      }),
      { seed: 4, numRuns: 80 },
    );
  });

  it('mutate few blocks about half of the time, all otherwise, by the step', () => {
    const space = rateSpace(
      Array.from({ length: 16 }, () => block(20)),
      0.5,
    );
    const [parent] = parents(space, new Rng(1), 1);
    const changes = Array.from({ length: 300 }, (_, i) => {
      const { rates } = mutateRates([parent!], 0.01, space, new Rng(i));
      return rates.map((rate, k) => rate - parent!.rates[k]!).filter((change) => Math.abs(change) > 2e-5);
    });
    const few = changes.filter(({ length }) => length <= 4);
    expect(few.length / changes.length).toBeGreaterThan(0.4);
    expect(few.length / changes.length).toBeLessThan(0.6);
    const all = changes.filter(({ length }) => length > 10).flat();
    const deviation = Math.sqrt(all.reduce((sum, change) => sum + change ** 2, 0) / all.length);
    expect(deviation).toBeGreaterThan(0.0085);
    expect(deviation).toBeLessThan(0.0105);
  });

  it('prefer better parents', () => {
    const space = rateSpace(
      Array.from({ length: 4 }, () => block(20)),
      0.5,
    );
    const population = parents(space, new Rng(2), 10);
    const chosen = Array.from({ length: 400 }, (_, i) => mutateRates(population, 0.1, space, new Rng(i)).parents[0]!);
    const share = (below: number): number => chosen.filter((id) => id < below).length / chosen.length;
    expect(share(5)).toBeGreaterThan(0.65);
    expect(new Set(chosen).size).toBe(10);
  });
});

function parents(space: RateSpace, rng: Rng, count: number): { id: number; rates: readonly number[] }[] {
  return Array.from({ length: count }, (_, id) => ({ id, rates: randomRates(space, rng).rates }));
}

function expectRates(rates: readonly number[], space: RateSpace): void {
  expect(rates).toHaveLength(space.shares.length);
  for (const rate of rates) {
    expect(rate >= 0 && rate <= 1).toBe(true);
    expect(Number(printRate(rate))).toBe(rate);
  }
  expect(Math.abs(meanOf(rates, space) - space.mean)).toBeLessThanOrEqual(MEAN_TOLERANCE);
}
