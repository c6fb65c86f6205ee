import { expect, it } from 'vitest';
import { progressLine } from '../../../src/cli/reports/progressBar.ts';
import { timeLeft } from '../../../src/cli/reports/timeLeft.ts';
import type { EvaluationProgress } from '../../../src/experiment/resultSchema.ts';

type Seen = readonly [
  stage: EvaluationProgress['stage'],
  at: number,
  done: number,
  total: number,
  left: number | undefined,
];

it.each<[what: string, seen: readonly Seen[]]>([
  [
    'from the first step on, at the pace since then',
    [
      ['gradients', 100, 1, 11, undefined],
      ['gradients', 101, 2, 11, undefined],
      ['evaluating', 104, 5, 11, 6],
      ['evaluating', 124, 6, 11, 24],
      ['evaluating', 130, 11, 11, 0],
    ],
  ],
  [
    'not of a file that is read',
    [
      ['tokenising', 0, 1, 100, undefined],
      ['tokenising', 10, 50, 100, undefined],
      ['evaluating', 20, 1, 3, undefined],
      ['evaluating', 24, 2, 3, 4],
    ],
  ],
  [
    'of the next plan by itself',
    [
      ['evaluating', 0, 1, 3, undefined],
      ['evaluating', 10, 3, 3, 0],
      ['evaluating', 20, 1, 3, undefined],
      ['evaluating', 30, 2, 3, 10],
      ['evaluating', 40, 1, 9, undefined],
    ],
  ],
])('says what is left: %s', (_, seen) => {
  let at = 0;
  const left = timeLeft(() => at);
  for (const [stage, now, done, total, expected] of seen) {
    at = now;
    expect(left({ stage, done, total, detail: '' })).toEqual(expected);
  }
});

it('and the line has it before the detail', () => {
  const progress = { stage: 'evaluating', done: 1, total: 2, detail: 'block 3' } as const;
  expect(progressLine(progress, 200, 90)).toMatch(/50 % {2}90\.0 s left {2}block 3$/);
  expect(progressLine(progress, 200)).toMatch(/50 % {2}block 3$/);
});
