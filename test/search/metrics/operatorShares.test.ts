import { expect, it } from 'vitest';
import type { MetricEvent, VariationOperator, CandidateOutcome } from '../../../src/search/metrics/events.ts';
import { improvementOf, operatorShares } from '../../../src/search/metrics/operatorShares.ts';
import { foldMetricEvent, newMetricState } from '../../../src/search/metrics/state.ts';

const full = (perplexity: number): CandidateOutcome => ({ kind: 'full', perplexity });
const estimated = (perplexity: number): CandidateOutcome => ({ kind: 'stopped', rung: 0, blocks: 1, perplexity });

it('operators are told apart by what became the best, and by what beats its parents', () => {
  const made: [VariationOperator, readonly number[], CandidateOutcome][] = [
    ['grow', [], full(120)],
    ['grow', [], full(130)],
    // Better than one parent, and not than the other.
    ['crossover', [0, 1], full(125)],
    ['crossover', [1, 2], full(110)],
    // What is only estimated is no improvement.
    ['crossover', [0], estimated(90)],
    ['hoist', [4], full(100)],
    ['proposed', [], full(90)],
    ['proposed', [], { kind: 'shared', of: 6, by: 'mask', perplexity: 90 }],
    // A parent that cannot rank is beaten by whatever does.
    ['insert', [9], { kind: 'invalid', reason: 'constant', detail: '' }],
    ['hoist', [8], full(140)],
  ];
  const state = newMetricState();
  for (const [id, [operator, parents, outcome]] of made.entries()) {
    const about = { generation: 0, expression: 'W', size: 1, depth: 1 };
    const event: MetricEvent = { kind: 'candidate', id, operator, parents, outcome, ...about };
    foldMetricEvent(state, event, id);
  }
  const none = { candidates: 0, full: 0, betterThanParents: 0, improvements: 0 };
  expect(operatorShares(state)).toEqual([
    { operator: 'crossover', candidates: 3, full: 2, betterThanParents: 1, improvements: 1 },
    { operator: 'grow', candidates: 2, full: 2, betterThanParents: null, improvements: 1 },
    { operator: 'hoist', candidates: 2, full: 2, betterThanParents: 1, improvements: 1 },
    { operator: 'proposed', candidates: 2, full: 1, betterThanParents: null, improvements: 1 },
    { ...none, operator: 'insert', candidates: 1 },
  ]);
  expect(state.candidates.map(improvementOf(state))).toEqual([
    'best',
    undefined,
    undefined,
    'best',
    undefined,
    'best',
    'best',
    undefined,
    undefined,
    'parents',
  ]);
});
