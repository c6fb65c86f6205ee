import { describe, expect, it } from 'vitest';
import { comparedRow, median, rowJson, rowTable, verdict } from '../../bench/report.ts';
import type { Goal, Row } from '../../bench/report.ts';

describe('median', () => {
  it.each([
    [[3], 3],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('%j → %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

const GOAL: Goal = { of: 'ratio', bar: 1.6, stretch: 2.3 };

describe('comparedRow', () => {
  it('takes the median of the ratios of rounds, not the ratio of the medians', () => {
    // Ratios 2, 1, 10: the round in which the machine was busy for one side alone does not decide.
    const row = comparedRow('work', 's', [1, 2, 1], [2, 2, 10], GOAL);
    expect(row).toEqual({ work: 'work', ours: 1, peer: 2, ratio: 2, unit: 's', best: 2, goal: GOAL, range: [1, 10] });
  });

  it('without a peer there is no ratio', () => {
    expect(comparedRow('work', 's', [1.5, 2.5], undefined)).toEqual({
      ...{ work: 'work', ours: 2, peer: null, ratio: null, unit: 's', range: [1.5, 2.5] },
    });
  });
});

describe('verdict', () => {
  const row = (change: Partial<Row>): Row => ({
    work: 'w',
    ours: 1,
    peer: 1,
    ratio: 1,
    unit: 's',
    goal: GOAL,
    ...change,
  });
  const limit: Goal = { of: 'ours', bar: 3, stretch: 1 };
  it.each<[string, Partial<Row>]>([
    ['miss', { ratio: 1.59 }],
    ['pass', { ratio: 1.6 }],
    ['stretch', { ratio: 2.3 }],
    ['not measured', { ratio: null }],
    ['miss', { ours: 3.1, goal: limit }],
    ['pass', { ours: 3, goal: limit }],
    ['stretch', { ours: 0.9, goal: limit }],
  ])('%s: %j', (expected, change) => {
    expect(verdict(row(change))).toBe(expected);
  });

  it('is printed in both forms', () => {
    const missed = row({ ratio: 1.5 });
    expect(JSON.parse(rowJson(missed))).toMatchObject({
      work: 'w',
      ours: 1,
      peer: 1,
      ratio: 1.5,
      unit: 's',
      verdict: 'miss',
    });
    expect(rowTable([missed])).toMatchInlineSnapshot(`
      "work  ours  peer  unit  ratio  best  range  bar (stretch)
      w     1.00  1.00  s      1.50     –         ≥ 1.6 (2.3)    miss"
    `);
  });
});
