import { describe, expect, it } from 'vitest';
import { cancelledError, EspalierError } from '../../../src/base/errors.ts';
import { HISTOGRAM_BINS } from '../../../src/experiment/inspectionSchema.ts';
import type { MetricInspection } from '../../../src/experiment/inspectionSchema.ts';
import { asRanked } from '../../../src/experiment/planned.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import type { EvaluationProgress } from '../../../src/experiment/resultSchema.ts';
import type { ToTree, TreeTarget } from '../../../src/view/treeMessages.ts';
import { TreeSession } from '../../../src/extension/tree/treeSession.ts';
import { compile } from '../../../src/language/check/compile.ts';
import type { OutlineRange } from '../../../src/language/server/messages.ts';
import { metricTree } from '../../../src/language/server/tree.ts';
import { printPrefix } from '../../../src/metric/print.ts';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { samplePlan } from '../../protocol/samples.ts';
import { FakeClock, settle } from '../fakeWorker.ts';

const URI = 'file:///m.prune';
const metric = (name: string): TreeTarget => ({ kind: 'metric', uri: URI, name });

interface Asked {
  readonly of: string;
  readonly tensor: string | null;
  readonly model: string;
  readonly onProgress: (progress: EvaluationProgress) => void;
  readonly answer: () => Promise<void>;
  readonly fail: (error: Error) => Promise<void>;
  readonly isCancelled: () => boolean;
}

/** A session over the real language, and over an engine that answers when the test says so. */
async function setUp(text: string, name = 'm', given: { trusted?: boolean; evaluating?: boolean } = {}) {
  const world = {
    text,
    version: 1,
    trusted: true,
    evaluating: false,
    plan: samplePlan() as EvaluationPlan | undefined,
  };
  Object.assign(world, given);
  const posted: ToTree[] = [];
  const asked: Asked[] = [];
  const revealed: { range: OutlineRange; version: number; focus: boolean }[] = [];
  const clock = new FakeClock();
  const noPlan = new EspalierError({
    ...{ code: 'settings/invalid', operation: 'planning', expected: 'a model', actual: 'none', remedy: 'Name one.' },
  });
  const session = new TreeSession(
    {
      treeOf: (target) => {
        const source = TextDocument.create(URI, 'prune', world.version, world.text);
        return Promise.resolve(metricTree(compile(world.text), source, target.name));
      },
      plansOf: () => (world.plan ? Promise.resolve([world.plan]) : Promise.reject(noPlan)),
      inspect: ({ plan, tensor }, { onProgress, signal } = {}) =>
        new Promise((resolve, reject) => {
          const of = printPrefix(asRanked(plan.evaluations[0]!, 'inspecting').expression);
          signal!.addEventListener('abort', () => {
            reject(cancelledError('inspecting'));
          });
          asked.push({
            ...{ of, tensor, model: plan.model, onProgress: onProgress!, isCancelled: () => signal!.aborted },
            answer: () => (resolve(inspection(tensor ?? 'first')), settle()),
            fail: (error) => (reject(error), settle()),
          });
        }),
      isTrusted: () => world.trusted,
      isEvaluating: () => world.evaluating,
      reveal: (_, range, version, focus) => revealed.push({ range, version, focus }),
      nameOf: () => 'm.prune',
      post: (message) => posted.push(message),
      clock,
    },
    metric(name),
  );
  await session.show(metric(name));
  const last = <Kind extends ToTree['kind']>(kind: Kind): Extract<ToTree, { kind: Kind }> =>
    posted.findLast((message): message is Extract<ToTree, { kind: Kind }> => message.kind === kind)!;
  return {
    ...{ world, session, clock, posted, asked, revealed },
    type: async (changed: string) => {
      world.text = changed;
      world.version++;
      session.documentChanged(URI);
      await clock.pass(1000);
    },
    metric: () => last('metric').metric,
    statistics: () => last('statistics').statistics,
    cursor: () => last('cursor').node,
  };
}

function inspection(tensor: string): MetricInspection {
  const node = {
    minimum: 0,
    maximum: 1,
    mean: 0.5,
    nonFinite: 0,
    histogram: new Array<number>(HISTOGRAM_BINS).fill(1),
  };
  return { tensor, shape: [4, 6], tensors: ['first', 'second'], nodes: [{ path: [], shape: [4, 6], ...node }] };
}

const at = (line: number, character: number): OutlineRange => ({
  start: { line, character },
  end: { line, character },
});

