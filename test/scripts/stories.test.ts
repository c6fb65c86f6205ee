import { describe, expect, it } from 'vitest';
import { BUDGET, chooseStories, SECONDS, storyNames } from '../../.ci/stories.mjs';

const NAMES = storyNames();
const CHOICES = Array.from({ length: 100 }, (_, i) => chooseStories(`seed ${i}`));
const total = (choice: readonly string[]): number => choice.reduce((sum, name) => sum + SECONDS[name]!, 0);

describe('end-to-end stories in CI', () => {
  it('stand in the table, each of them, and nothing else does', () => {
    expect(Object.keys(SECONDS).sort()).toEqual(NAMES.toSorted());
  });

  it('have their turn', () => {
    expect(NAMES.filter((name) => !CHOICES.some((choice) => choice.includes(name)))).toEqual([]);
  });

  it('fill the time that there is, and no more', () => {
    for (const choice of CHOICES) {
      expect(choice).toEqual(expect.arrayContaining(['editing', 'evaluating', 'trusting']));
      expect(total(choice), choice.join()).toBeLessThanOrEqual(BUDGET);
      const left = NAMES.filter((name) => !choice.includes(name)).map((name) => SECONDS[name]!);
      expect(total(choice) + Math.min(...left)).toBeGreaterThan(BUDGET);
    }
  });

  it('are the same for the same seed, and others for another', () => {
    expect(chooseStories('seed 7', NAMES.toReversed())).toEqual(CHOICES[7]);
    expect(new Set(CHOICES.map(String)).size).toBeGreaterThan(10);
  });
});
