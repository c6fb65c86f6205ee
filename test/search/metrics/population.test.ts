import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { canonical } from '../../../src/metric/canonical.ts';
import { operand } from '../../../src/metric/expression.ts';
import type { Evaluated } from '../../../src/search/metrics/candidate.ts';
import { nextPopulation, tournament, withOffspring } from '../../../src/search/metrics/population.ts';

const settings = { population: 4, elites: 2, parsimony: 0 };
/** Estimates after the first rung are 0.5 too low. */
const knowledge = {
  expectedLoss: ({ loss, stoppedAt }: Evaluated): number => (stoppedAt === undefined ? loss : loss + 0.5),
};

function evaluated(id: number, loss: number, more: Partial<Evaluated> = {}): Evaluated {
  const expression = operand('W');
  return {
    ...{
      id,
      generation: 0,
      operator: 'grow',
      parents: [],
      expression,
      canonical: canonical(expression),
      size: 3,
      loss,
    },
    ...{ outcome: { kind: 'full', perplexity: Math.exp(loss) }, stoppedAt: undefined, identity: id },
    ...more,
  };
}

const idsOf = (before: readonly Evaluated[], offspring: readonly Evaluated[], parsimony = 0): number[] =>
  nextPopulation(before, offspring, { ...settings, parsimony }, knowledge).map(({ candidate }) => candidate.id);

describe('the next population', () => {
  const before = [evaluated(0, 5), evaluated(1, 5.2), evaluated(2, 5.3), evaluated(3, 4.6, { stoppedAt: 0 })];

  it('keeps the elites that saw the whole text, and takes the best of the offspring', () => {
    const offspring = [evaluated(4, 5.1), evaluated(5, 4.9), evaluated(6, 6)];
    expect(idsOf(before, offspring)).toEqual([5, 0, 4, 1]);
    const better = [4, 5, 6, 7].map((id) => evaluated(id, 4));
    expect(idsOf(before, better)).toEqual([4, 5, 0, 1]);
  });

  it('is filled up with the best before where there are too few', () => {
    expect(idsOf(before, [evaluated(4, Infinity), evaluated(5, 7)])).toEqual([0, 3, 1, 5]);
  });

  it('has no two that remove the same weights: the smaller says it with less', () => {
    const same = [evaluated(4, 5, { identity: 0, size: 2 }), evaluated(5, 5, { identity: 0, size: 9 })];
    expect(idsOf(before, same)).toEqual([4, 3, 1, 2]);
  });

  it('counts size where it costs', () => {
    const offspring = [evaluated(4, 4.9, { size: 13 }), evaluated(5, 5.05, { size: 1 })];
    expect(idsOf(before, offspring)).toEqual([4, 0, 5, 1]);
    expect(idsOf(before, offspring, 0.1)).toEqual([5, 0, 1, 4]);
  });

  it('takes estimates for what they turned out to be worth', () => {
    expect(
      idsOf([], [evaluated(0, 5), evaluated(1, 4.6, { stoppedAt: 0 }), evaluated(2, 4.4, { stoppedAt: 0 })]),
    ).toEqual([2, 0, 1]);
  });
});

describe('a population that one more comes into', () => {
  const join = (offspring: Evaluated, ...before: Evaluated[]): number[] => {
    const cost = (one: Evaluated): number => knowledge.expectedLoss(one);
    const population = before.map((candidate) => ({ candidate, cost: cost(candidate) }));
    return withOffspring(population, offspring, settings, knowledge).map(({ candidate }) => candidate.id);
  };
  const full = [evaluated(0, 5), evaluated(1, 5.2), evaluated(2, 5.3), evaluated(3, 5.4)];
  const table: [string, Evaluated, Evaluated[], number[]][] = [
    ['grows while there is room', evaluated(4, 5.25), full.slice(0, 3), [0, 1, 4, 2]],
    ['loses its worst', evaluated(4, 5.25), full, [0, 1, 4, 2]],
    ['stays as it is where that is the new one', evaluated(4, 6), full, [0, 1, 2, 3]],
    ['stays as it is where the new one is invalid', evaluated(4, Infinity), full.slice(0, 3), [0, 1, 2]],
    ['takes an estimate for what it is worth', evaluated(4, 4.75, { stoppedAt: 0 }), full, [0, 1, 4, 2]],
    [
      'keeps its elites, where all others are better by estimates',
      evaluated(8, 4.055, { stoppedAt: 0 }),
      [...[5, 6, 7].map((id) => evaluated(id, 4 + id / 100, { stoppedAt: 0 })), evaluated(0, 5)],
      [5, 8, 6, 0],
    ],
    ['has the smaller of two that remove the same', evaluated(4, 5, { identity: 0, size: 2 }), full, [4, 1, 2, 3]],
    ['keeps the smaller of two that remove the same', evaluated(4, 5, { identity: 0, size: 9 }), full, [0, 1, 2, 3]],
  ];
  it.each(table)('%s', (_, offspring, before, expected) => {
    expect(join(offspring, ...before)).toEqual(expected);
  });
});

describe('a tournament', () => {
  it('is won by the best that was drawn', () => {
    const population = nextPopulation(
      [],
      [0, 1, 2, 3].map((id) => evaluated(id, 5 + id)),
      settings,
      knowledge,
    );
    const wins = (rounds: number): number[] => {
      const rng = new Rng(90);
      const counts = [0, 0, 0, 0];
      for (let i = 0; i < 4000; i++) counts[tournament(population, rng, rounds).id]!++;
      return counts.map((count) => count / 4000);
    };
    // The best of k draws is number i with the chance ((4 − i)^k − (3 − i)^k) / 4^k.
    for (const rounds of [1, 2, 7]) {
      wins(rounds).forEach((share, i) => {
        expect(share).toBeCloseTo(((4 - i) ** rounds - (3 - i) ** rounds) / 4 ** rounds, 1);
      });
    }
  });
});
