import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/coordinator/pace.ts';

/** A pace that has seen portions of one question take so many seconds. */
function paceOf(...seconds: readonly number[]): Pace {
  const pace = new Pace();
  for (const each of seconds) pace.note(1, each * 1000);
  return pace;
}

describe('a portion', () => {
  it.each<[string, Pace, number, number, number]>([
    ['is one question where nothing is known', paceOf(), 100, 1, 1],
    ['takes about two seconds', paceOf(0.1), 1000, 2, 20],
    ['is one question where that takes longer', paceOf(30), 100, 1, 1],
    ['leaves the others something to do', paceOf(0.01), 40, 4, 5],
    ['is never larger than 64', paceOf(0.001), 10_000, 1, 64],
    ['ends with the last question', paceOf(0.001), 1, 8, 1],
  ])('%s', (_, pace, left, workers, size) => {
    expect(pace.portion(left, workers)).toBe(size);
  });

  it('may take twenty times as long as the slowest, and ten minutes at least', () => {
    expect(paceOf().limit(1)).toBe(24 * 3_600_000);
    expect(paceOf(0.1).limit(10)).toBe(600_000);
    expect(paceOf(60, 10).limit(3)).toBe(20 * 60_000 * 3);
  });
});
