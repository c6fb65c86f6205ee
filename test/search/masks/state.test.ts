import { describe, expect, it } from 'vitest';
import { MAX_POINTS } from '../../../src/search/lifecycle/thinnedLosses.ts';
import { bestCheckpoint, foldMaskEvent, newMaskState } from '../../../src/search/masks/state.ts';
import type { MaskState } from '../../../src/search/masks/state.ts';
import { maskPlan, maskProblem, simulateMasks } from './simulation.ts';
import type { MaskEvent, StepEvent } from '../../../src/search/masks/events.ts';

const problem = maskProblem(1);
const OPENED: MaskEvent = { kind: 'opened', ...problem.opening };
const ERROR = { code: 'internal', operation: 'a', expected: 'b', actual: 'c', remedy: 'D.' } as const;

function fold(events: readonly MaskEvent[], into = newMaskState()): MaskState {
  for (const [i, event] of events.entries()) foldMaskEvent(into, event, 1000 * i);
  return into;
}

const step = (at: number, losses: readonly (number | null)[], baseline: number | null = 2): StepEvent => ({
  ...{ kind: 'step', step: at, losses, baseline, seconds: 1 },
});

describe('the state of a search for masks', () => {
  it('follows a run', async () => {
    const { events, outcome } = await simulateMasks(maskPlan({ steps: 20, checkpoints: 4 }), problem);
    const state = fold([OPENED, ...events]);
    expect(state).toMatchObject({ status: 'running', steps: 20, stepsOfPoint: 1, leftOut: outcome.leftOut });
    expect(state.checkpoints.map((each) => each.step)).toEqual([0, 5, 10, 15, 20]);
    expect(state.latest).toBe(events.at(-1));
    expect(state.losses).toHaveLength(20);
    const best = bestCheckpoint(state)!;
    for (const { perplexity } of state.checkpoints) expect(best.perplexity).toBeLessThanOrEqual(perplexity!);
    fold([{ kind: 'finished', mask: outcome.mask, steps: 20, leftOut: 0 }], state);
    expect([state.status, state.finished?.mask]).toEqual(['finished', outcome.mask]);
  });

  it('leaves out what is not finite, and steps that it has', () => {
    const state = fold([OPENED, step(0, [null, 3]), step(1, [null, null], null), step(1, [9, 9]), step(2, [1, 2])]);
    expect(state.leftOut).toBe(3);
    expect(state.losses).toEqual([
      { step: 0, count: 1, loss: 3, baseline: 2 },
      { step: 1, count: 0, loss: null, baseline: null },
      { step: 2, count: 1, loss: 1.5, baseline: 2 },
    ]);
  });

  it('does not take a checkpoint twice', () => {
    const probabilities = { groups: '', channels: '' };
    const checkpoint = (at: number, perplexity: number | null): MaskEvent => ({
      ...{
        kind: 'probabilities',
        step: at,
        values: probabilities,
        baseline: null,
        perplexity,
        removed: 0.5,
        leftOut: 0,
      },
    });
    const state = fold([OPENED, checkpoint(0, 9), checkpoint(5, null), checkpoint(5, 3), checkpoint(10, 7)]);
    expect(state.checkpoints.map((each) => each.perplexity)).toEqual([9, null, 7]);
    expect(bestCheckpoint(state)?.step).toBe(10);
    expect(bestCheckpoint(newMaskState())).toBeUndefined();
  });

  it.each([MAX_POINTS, MAX_POINTS + 1, 3 * MAX_POINTS + 5])('thins %i steps, and loses none of them', (count) => {
    const state = fold(Array.from({ length: count }, (_, i) => step(i, i % 10 === 3 ? [null] : [i], i)));
    expect(state.losses.length).toBeLessThanOrEqual(MAX_POINTS);
    expect(state.losses.length).toBeGreaterThan(MAX_POINTS / 2 - 1);
    expect(state.losses.length).toBe(Math.ceil(count / state.stepsOfPoint));
    const finite = state.losses.reduce((sum, point) => sum + point.count, 0);
    const total = state.losses.reduce((sum, { loss, count: of }) => sum + (loss ?? 0) * of, 0);
    const expected = Array.from({ length: count }, (_, i) => i).filter((i) => i % 10 !== 3);
    expect(finite).toBe(expected.length);
    expect(total / expected.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    for (const [i, point] of state.losses.slice(0, -1).entries())
      expect(point.step).toBe((i + 1) * state.stepsOfPoint - 1);
    expect(state.losses.at(-1)!.step).toBe(count - 1);
    expect(state.steps).toBe(count);
  });

  it('is paused, goes on and fails', () => {
    const state = fold([OPENED, step(0, [1]), { kind: 'paused' }]);
    expect(state.status).toBe('paused');
    expect(fold([{ kind: 'resumed' }], state).status).toBe('running');
    fold([{ kind: 'failed', error: ERROR }], state);
    expect([state.status, state.error]).toEqual(['failed', ERROR]);
    fold([{ kind: 'finalist', name: 'masks' }], state);
    expect(state.finalists).toHaveLength(1);
  });
});
