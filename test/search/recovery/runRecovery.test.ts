import { describe, expect, it } from 'vitest';
import type { Recovery } from '../../../src/experiment/recovery.ts';
import type { RecoveryEvent } from '../../../src/search/recovery/events.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { recoveryProblem, simulate } from './simulation.ts';

function ofKind<Kind extends RecoveryEvent['kind']>(events: readonly RecoveryEvent[], kind: Kind) {
  return events.filter((event): event is Extract<RecoveryEvent, { kind: Kind }> => event.kind === kind);
}

const stopped = (events: readonly RecoveryEvent[]) =>
  ofKind(events, 'stopped').map(({ step, reason }) => [step, reason]);

describe('the loop of a recovery', () => {
  it('keeps the state that does best on the held-out text, and not the last', async () => {
    const { outcome, events } = await simulate(recoveryProblem());
    expect(outcome).toMatchObject({ steps: 120, kept: 60, loss: 3.5 });
    expect(outcome.state).toMatch(/^[0-9a-f]{64}$/);
    expect(ofKind(events, 'validated').map(({ step, isBest }) => [step, isBest])).toEqual([
      [20, true],
      [40, true],
      [60, true],
      [80, false],
      [100, false],
      [120, false],
    ]);
    expect(stopped(events)).toEqual([[120, 'steps']]);
  });

  it('keeps what there was before where nothing is better, the earliest of equal ones', async () => {
    expect((await simulate(recoveryProblem({ before: 3.5 }))).outcome).toMatchObject({
      kept: 0,
      state: null,
      loss: 3.5,
    });
    const flat = recoveryProblem({ heldOutAt: () => 3.9 });
    expect((await simulate(flat)).outcome).toMatchObject({ kept: 20, loss: 3.9 });
  });

  it.each<readonly [what: string, Partial<Recovery>, ReturnType<typeof recoveryProblem>, unknown[], best: number]>([
    ['patience', { patience: 2 }, recoveryProblem(), [100, 'patience'], 60],
    ['patience that is not used up', { patience: 4 }, recoveryProblem(), [120, 'steps'], 60],
    [
      'a loss that is not finite',
      {},
      recoveryProblem({ lossAt: (step) => (step === 47 ? null : 3) }),
      [47, 'not-finite'],
      40,
    ],
    ['a first loss that is not finite', {}, recoveryProblem({ lossAt: () => null }), [0, 'not-finite'], 0],
    [
      'a held-out loss that is not finite',
      {},
      recoveryProblem({ heldOutAt: (step) => (step === 40 ? null : 3) }),
      [40, 'not-finite'],
      20,
    ],
    [
      'a held-out loss that runs away',
      {},
      recoveryProblem({ heldOutAt: (step) => (step < 40 ? 3.9 : 5.1) }),
      [40, 'diverged'],
      20,
    ],
    [
      'a training loss that runs away between two looks',
      { every: 100 },
      recoveryProblem({ lossAt: (step) => 3 + step / 20 }),
      [50, 'diverged'],
      0,
    ],
    [
      'a held-out loss before that was not finite',
      {},
      recoveryProblem({ before: null, heldOutAt: () => 50 }),
      [120, 'steps'],
      20,
    ],
  ])('ends by %s', async (_, recovery, problem, end, best) => {
    const { outcome, events } = await simulate(problem, recovery);
    expect(stopped(events)).toEqual([end]);
    expect(outcome).toMatchObject({ kept: best, steps: end[0] });
    expect(ofKind(events, 'stopped')[0]!.detail).not.toBe('');
  });

  it('trains in portions that end where it looks at the held-out text, none longer than 50 steps', async () => {
    const { events } = await simulate(recoveryProblem(), { steps: 130, every: 60 });
    expect(ofKind(events, 'trained').map(({ from, to }) => [from, to])).toEqual([
      [0, 50],
      [50, 60],
      [60, 110],
      [110, 120],
      [120, 130],
    ]);
    expect(ofKind(events, 'validated').map(({ step }) => step)).toEqual([60, 120, 130]);
  });

  it('says the learning rate of the last step of each portion', async () => {
    const { events } = await simulate(recoveryProblem(), {
      rate: 1,
      warmup: 40,
      schedule: 'cosine',
      steps: 120,
      every: 20,
    });
    const rates = ofKind(events, 'trained').map(({ rate }) => Number(rate.toFixed(4)));
    const cosine = (step: number): number => Number(((1 + Math.cos((Math.PI * (step - 40)) / 80)) / 2).toFixed(4));
    expect(rates).toEqual([0.5, 1, cosine(59), cosine(79), cosine(99), cosine(119)]);
  });

  it('stops between two questions when it is cancelled', async () => {
    const controller = new AbortController();
    const problem = recoveryProblem({
      heldOutAt: () => {
        controller.abort();
        return 3;
      },
    });
    expect((await failureOf(() => simulate(problem, {}, controller.signal))).code).toBe('cancelled');
  });
});
