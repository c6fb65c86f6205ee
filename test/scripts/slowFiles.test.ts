import { describe, expect, it } from 'vitest';
import { BUDGET, chooseFiles, needsReference, SECONDS, secondsOf, slowFiles } from '../../.ci/slowFiles.mjs';
import slowConfig from '../../vitest.slow.config.ts';

const FILES = slowFiles();
const SEEDS = Array.from({ length: 300 }, (_, i) => `seed ${i}`);
const CHOICES = SEEDS.map((seed) => chooseFiles(seed));

describe('slow files in CI', () => {
  it('are those of the configuration', () => {
    const [all, ...also] = slowConfig.test!.include!;
    expect(all).toBe('test/**/*.slow.ts');
    expect(FILES.filter((file) => !file.endsWith('.slow.ts'))).toEqual(also);
  });

  it('stand in the table, each of them, and nothing else does', () => {
    expect(Object.keys(SECONDS).sort()).toEqual(FILES.toSorted());
    expect(Object.values(SECONDS).filter((seconds) => seconds !== null && !(seconds > 0))).toEqual([]);
  });

  it('have their turn', () => {
    expect(FILES.filter((file) => !CHOICES.some((choice) => choice.includes(file)))).toEqual([]);
  });

  it('compare with the reference in every run, in the time that there is', () => {
    for (const choice of CHOICES) {
      expect(choice.some(needsReference)).toBe(true);
      expect(new Set(choice).size).toBe(choice.length);
      const total = choice.reduce((sum, file) => sum + secondsOf(file), 0);
      // The two that are always taken may be longer; then they are alone.
      expect(total <= BUDGET || choice.length <= 2, `${total} s: ${choice.join()}`).toBe(true);
      // Nothing that would fit is left out.
      const left = FILES.filter((file) => !choice.includes(file)).map(secondsOf);
      expect(total + Math.min(...left)).toBeGreaterThan(BUDGET);
    }
  });

  it('are the same for the same seed, and others for another', () => {
    expect(chooseFiles('seed 7', FILES.toReversed())).toEqual(CHOICES[7]);
    expect(new Set(CHOICES.map(String)).size).toBeGreaterThan(SEEDS.length / 4);
  });

  it('count a minute where nobody has measured them', () => {
    expect(secondsOf('test/new.slow.ts')).toBe(60);
  });
});
