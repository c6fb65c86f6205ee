import { describe, expect, test } from 'vitest';
import { OrderedReport } from '../../../src/cli/reports/orderedReport.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import { samplePlan, sampleResult } from '../../protocol/samples.ts';

/** What becomes of evaluation `index` of plan `plan`: `1/0` a result, `1/0!` a failure. */
type Step = `${number}/${number}${'' | '!'}`;

const CASES: readonly [name: string, counts: readonly number[], came: readonly Step[], told: readonly string[]][] = [
  ['as they come', [2, 1], ['0/0', '0/1', '1/0'], ['begin 0', '0/0', '0/1', 'end', 'begin 1', '1/0', 'end']],
  ['one that is early waits', [3], ['0/2', '0/0!', '0/1'], ['begin 0', '0/0!', '0/1', '0/2', 'end']],
  ['so does a plan', [1, 2], ['1/1', '1/0', '0/0'], ['begin 0', '0/0', 'end', 'begin 1', '1/0', '1/1', 'end']],
  [
    'a plan without evaluations has one result',
    [0, 1],
    ['1/0', '0/0'],
    ['begin 0', '0/0', 'end', 'begin 1', '1/0', 'end'],
  ],
  [
    'what is there at the end is told, with gaps',
    [3, 2],
    ['1/1', '0/2', '0/1!'],
    ['begin 0', '0/1!', '0/2', 'begin 1', '1/1'],
  ],
  ['of a plan that nothing came of nothing is told', [2, 1, 1], ['2/0'], ['begin 0', 'begin 2', '2/0']],
];

describe('results of several plans', () => {
  test.each(CASES)('%s', (_, counts, came, expected) => {
    const told: string[] = [];
    const plans = counts.map((count, plan) => planOf(plan, count));
    const report = new OrderedReport(plans, {
      begin: (plan) => told.push(`begin ${plan.model}`),
      result: ({ metric }) => told.push(metric),
      failure: ({ metric }) => told.push(`${metric}!`),
      end: () => told.push('end'),
    });
    for (const step of came) {
      const [plan, index] = step.replace('!', '').split('/').map(Number) as [number, number];
      if (step.endsWith('!')) report.failure(plan, index, FAILURE);
      else report.result(plan, index, { ...sampleResult(), metric: step }, []);
    }
    report.end();
    expect(told).toEqual(expected);
    expect(report.code).toBe(came.some((step) => step.endsWith('!')) ? 1 : 0);
  });
});

const FAILURE = { code: 'metric/invalid-score', operation: '', expected: '', actual: '', remedy: '' } as const;

function planOf(plan: number, count: number): EvaluationPlan {
  const [evaluation] = samplePlan().evaluations;
  return {
    ...samplePlan(),
    model: String(plan),
    evaluations: Array.from({ length: count }, (_, index) => ({ ...evaluation!, metric: `${plan}/${index}` })),
  };
}
