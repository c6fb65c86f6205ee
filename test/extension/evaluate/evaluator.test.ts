import { describe, expect, it } from 'vitest';
import { cancelledError, EspalierError } from '../../../src/base/errors.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import type { EvaluationResult } from '../../../src/experiment/resultSchema.ts';
import { Evaluator } from '../../../src/extension/evaluate/evaluator.ts';
import type { Target } from '../../../src/extension/evaluate/evaluator.ts';
import type { RequestHooks } from '../../../src/protocol/requests.ts';
import { samplePlan, sampleResult } from '../../protocol/samples.ts';
import { settle } from '../fakeWorker.ts';

const target = (name: string): Target => ({ uri: 'file:///m.prune', name });

const failure = (code: 'device/failed' | 'metric/invalid-score') =>
  new EspalierError({ code, operation: 'a', expected: 'b', actual: 'c', remedy: 'd' });

/** An evaluator over an engine whose evaluations end when the test says so. */
function setUp(plans: readonly EvaluationPlan[] = [samplePlan()]) {
  const running: {
    plan: EvaluationPlan;
    hooks: RequestHooks;
    finish: (result?: EvaluationResult) => void;
    fail: (error: Error) => void;
  }[] = [];
  const kept: string[] = [];
  const planKeys = new Map<string, string>();
  let changes = 0;
  const evaluator = new Evaluator({
    plansOf: ({ name }) => (name === 'broken' ? Promise.reject(failure('device/failed')) : Promise.resolve(plans)),
    planKeyOf: ({ name }) => planKeys.get(name) ?? `key of ${name}`,
    confirm: ({ name }, _plan, { onProgress }) => {
      onProgress?.({ stage: 'reading', done: 0, total: 0, detail: 'reading the checkpoint' });
      return Promise.resolve(name !== 'declined');
    },
    keeper: ({ name }) => Promise.resolve((result) => kept.push(`${name}: ${result.metric} ${result.perplexity}`)),
    evaluate: (plan, hooks = {}) =>
      new Promise((resolve, reject) => {
        hooks.signal?.addEventListener('abort', () => {
          reject(cancelledError('evaluating'));
        });
        running.push({
          plan,
          hooks,
          finish: (result = sampleResult()) => {
            hooks.onResult?.(result, 0);
            resolve([result]);
          },
          fail: reject,
        });
      }),
    onChange: () => changes++,
  });
  return { evaluator, running, kept, planKeys, changes: () => changes };
}

describe('one evaluation', () => {
  it('runs, tells its progress, keeps its results', async () => {
    const { evaluator, running, kept } = setUp();
    const outcome = evaluator.evaluate(target('wanda'));
    expect(evaluator.activityOf(target('wanda'))).toEqual({ state: 'waiting' });
    await settle();
    const reading = { stage: 'reading', done: 0, total: 0, detail: 'reading the checkpoint' };
    expect(evaluator.activityOf(target('wanda'))).toEqual({ state: 'running', progress: reading });
    const progress = { stage: 'evaluating', done: 1, total: 6, detail: 'block 1 of 6' } as const;
    running[0]!.hooks.onProgress?.(progress);
    expect(evaluator.activityOf(target('wanda'))).toEqual({ state: 'running', progress });
    running[0]!.finish();
    expect(await outcome).toEqual({ kind: 'done' });
    expect(evaluator.activityOf(target('wanda'))).toBeUndefined();
    expect(kept).toEqual(['wanda: wanda 145.7123']);
  });

  it('that is declined when its cost is told is cancelled, and nothing runs', async () => {
    const { evaluator, running, kept } = setUp();
    expect(await evaluator.evaluate(target('declined'))).toEqual({ kind: 'cancelled' });
    expect([running, kept]).toEqual([[], []]);
  });

  it('asked for again while it runs is the same', async () => {
    const { evaluator, running } = setUp();
    const [one, two] = [evaluator.evaluate(target('wanda')), evaluator.evaluate(target('wanda'))];
    await settle();
    expect(running).toHaveLength(1);
    running[0]!.finish();
    expect(await Promise.all([one, two])).toEqual([{ kind: 'done' }, { kind: 'done' }]);
  });

  it('of several plans runs them one after the other, and stops at a failure', async () => {
    const { evaluator, running } = setUp([samplePlan(), samplePlan({ model: '/b' }), samplePlan({ model: '/c' })]);
    const outcome = evaluator.evaluate(target('halves'));
    await settle();
    running[0]!.finish();
    await settle();
    expect(running.map(({ plan }) => plan.model)).toEqual(['/models/tiny', '/b']);
    running[1]!.fail(failure('device/failed'));
    expect(await outcome).toMatchObject({ kind: 'failed', error: { code: 'device/failed' } });
    expect(running).toHaveLength(2);
  });
});

