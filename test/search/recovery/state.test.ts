import { describe, expect, it } from 'vitest';
import { MAX_POINTS } from '../../../src/search/lifecycle/thinnedLosses.ts';
import type { TrainedEvent } from '../../../src/search/recovery/events.ts';
import { bestValidation, foldRecoveryEvent, newRecoveryState } from '../../../src/search/recovery/state.ts';
import { recoveryEventSchema } from '../../../src/search/recovery/schema.ts';
import { recoveryProblem, simulate } from './simulation.ts';

describe('the state of a recovery', () => {
  it('folds what is told, twice or once alike', async () => {
    const problem = recoveryProblem();
    const { events, outcome } = await simulate(problem);
    const state = newRecoveryState();
    foldRecoveryEvent(state, { kind: 'opened', ...problem.opening }, 1000);
    for (const event of events) foldRecoveryEvent(state, event, 2000);
    for (const event of events) foldRecoveryEvent(state, event, 3000);
    expect(state).toMatchObject({ steps: 120, status: 'running', stopped: { reason: 'steps' } });
    expect(state.losses.map(({ step, loss }) => [step, loss])).toEqual(
      Array.from({ length: 120 }, (_, i) => [i + 1, problem.lossAt(i)]),
    );
    expect(state.validations.map(({ step }) => step)).toEqual([0, 20, 40, 60, 80, 100, 120]);
    expect(bestValidation(state)).toMatchObject({ step: outcome.kept, loss: outcome.loss });
    expect(state.seconds.training).toBeCloseTo(12);
    expect(state.seconds.looking).toBeCloseTo(1.2);
    foldRecoveryEvent(state, { kind: 'finished', ...outcome }, 4000);
    expect(state).toMatchObject({ status: 'finished', finished: { kept: 60 } });
  });

  it('says that there was no better one where there was none', async () => {
    const problem = recoveryProblem({ before: 3.5 });
    const state = newRecoveryState();
    foldRecoveryEvent(state, { kind: 'opened', ...problem.opening }, 1);
    for (const event of (await simulate(problem)).events) foldRecoveryEvent(state, event, 1);
    expect(bestValidation(state)).toEqual({ step: 0, loss: 3.5, perplexity: Math.exp(3.5), isBest: true });
  });

  it.each([MAX_POINTS, MAX_POINTS + 1, 3 * MAX_POINTS + 5])('thins %i steps, and loses none of them', (count) => {
    const state = newRecoveryState();
    for (let from = 0; from < count; from += 50) {
      const to = Math.min(count, from + 50);
      const losses = Array.from({ length: to - from }, (_, i) => ((from + i) % 3 === 0 ? null : from + i));
      const event: TrainedEvent = { kind: 'trained', from, to, losses, state: null, seconds: 1, rate: 1 };
      foldRecoveryEvent(state, event, 1);
    }
    expect(state.losses.length).toBeLessThanOrEqual(MAX_POINTS);
    expect(state.losses.reduce((sum, point) => sum + point.count, 0)).toBe(count - Math.ceil(count / 3));
    expect(state.losses.at(-1)!.step).toBe(count);
    const total = state.losses.reduce((sum, { loss, count: of }) => sum + (loss ?? 0) * of, 0);
    const expected = Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 0 : i)).reduce((a, b) => a + b, 0);
    expect(total / expected).toBeCloseTo(1, 12);
  });

  it('is made of events that a journal takes', async () => {
    const { events } = await simulate(recoveryProblem({ lossAt: (step) => (step === 47 ? null : 3) }));
    for (const event of events) expect(recoveryEventSchema.parse(event)).toEqual(event);
  });
});
