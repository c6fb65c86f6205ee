import { describe, expect, it } from 'vitest';
import { Rng } from '../../../../src/base/rng.ts';
import type { BlockComponents } from '../../../../src/experiment/structureSchema.ts';
import { checkSwitches, equalUnits, mutated, switched } from '../../../../src/search/rates/evopress/levels.ts';
import type { LevelSpace } from '../../../../src/search/rates/evopress/levels.ts';
import { rateLevels } from '../../../../src/search/rates/evopress/rateLevels.ts';
import { sublayerLevels } from '../../../../src/search/rates/evopress/sublayerLevels.ts';
import { rateSpace } from '../../../../src/search/rates/rates.ts';
import { failureOf } from '../../../support/expectCoded.ts';

const block = (groups: number, channels: number): BlockComponents => ({
  ...{ groups, channels, groupWeights: 100, channelWeights: 10 },
});
const EQUAL = Array.from({ length: 6 }, () => block(4, 60));
/** Two blocks were pruned before. */
const UNEVEN = [block(4, 60), block(2, 60), block(4, 60), block(2, 60), block(4, 60), block(1, 7)];

const ratesOf = (components: readonly BlockComponents[], mean: number, step = 0.05): LevelSpace =>
  rateLevels(step, components, rateSpace(components, mean));

describe('a switch', () => {
  it.each<readonly [what: string, space: LevelSpace, components: readonly BlockComponents[]]>([
    ['of rates', ratesOf(EQUAL, 0.3), EQUAL],
    ['of rates that no step meets', ratesOf(EQUAL, 1 / 3, 0.07), EQUAL],
    ['of rates near the end', ratesOf(EQUAL, 0.93), EQUAL],
    ['of rates of blocks of several sizes', ratesOf(UNEVEN, 0.4, 0.1), UNEVEN],
    ['of layers', sublayerLevels(EQUAL, 0.3), EQUAL],
    ['of layers of several sizes', sublayerLevels(UNEVEN, 0.5), UNEVEN],
  ])('%s keeps what is removed exactly, within bounds, and changes two of equal weight', (_, space, components) => {
    const rng = new Rng(3);
    const weights = components.map(({ groups, channels }) => groups * 100 + channels * 10);
    const removed = (levels: readonly number[]): number =>
      space.configurationOf(levels).rates.reduce((sum, rate, i) => sum + Math.round(rate * weights[i]! * 1e5), 0);
    let levels = space.draw(rng);
    const budget = removed(levels);
    for (let i = 0; i < 500; i++) {
      const next = switched(levels, space, rng)!;
      const changed = next.flatMap((level, unit) => (level === levels[unit] ? [] : [unit]));
      expect(changed).toHaveLength(2);
      expect(space.groups.some((group) => changed.every((unit) => group.includes(unit)))).toBe(true);
      expect(changed.map((unit) => next[unit]! - levels[unit]!).sort((a, b) => a - b)).toEqual([
        -space.step,
        space.step,
      ]);
      expect(Math.min(...next)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...next)).toBeLessThanOrEqual(space.top);
      expect(removed(next)).toBe(budget);
      levels = next;
    }
  });

  it('reaches every unit that it can, up and down', () => {
    const space = ratesOf(UNEVEN, 0.4, 0.1);
    const start = space.draw(new Rng(0));
    const seen = new Set<string>();
    for (let seed = 0; seed < 400; seed++) {
      for (const [unit, level] of switched(start, space, new Rng(seed))!.entries()) {
        if (level !== start[unit]) seen.add(`${unit} ${level > start[unit]! ? 'up' : 'down'}`);
      }
    }
    // The last block is the only one of its weight.
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4].flatMap((unit) => [`${unit} down`, `${unit} up`]));
  });

  const none = 'without any layer dropped';
  it.each<readonly [what: string, space: LevelSpace, actual: string, remedy: RegExp]>([
    ['a single block', ratesOf([block(4, 60)], 0.3), '30 %', /another sparsity/],
    ['no two blocks of one weight', ratesOf([block(4, 60), block(3, 60)], 0.3), '30 30 %', /another sparsity/],
    ['nothing to remove', ratesOf(EQUAL, 0), '0 0 0 0 0 0 %', /another sparsity/],
    ['a step that is too long', ratesOf(EQUAL, 0.3, 0.5), '30 30 30 30 30 30 %', /smaller step/],
    ['no layer to drop', sublayerLevels(EQUAL, 0.05), `0 0 0 0 0 0 %, ${none}`, /sparsity that comes to more layers/],
    ['every layer to drop', sublayerLevels(EQUAL, 0.95), '100 100 100', /or to fewer/],
  ])('is impossible with %s, which is said', async (_, space, actual, remedy) => {
    const levels = space.draw(new Rng(0));
    expect(switched(levels, space, new Rng(0))).toBeUndefined();
    const { data } = await failureOf(async () => {
      await Promise.resolve();
      checkSwitches(levels, space, new Rng(0));
    });
    expect(data.code).toBe('settings/invalid');
    expect(data.actual).toContain(actual);
    expect(data.remedy).toMatch(remedy);
  });

  it('of one that alone can fall raises another one', () => {
    const space: LevelSpace = { ...ratesOf(EQUAL, 0.3), groups: [[0, 1, 2]], step: 1, top: 1 };
    for (let seed = 0; seed < 50; seed++) {
      const [first, second, third] = switched([1, 0, 0], space, new Rng(seed))!;
      expect([first, second! + third!]).toEqual([0, 1]);
    }
  });
});