describe('the tree', () => {
  it('follows the text, and keeps the last good one while the text has a mistake', async () => {
    const { metric, type } = await setUp('metric m = mms(W)');
    expect(metric()).toMatchObject({ condition: 'current', file: 'm.prune', form: 'written' });
    expect(metric().steps).toEqual([]);
    await type('metric m = mms(W');
    expect(metric().condition).toBe('stale');
    expect(printPrefix(metric().tree!.expression)).toBe('mms(W)');
    await type('metric m = mms(W) + X');
    expect(metric().condition).toBe('current');
    expect(printPrefix(metric().tree!.expression)).toBe('add(mms(W), X)');
  });

  it('asks once for many keystrokes', async () => {
    const { session, posted, clock } = await setUp('metric m = W');
    const before = posted.length;
    for (let i = 0; i < 20; i++) {
      session.documentChanged(URI);
      await clock.pass(10);
    }
    await clock.pass(1000);
    expect(posted.slice(before).filter(({ kind }) => kind === 'metric')).toHaveLength(1);
  });

  it('of a metric that never was is missing', async () => {
    const { metric } = await setUp('metric n = W');
    expect(metric()).toMatchObject({ condition: 'missing', tree: null });
  });

  it('of another metric shows nothing of the one before', async () => {
    const { session, metric } = await setUp('metric m = W\nmetric broken = W *\nmetric n = X');
    await session.show({ kind: 'metric', uri: URI, name: 'broken' });
    expect(metric()).toMatchObject({ condition: 'missing', tree: null });
    await session.show({ kind: 'metric', uri: URI, name: 'n' });
    expect(metric()).toMatchObject({ condition: 'current' });
  });

  it('of an answer that comes too late is not shown', async () => {
    const { session, world, metric } = await setUp('metric m = W\nmetric n = X');
    const late = session.show({ kind: 'metric', uri: URI, name: 'n' });
    await session.show({ kind: 'metric', uri: URI, name: 'm' });
    await late;
    expect(world.version).toBe(1);
    expect(metric().target).toEqual({ kind: 'metric', uri: URI, name: 'm' });
    expect(printPrefix(metric().tree!.expression)).toBe('W');
  });
});

describe('cursor and nodes', () => {
  it('the cursor outlines its node, in the form that is shown', async () => {
    const { session, cursor } = await setUp('metric m = mms(W * X)');
    session.cursor(at(0, 20));
    expect(cursor()).toBe(3);
    session.receive({ kind: 'form', form: 'canonical' });
    // Without mms the numbers are one less.
    expect(cursor()).toBe(2);
    session.cursor(undefined);
    expect(cursor()).toBeNull();
  });

  it('a node that is picked selects its text of that version, and stays outlined', async () => {
    const { session, revealed, cursor, type } = await setUp('metric m = mms(W * X)');
    session.receive({ kind: 'select', node: 1, focus: false });
    expect(revealed).toEqual([
      { range: { start: { line: 0, character: 15 }, end: { line: 0, character: 20 } }, version: 1, focus: false },
    ]);
    expect(cursor()).toBe(1);
    await type('\nmetric m = mms(W * X)');
    session.receive({ kind: 'select', node: 3, focus: true });
    expect(revealed[1]).toEqual({
      ...{ version: 2, focus: true },
      range: { start: { line: 1, character: 19 }, end: { line: 1, character: 20 } },
    });
  });

  it('nothing is selected in a text that the tree is not of', async () => {
    const { session, revealed, type, cursor } = await setUp('metric m = mms(W * X)');
    await type('metric m = mms(W * X');
    session.receive({ kind: 'select', node: 1, focus: false });
    expect(revealed).toEqual([]);
    session.cursor(at(0, 16));
    expect(cursor()).toBeNull();
  });

  it('a page that is loaded later gets all that there is', async () => {
    const { session, posted } = await setUp('metric m = mms(W * X)');
    session.cursor(at(0, 20));
    posted.length = 0;
    session.receive({ kind: 'ready' });
    expect(posted.map(({ kind }) => kind)).toEqual(['metric', 'statistics', 'cursor']);
  });
});

