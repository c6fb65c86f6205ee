import { describe, expect, it } from 'vitest';
import type { EvaluationPlan } from '../../src/experiment/planSchema.ts';
import { Outlines } from '../../src/extension/outlines.ts';
import type { OutlineDeclaration, PlanResult } from '../../src/language/server/messages.ts';
import { samplePlan } from '../protocol/samples.ts';

const URI = 'file:///m.prune';
const place = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };

const metric = (name: string, planKey?: string): OutlineDeclaration => ({
  kind: 'metric',
  name,
  range: place,
  nameRange: place,
  evaluable: planKey !== undefined,
  ...(planKey !== undefined && { planKey }),
});

function setUp() {
  const asked: string[] = [];
  const changed: string[] = [];
  const state = { fallback: {}, answer: (): Promise<PlanResult> => Promise.resolve({ plans: [samplePlan()] }) };
  const outlines = new Outlines({
    requestPlans: ({ name }) => {
      asked.push(name ?? '');
      return state.answer();
    },
    fallbackFor: () => state.fallback,
    onChange: (uri) => changed.push(uri),
  });
  const update = (...declarations: OutlineDeclaration[]): void => {
    outlines.update({ uri: URI, version: 1, head: 0, declarations, tail: 0, lines: 0 });
  };
  return { outlines, asked, changed, state, update };
}

const plansOf = (plans: readonly EvaluationPlan[] | string) =>
  typeof plans === 'string' ? plans : plans.map(({ model }) => model);

describe('the plans of a document', () => {
  it('are asked for once, until what the target means or the settings change', async () => {
    const { outlines, asked, state, update } = setUp();
    const target = { uri: URI, name: 'wanda' };
    update(metric('wanda', 'k1'));
    expect(outlines.knownPlans(target)).toBe('unknown');
    await outlines.learnPlans([target]);
    await outlines.learnPlans([target]);
    expect(plansOf(outlines.knownPlans(target))).toEqual(['/models/tiny']);
    expect(asked).toHaveLength(1);
    update(metric('wanda', 'k2'));
    await outlines.learnPlans([target]);
    state.fallback = { model: '/other' };
    await outlines.learnPlans([target]);
    expect(asked).toHaveLength(3);
  });

  it('stand while a change is being asked about, and give way to its answer', async () => {
    const { outlines, state, update } = setUp();
    const target = { uri: URI, name: 'wanda' };
    update(metric('wanda', 'k1'));
    await outlines.learnPlans([target]);
    update(metric('wanda', 'k2'));
    state.answer = () => Promise.resolve({ plans: [samplePlan({ model: '/new' })] });
    expect(plansOf(outlines.knownPlans(target))).toEqual(['/models/tiny']);
    await outlines.learnPlans([target]);
    expect(plansOf(outlines.knownPlans(target))).toEqual(['/new']);
  });

  it('that come after the next change are not taken for it', async () => {
    const { outlines, state, update } = setUp();
    const target = { uri: URI, name: 'wanda' };
    update(metric('wanda', 'k1'));
    state.answer = () => {
      update(metric('wanda', 'k2'));
      return Promise.resolve({ plans: [samplePlan()] });
    };
    await outlines.learnPlans([target]);
    expect(outlines.knownPlans(target)).toBe('unknown');
  });

  it('are none where the target has a mistake or cannot be planned', async () => {
    const { outlines, state, update } = setUp();
    update(metric('broken'), metric('open', 'k'));
    expect(outlines.knownPlans({ uri: URI, name: 'broken' })).toBe('none');
    expect(outlines.knownPlans({ uri: URI, name: 'absent' })).toBe('none');
    state.answer = () =>
      Promise.resolve({ error: { code: 'settings/invalid', operation: 'a', expected: 'b', actual: 'c', remedy: 'd' } });
    await outlines.learnPlans([{ uri: URI, name: 'open' }]);
    expect(outlines.knownPlans({ uri: URI, name: 'open' })).toBe('none');
    await expect(outlines.plans({ uri: URI, name: 'open' })).rejects.toMatchObject({ code: 'settings/invalid' });
  });

  it('of a closed document are forgotten', async () => {
    const { outlines, update } = setUp();
    update(metric('wanda', 'k1'));
    await outlines.learnPlans([{ uri: URI, name: 'wanda' }]);
    outlines.forget(URI);
    expect(outlines.has(URI)).toBe(false);
    expect(outlines.knownPlans({ uri: URI, name: 'wanda' })).toBe('none');
  });
});
