import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { sum } from '../../src/base/sum.ts';
import { blockWeights } from '../../src/experiment/components.ts';
import { parseBudget } from '../../src/experiment/budget.ts';
import { costLimit, costOf, isWithin, leastShare } from '../../src/experiment/costLimit.ts';
import type { CostLimit } from '../../src/experiment/costLimit.ts';
import { keptAtRates } from '../../src/experiment/goneAtRate.ts';
import type { BlockComponents } from '../../src/experiment/structureSchema.ts';
import { withCosts } from '../../src/search/masks/maskBudgets.ts';
import { maskSpace } from '../../src/search/masks/maskSpace.ts';
import { keptBy, maskWithin } from '../../src/search/masks/maskWithin.ts';
import { project } from '../../src/search/masks/policyGradient.ts';
import { mutated } from '../../src/search/rates/evopress/levels.ts';
import { rateLevels } from '../../src/search/rates/evopress/rateLevels.ts';
import { keptWithout, sublayerLevels } from '../../src/search/rates/evopress/sublayerLevels.ts';
import { projectRates, projectSome, rateSpace } from '../../src/search/rates/rates.ts';
import type { RateSpace } from '../../src/search/rates/rates.ts';
import { failureOf } from '../support/expectCoded.ts';
import { costTables } from '../support/costTables.ts';

const BUDGETS = ['1.3x faster', '1.2x faster decode', '35% fewer parameters'];

/** Random models and budgets that they can meet. */
const problems = fc
  .record({ seed: fc.integer({ min: 0, max: 1e6 }), text: fc.constantFrom(...BUDGETS) })
  .map(({ seed, text }) => ({ seed, ...problemOf(seed, text) }));

function problemOf(seed: number, text: string) {
  const { components, costs } = costTables(seed);
  const limit = costLimit(parseBudget(text)!, costs);
  const at = (share: number) =>
    keptAtRates(
      components,
      components.map(() => share),
    );
  const share = leastShare(limit, at);
  const space: RateSpace = { ...rateSpace(components, share), budget: { limit, equal: share, components } };
  return { components, costs, limit, share, space };
}

const costAt = (limit: CostLimit, components: readonly BlockComponents[], rates: readonly number[]): number =>
  costOf(limit, keptAtRates(components, rates));

/** What the dearest single group or channel costs: nearer than that no whole components come. */
function dearest(limit: CostLimit, components: readonly BlockComponents[]): number {
  return Math.max(
    ...components.flatMap(({ groups, channels }, i) => {
      const dense = limit.costOfBlock(i, { groups, channels });
      return [
        dense - limit.costOfBlock(i, { groups: groups - 1, channels }),
        dense - limit.costOfBlock(i, { groups, channels: channels - 1 }),
      ];
    }),
  );
}

const RUNS = { numRuns: 30, seed: 7 };

describe('under a budget', () => {
  it('equal rates are the least that are within it', () => {
    fc.assert(
      fc.property(problems, ({ components, limit, share }) => {
        const at = (rate: number): number =>
          costAt(
            limit,
            components,
            components.map(() => rate),
          );
        expect(isWithin(limit, at(share))).toBe(true);
        expect(isWithin(limit, at(share - 1e-5))).toBe(false);
      }),
      RUNS,
    );
  });

  it('rates are moved to where whole components are within it, and hardly farther', () => {
    fc.assert(
      fc.property(problems, ({ seed, components, limit, space }) => {
        const rng = new Rng(seed);
        const values = components.map(() => space.mean + 0.3 * rng.normal());
        const rates = projectRates(values, space);
        const cost = costAt(limit, components, rates);
        expect(isWithin(limit, cost)).toBe(true);
        expect(limit.most - cost).toBeLessThanOrEqual(components.length * dearest(limit, components));
        for (const rate of rates) expect(Number(rate.toFixed(5))).toBe(rate);
        const some = projectSome(
          rates.map((rate, i) => (i < 2 ? rate + 0.1 * rng.normal() : rate)),
          [0, 1],
          space,
        );
        expect(isWithin(limit, costAt(limit, components, some))).toBe(true);
        expect(projectRates(values, space)).toEqual(rates);
      }),
      RUNS,
    );
  });

  it('switches raise one rate and lower another as far as it allows', () => {
    fc.assert(
      fc.property(problems, ({ seed, components, limit, space }) => {
        const levels = rateLevels(0.05, components, space);
        const start = levels.draw(new Rng(0));
        const made = mutated(start, 2, levels, new Rng(seed));
        expect(made && mutated(start, 2, levels, new Rng(seed))).toEqual(made);
        if (made) expect(isWithin(limit, costAt(limit, components, levels.configurationOf(made).rates))).toBe(true);
      }),
      RUNS,
    );
  });

  it('whole layers go until it is met, and are switched within it', () => {
    fc.assert(
      fc.property(problems, ({ seed, components, limit, space }) => {
        const levels = sublayerLevels(components, space.mean, limit);
        const drawn = levels.draw(new Rng(seed));
        const made = mutated(drawn, 2, levels, new Rng(seed));
        for (const each of [drawn, made ?? drawn])
          expect(isWithin(limit, costOf(limit, keptWithout(components, each)))).toBe(true);
      }),
      RUNS,
    );
  });

  it.each([
    ['heads-channels', 'global'],
    ['heads-channels', 'layer'],
    ['heads-channels-layers', 'global'],
    ['layers', 'global'],
  ] as const)('masks of %s, %s, are within it', (kinds, budget) => {
    fc.assert(
      fc.property(problems, ({ seed, components, limit, share }) => {
        const settings = { components: kinds, budget };
        const space = withCosts(maskSpace(components, settings, 1 - share), limit, settings);
        const rng = new Rng(seed);
        const values = Float64Array.from({ length: space.size }, () => rng.uniform());
        const certain = new Float32Array(space.size).fill(1);
        const probabilities = project(values, certain, space.budgets);
        const kept = maskWithin(space, probabilities, limit, settings);
        expect(isWithin(limit, costOf(limit, keptBy(space, kept)))).toBe(true);
        for (const { begin, end, keep, costs } of space.budgets) {
          if (!costs) continue;
          const expected = sum([...costs].map((cost, i) => cost * probabilities[begin + i]!));
          expect(end - begin).toBe(costs.length);
          expect(expected / (keep * sum([...costs]))).toBeCloseTo(1, 4);
        }
      }),
      { numRuns: 15, seed: 7 },
    );
  });

  it.each([
    ['1000x faster', /up to \d+\.\d\dx faster/],
    ['99.9% fewer parameters', /up to \d+\.\d% fewer parameters/],
    ['0.001 MB', /from 0\.00 MB/],
    ['1 GB', /less than the dense model has: 0\.\d+ MB/],
  ])('%s cannot be met, and what can is told', async (text, expected) => {
    const { data } = await failureOf(() => problemOf(1, text));
    expect(data.code).toBe('settings/invalid');
    expect(data.expected).toMatch(expected);
    expect(data.actual).toBe(text);
  });

  it('what FLAP adds counts', () => {
    const { components, costs } = costTables(3);
    const at = (share: number) =>
      keptAtRates(
        components,
        components.map(() => share),
      );
    const budget = parseBudget('30% fewer parameters')!;
    const [plain, compensated] = [costLimit(budget, costs), costLimit(budget, costs, { compensated: true })];
    expect(compensated.most).toBe(plain.most);
    expect(leastShare(compensated, at)).toBeGreaterThan(leastShare(plain, at));
    expect(sum(components.map(blockWeights))).toBeGreaterThan(0);
  });
});