describe('statistics', () => {
  it('wait until they are asked for, and say how', async () => {
    const { session, asked, statistics } = await setUp('metric m = W * X');
    expect(statistics()).toMatchObject({ kind: 'off', action: 'inspect' });
    expect(asked).toHaveLength(0);
    session.receive({ kind: 'inspect' });
    await settle();
    expect(asked[0]).toMatchObject({ of: 'mul(W, X)', tensor: null, model: '/models/tiny' });
    asked[0]!.onProgress({ stage: 'evaluating', done: 1, total: 2, detail: 'calibrating, block 1 of 6' });
    expect(statistics()).toMatchObject({ kind: 'running', text: 'calibrating, block 1 of 6 …' });
    await asked[0]!.answer();
    expect(statistics()).toMatchObject({ kind: 'shown', inspected: { of: 'mul(W, X)', model: '/models/tiny' } });
  });

  it('come after an evaluation of the metric, once the worker is free', async () => {
    const { session, asked, world, statistics } = await setUp('metric m = W');
    world.evaluating = true;
    session.evaluated({ uri: URI, name: 'another' });
    await settle();
    expect(statistics().kind).toBe('off');
    session.evaluated({ uri: URI, name: 'm' });
    await settle();
    expect(statistics()).toMatchObject({ kind: 'running', text: 'after the evaluation …' });
    session.lookAgain();
    await settle();
    expect(asked).toHaveLength(0);
    world.evaluating = false;
    session.lookAgain();
    await settle();
    expect(asked).toHaveLength(1);
  });

  it('follow the text, the form, the metric and the layer; what is no longer wanted is cancelled', async () => {
    const { session, asked, type, statistics } = await setUp('metric m = mms(W)\nmetric n = X');
    session.receive({ kind: 'inspect' });
    await settle();
    await type('metric m = mms(W * X)\nmetric n = X');
    expect(asked.map(({ of }) => of)).toEqual(['mms(W)', 'mms(mul(W, X))']);
    expect(asked[0]!.isCancelled()).toBe(true);
    expect(statistics().kind).toBe('running');
    await asked[1]!.answer();
    session.receive({ kind: 'form', form: 'canonical' });
    await settle();
    expect(asked[2]).toMatchObject({ of: 'mul(W, X)', tensor: 'first' });
    await asked[2]!.answer();
    session.receive({ kind: 'layer', tensor: 'second' });
    await settle();
    expect(asked[3]).toMatchObject({ of: 'mul(W, X)', tensor: 'second' });
    // Numbers of the layer before stand meanwhile.
    expect(statistics()).toMatchObject({
      kind: 'running',
      before: { of: 'mul(W, X)', inspection: { tensor: 'first' } },
    });
    await asked[3]!.answer();
    await session.show(metric('n'));
    await settle();
    expect(asked[4]).toMatchObject({ of: 'X', tensor: 'second' });
  });

  it('are not asked for again while nothing has changed', async () => {
    const { session, asked, type } = await setUp('metric m = W');
    session.receive({ kind: 'inspect' });
    await settle();
    await asked[0]!.answer();
    await type('/// documented\nmetric m = W');
    session.evaluated({ uri: URI, name: 'm' });
    await settle();
    expect(asked).toHaveLength(1);
  });

  it('of another checkpoint begin at its first layer', async () => {
    const { session, asked, world, type } = await setUp('metric m = W');
    session.receive({ kind: 'inspect' });
    await settle();
    await asked[0]!.answer();
    world.plan = samplePlan({ model: '/models/other' });
    await type('metric m = W ');
    expect(asked[1]).toMatchObject({ model: '/models/other', tensor: null });
  });

  it('that fail say why, and are not asked for until someone does', async () => {
    const { session, asked, statistics, type, world } = await setUp('metric m = W');
    world.plan = undefined;
    session.receive({ kind: 'inspect' });
    await settle();
    expect(statistics()).toMatchObject({ kind: 'failed', error: { code: 'settings/invalid', remedy: 'Name one.' } });
    await type('metric m = W * X');
    expect(statistics().kind).toBe('failed');
    world.plan = samplePlan();
    session.receive({ kind: 'inspect' });
    await settle();
    await asked[0]!.fail(new Error('out of luck'));
    expect(statistics()).toMatchObject({ kind: 'failed', error: { code: 'internal' } });
  });

  it('stop when they are stopped', async () => {
    const { session, asked, statistics } = await setUp('metric m = W');
    session.receive({ kind: 'inspect' });
    await settle();
    session.receive({ kind: 'stop' });
    await settle();
    expect(asked[0]!.isCancelled()).toBe(true);
    expect(statistics()).toMatchObject({ kind: 'off', action: 'inspect' });
  });

  it('of the last good tree stay while the text has a mistake', async () => {
    const { session, asked, statistics, type } = await setUp('metric m = W');
    session.receive({ kind: 'inspect' });
    await settle();
    await asked[0]!.answer();
    await type('metric m = W *');
    expect(statistics().kind).toBe('shown');
    expect(asked).toHaveLength(1);
  });

  it('need trust, and come when it is given', async () => {
    const { session, asked, statistics, world } = await setUp('metric m = W', 'm', { trusted: false });
    session.receive({ kind: 'inspect' });
    await settle();
    expect(statistics()).toMatchObject({ kind: 'off', action: 'trust' });
    world.trusted = true;
    session.lookAgain();
    await settle();
    expect(asked).toHaveLength(1);
  });

  it('of a formula are taken on the plan that comes with it', async () => {
    const { session, asked, statistics, metric } = await setUp('metric m = W');
    const plan = samplePlan({ model: '/models/searched' });
    await session.show({ kind: 'formula', title: 'search #7', expression: { kind: 'operand', name: 'X' }, plan });
    expect(metric()).toMatchObject({ condition: 'current', file: null });
    expect(statistics()).toMatchObject({ kind: 'off', action: 'inspect' });
    session.receive({ kind: 'inspect' });
    await settle();
    expect(asked[0]).toMatchObject({ of: 'X', model: '/models/searched' });
  });

  it('end with the preview', async () => {
    const { session, asked, posted } = await setUp('metric m = W');
    session.receive({ kind: 'inspect' });
    await settle();
    session.dispose();
    const before = posted.length;
    await settle();
    expect(asked[0]!.isCancelled()).toBe(true);
    expect(posted).toHaveLength(before);
  });
});
