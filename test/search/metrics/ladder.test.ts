import { describe, expect, it } from 'vitest';
import { AT_THE_FOOT, calibration, climb, promoted, rungsOf } from '../../../src/search/metrics/ladder.ts';
import type { Climb } from '../../../src/search/metrics/ladder.ts';
import type { SearchOpening } from '../../../src/search/lifecycle/events.ts';

const opening: SearchOpening = {
  ...{ blocks: 4, denseLosses: [1, 2, 3, 6], densePerplexity: Math.exp(3), fingerprint: '' },
  ...{ device: '', parameters: 1, architecture: '' },
};

/** Estimates after each rung; the last one is the loss. */
function climbed(...estimates: number[]): Climb {
  return { blocks: 4, total: 4 * estimates.at(-1)!, estimates };
}

describe('rungs', () => {
  it.each([
    [27, 2048, 3, 3, '0-3 3-9 9-27'],
    [32, 512, 3, 3, '0-4 4-11 11-32'],
    [64, 2048, 1, 3, '0-64'],
    [2, 2048, 3, 3, '0-1 1-2'],
    [1, 2048, 8, 16, '0-1'],
    [100, 2048, 2, 4, '0-25 25-100'],
    // Too few tokens to tell metrics apart.
    [27, 256, 3, 3, '0-8 8-27'],
    [32, 256, 3, 3, '0-8 8-32'],
    [64, 256, 3, 3, '0-8 8-21 21-64'],
    [15, 256, 3, 3, '0-15'],
    [5, 2048, 3, 2, '0-1 1-5'],
    [8, 256, 3, 3, '0-8'],
    [27, 32, 3, 3, '0-3 3-9 9-27'],
  ])('of %d blocks of %d tokens, %d rungs, keep %d', (blocks, length, rungs, keep, expected) => {
    const found = rungsOf({ blocks }, length, { rungs, keep });
    expect(found.map(({ begin, end }) => `${begin}-${end}`).join(' ')).toBe(expected);
    expect(found.map(({ index }) => index)).toEqual(found.map((_, i) => i));
  });
});

describe('rungs of documents', () => {
  it.each([
    [20, '0-20'],
    [60, '0-60'],
    [100, '0-32 32-100'],
    [640, '0-71 71-213 213-640'],
  ])('of %d begin with 32 at least', (blocks, expected) => {
    const found = rungsOf({ blocks, objective: 'tasks' }, 2048, { rungs: 3, keep: 3 });
    expect(found.map(({ begin, end }) => `${begin}-${end}`).join(' ')).toBe(expected);
  });
});

const lost = (blocks: number, loss: number) => ({ kind: 'loss', blocks, loss }) as const;

describe('estimates', () => {
  it('are the dense loss of the text and the excess on the blocks seen', () => {
    const first = climb(AT_THE_FOOT, lost(1, 1.5), opening);
    expect(first.estimates).toEqual([3.5]);
    // Blocks 2 and 3 cost 2.5 and 3.1: an excess of 0.5, 0.5 and 0.1 so far.
    const second = climb(first, lost(2, 2.8), opening);
    expect(second.estimates[1]).toBeCloseTo(3 + 1.1 / 3, 12);
  });

  it('are the mean loss once all blocks are seen', () => {
    const top = climb(climb(AT_THE_FOOT, lost(1, 1.5), opening), lost(3, 4), opening);
    expect(top.estimates[1]).toBe((1.5 + 12) / 4);
  });
});

describe('a climb over documents', () => {
  it('adds up those with a right answer', () => {
    const top = climb(
      climb(AT_THE_FOOT, { ...lost(1, 1.5), right: 1 }, opening),
      { ...lost(3, 4), right: 0.5 },
      opening,
    );
    expect(top.right).toBe(1.5);
    expect(climb(AT_THE_FOOT, lost(1, 1.5), opening)).not.toHaveProperty('right');
  });
});

describe('calibration', () => {
  it('says how estimates came out', () => {
    const complete = [climbed(5.1, 5), climbed(5.3, 5.1), climbed(5.2, 5.1), climbed(5.4, 5.2)];
    const { offset, deviation } = calibration(complete, 0);
    expect(offset).toBeCloseTo(0.15, 12);
    expect(deviation).toBeCloseTo(Math.sqrt((0.05 ** 2 * 4) / 3), 12);
  });

  it('trusts no deviation of three', () => {
    expect(calibration([climbed(5, 5), climbed(5, 5), climbed(5, 5)], 0)).toEqual({ offset: 0, deviation: Infinity });
    expect(calibration([], 0)).toEqual({ offset: 0, deviation: Infinity });
  });
});

describe('promotion', () => {
  const climbers = (...estimates: number[]): Map<string, Climb> =>
    new Map(estimates.map((estimate, i) => ['abcdefghi'[i]!, climbed(estimate)]));

  it('takes the best one in so many while nothing else is known', () => {
    expect(promoted(climbers(5, 4, 7, 6), 0, 3, [], 5)).toEqual(['b', 'a']);
    expect(promoted(climbers(5), 0, 3, [], 5)).toEqual(['a']);
    expect(promoted(climbers(5, 4), 0, 16, [climbed(4.5, 4.5)], 5)).toEqual(['b']);
  });

  /** Predictions are 0.1 too high, by and large, and 0.1 off. */
  const complete = [climbed(5.0, 5.0), climbed(5.3, 5.1), climbed(5.4, 5.2), climbed(5.3, 5.3), climbed(5.5, 5.4)];

  it('stops who would have to be luckier than predictions were', () => {
    const { offset, deviation } = calibration(complete, 0);
    const limit = 5.2 + offset + 2 * deviation;
    expect(promoted(climbers(limit - 0.01, limit + 0.01), 0, 2, complete, 3)).toEqual(['a']);
    expect(promoted(climbers(limit + 0.01, limit + 0.02), 0, 2, complete, 3)).toEqual([]);
    expect(promoted(climbers(limit + 0.01, limit + 0.02), 0, 2, complete, 5)).toEqual(['a']);
  });

  it('lets all go on that are predicted to become the best', () => {
    const { offset } = calibration(complete, 0);
    const mark = 5.0 + offset;
    const three = climbers(mark - 0.03, mark - 0.02, mark - 0.01, mark + 0.01);
    expect(promoted(three, 0, 16, complete, 3)).toEqual(['a', 'b', 'c']);
  });
});
