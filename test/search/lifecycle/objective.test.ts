import { describe, expect, it } from 'vitest';
import {
  denseText,
  fitnessAgainstDense,
  fitnessText,
  measuredText,
} from '../../../src/search/lifecycle/fitnessText.ts';
import {
  fitnessIn,
  fitnessOfLoss,
  lossOfFitness,
  measuredFitness,
  measuredIn,
} from '../../../src/search/lifecycle/objective.ts';
import { metricEventSchema } from '../../../src/search/metrics/schema.ts';
import { maskEventSchema } from '../../../src/search/masks/schema.ts';

const opening = {
  ...{ blocks: 1, denseLosses: [0], densePerplexity: 100, fingerprint: 'f' },
  ...{ device: 'cpu', parameters: 1, architecture: 'LlamaForCausalLM' },
};
const candidate = {
  ...{ kind: 'candidate', id: 0, generation: 0, operator: 'grow', parents: [], expression: 'W', size: 1, depth: 1 },
} as const;

describe('a fitness by tasks', () => {
  it('has the accuracy beside it where it is known', () => {
    expect(measuredText({ taskLoss: 1.25, accuracy: 0.4567 })).toBe('task loss 1.25 (acc 45.7)');
    expect(measuredText({ taskLoss: null })).toBeUndefined();
    expect(measuredIn({ taskLoss: 1.25, accuracy: 0.4567, perplexity: null })).toEqual({
      taskLoss: 1.25,
      accuracy: 0.4567,
    });
  });

  it.each([
    [1, 'dense 100.0, task loss 1.25 (acc 40.0) on 1 document · fitness: loss on the tasks, nats a document'],
    [12, 'dense 100.0, task loss 1.25 (acc 40.0) on 12 documents · fitness: loss on the tasks, nats a document'],
  ])('is told with the dense model, on %d', (blocks, text) => {
    const of = { objective: 'tasks', denseTaskLoss: 1.25, denseAccuracy: 0.4 } as const;
    expect(denseText({ ...opening, ...of, blocks })).toBe(text);
  });
});

describe('a fitness', () => {
  it.each([
    ['perplexity', 110, '110.0', '110.0 (+10 %)'],
    ['kl', 0.123456, 'KL 0.1235', 'KL 0.1235'],
    ['kl', 1e-9, 'KL 0', 'KL 0'],
    ['tasks', 1.375, 'task loss 1.375', 'task loss 1.375 (+10 %)'],
  ] as const)('by %s of %d is said as what it is', (objective, fitness, text, against) => {
    const opened = objective === 'perplexity' ? opening : { ...opening, objective, denseTaskLoss: 1.25 };
    expect(fitnessText(fitness, objective)).toBe(text);
    expect(fitnessAgainstDense(fitness, opened)).toBe(against);
    expect(measuredText(measuredFitness(fitness, objective))).toBe(text);
    expect(fitnessIn(measuredFitness(fitness, objective))).toBe(fitness);
    expect(fitnessOfLoss(lossOfFitness(fitness, objective), objective)).toBeCloseTo(fitness, 12);
  });

  it.each([
    ['a perplexity, as journals of before have it', { kind: 'full', perplexity: 12 }, true],
    ['a divergence', { kind: 'full', kl: 0.1 }, true],
    ['one of nothing, but for rounding', { kind: 'stopped', rung: 0, blocks: 1, kl: -1e-9 }, true],
    ['a loss on tasks', { kind: 'full', taskLoss: 1.25 }, true],
    ['one with the accuracy', { kind: 'full', taskLoss: 1.25, accuracy: 0.5 }, true],
    ['an accuracy alone', { kind: 'full', accuracy: 0.5 }, false],
    ['a loss on tasks and a divergence', { kind: 'full', taskLoss: 1.25, kl: 0.1 }, false],
    ['both', { kind: 'full', perplexity: 12, kl: 0.1 }, false],
    ['none', { kind: 'shared', of: 1, by: 'mask' }, false],
  ])('of a candidate may be %s', (_, outcome, isRight) => {
    expect(metricEventSchema.safeParse({ ...candidate, outcome }).success).toBe(isRight);
  });

  it('of a checkpoint of masks is null where it is not finite', () => {
    const event = { kind: 'probabilities', step: 0, baseline: null, removed: 0.1, leftOut: 0 };
    const values = { groups: '', channels: '' };
    for (const fitness of [
      ...[{ perplexity: null }, { perplexity: 3 }, { kl: null }, { kl: 0.2 }],
      ...[{ taskLoss: null }, { taskLoss: 1.2, accuracy: 0.3 }],
    ])
      expect(maskEventSchema.safeParse({ ...event, ...fitness, values }).success).toBe(true);
  });
});