describe('several evaluations', () => {
  it('run in the order asked for; a failure does not stop the next', async () => {
    const { evaluator, running, kept } = setUp();
    const outcomes = ['a', 'b', 'c'].map((name) => evaluator.evaluate(target(name)));
    await settle();
    expect(evaluator.active.map(({ target: { name }, activity }) => `${name} ${activity.state}`)).toEqual([
      'a running',
      'b waiting',
      'c waiting',
    ]);
    running[0]!.fail(failure('device/failed'));
    await settle();
    running[1]!.finish();
    await settle();
    running[2]!.finish();
    expect((await Promise.all(outcomes)).map(({ kind }) => kind)).toEqual(['failed', 'done', 'done']);
    expect(kept).toHaveLength(2);
  });

  it('are cancelled one by one or all; one that waits goes at once and does not disturb the order', async () => {
    const { evaluator, running } = setUp();
    const outcomes = ['a', 'b', 'c', 'd'].map((name) => evaluator.evaluate(target(name)));
    await settle();
    evaluator.cancel(target('b'));
    expect(await outcomes[1]).toEqual({ kind: 'cancelled' });
    expect(running).toHaveLength(1);
    evaluator.cancel(target('a'));
    expect(await outcomes[0]).toEqual({ kind: 'cancelled' });
    await settle();
    expect(evaluator.active.map(({ target: { name }, activity }) => `${name} ${activity.state}`)).toEqual([
      'c running',
      'd waiting',
    ]);
    evaluator.cancel();
    expect(await Promise.all(outcomes.slice(2))).toEqual([{ kind: 'cancelled' }, { kind: 'cancelled' }]);
    expect(evaluator.active).toEqual([]);
    const next = evaluator.evaluate(target('e'));
    await settle();
    running.at(-1)!.finish();
    expect(await next).toEqual({ kind: 'done' });
  });
});

describe('a failure', () => {
  it('stays until the target means something else, or is evaluated again', async () => {
    const { evaluator, planKeys } = setUp();
    await evaluator.evaluate(target('broken'));
    expect(evaluator.failureOf(target('broken'))?.code).toBe('device/failed');
    planKeys.set('broken', 'another key');
    expect(evaluator.failureOf(target('broken'))).toBeUndefined();
    planKeys.delete('broken');
    expect(evaluator.failureOf(target('broken'))?.code).toBe('device/failed');
    void evaluator.evaluate(target('broken'));
    expect(evaluator.failureOf(target('broken'))).toBeUndefined();
  });

  it('is none where it was cancelled', async () => {
    const { evaluator } = setUp();
    const outcome = evaluator.evaluate(target('wanda'));
    await settle();
    evaluator.cancel(target('wanda'));
    await outcome;
    expect(evaluator.failureOf(target('wanda'))).toBeUndefined();
  });

  it('of one metric of an experiment is that metric’s, and goes with its next result', async () => {
    const { evaluator, running } = setUp();
    const outcome = evaluator.evaluate(target('halves'));
    await settle();
    running[0]!.hooks.onFailure?.(failure('metric/invalid-score').data, 0);
    expect(evaluator.failureOf(target('wanda'))?.code).toBe('metric/invalid-score');
    expect(evaluator.failureOf(target('halves'))).toBeUndefined();
    running[0]!.finish();
    await outcome;
    expect(evaluator.failureOf(target('wanda'))).toBeUndefined();
  });
});