describe('an offspring', () => {
  it('has 1 to so many switches, few more often', () => {
    const space = ratesOf(
      Array.from({ length: 64 }, () => block(4, 60)),
      0.5,
      0.01,
    );
    const start = space.draw(new Rng(0));
    const counts = new Map<number, number>();
    for (let seed = 0; seed < 3000; seed++) {
      const next = mutated(start, 3, space, new Rng(seed))!;
      const moved = next.reduce((sum, level, i) => sum + Math.abs(level - start[i]!), 0) / (2 * space.step);
      counts.set(moved, (counts.get(moved) ?? 0) + 1);
    }
    // Of the smaller of two draws: 5, 3 and 1 in 9; of 64 blocks hardly any is drawn twice.
    expect([...counts.keys()].sort()).toEqual([1, 2, 3]);
    expect(counts.get(1)! / 3000).toBeCloseTo(5 / 9, 1);
    expect(counts.get(2)! / 3000).toBeCloseTo(3 / 9, 1);
    expect(counts.get(3)! / 3000).toBeCloseTo(1 / 9, 1);
  });
});

describe('layers', () => {
  it.each<readonly [share: number, each: number]>([
    [0.2, 1],
    [0.3, 2],
    [0.5, 3],
    [0.75, 5],
  ])('as many of attention and of MLP go as come closest to %d', (share, each) => {
    const { dropped, rates } = sublayerLevels(EQUAL, share).configurationOf(
      sublayerLevels(EQUAL, share).draw(new Rng(7)),
    );
    expect([dropped!.attention.length, dropped!.mlp.length]).toEqual([each, each]);
    // 400 of 1000 weights are attention's.
    for (const [i, rate] of rates.entries()) {
      expect(rate).toBeCloseTo((dropped!.attention.includes(i) ? 0.4 : 0) + (dropped!.mlp.includes(i) ? 0.6 : 0), 12);
    }
  });

  it('of a block that has none left of a kind are not dropped', () => {
    const components = [block(0, 60), block(0, 60), block(4, 60), block(4, 60)];
    const space = sublayerLevels(components, 0.5);
    for (let seed = 0; seed < 20; seed++) {
      const { attention } = space.configurationOf(space.draw(new Rng(seed))).dropped!;
      expect(attention).toHaveLength(1);
      expect(attention[0]).toBeGreaterThanOrEqual(2);
    }
  });

  it('are equal units by weight', () => {
    expect(equalUnits([5, 3, 5, 0, 3, 5], 10)).toEqual([
      [10, 12, 15],
      [11, 14],
    ]);
  });
});
