import { beforeAll, describe, expect, it } from 'vitest';
import { bestConfiguration, foldRateEvent, improvementsByLlm, newRateState } from '../../../src/search/rates/state.ts';
import type { RateState } from '../../../src/search/rates/state.ts';
import { imperfectModel } from './selfPruner/imperfectModel.ts';
import { rateProblem, ratePlan, simulateRates } from './simulation.ts';
import type { RateRun } from './simulation.ts';
import { rateEventSchema } from '../../../src/search/rates/schema.ts';
import { isComplete } from '../../../src/search/lifecycle/outcome.ts';
import type { RateCandidate, RateEvent } from '../../../src/search/rates/events.ts';

const problem = rateProblem(3);
const OPENED: RateEvent = { kind: 'opened', ...problem.opening };
const ERROR = { code: 'internal', operation: 'asking', expected: 'a', actual: 'b', remedy: 'C.' } as const;

function fold(events: readonly RateEvent[], times?: readonly number[]): RateState {
  const state = newRateState();
  for (const [i, event] of events.entries()) foldRateEvent(state, event, times?.[i] ?? 1000 * i);
  return state;
}

describe('the state of a search for rates', () => {
  let run: RateRun;
  let state: RateState;
  beforeAll(async () => {
    const plan = ratePlan({ generations: 5, seed: 2 }, { provider: 'openai' });
    run = await simulateRates(plan, problem, { reply: (request) => imperfectModel(request, 8, 0.3) });
    state = fold([OPENED, ...run.events]);
  });

  it('is what the loop itself counts and ranks', () => {
    expect(state.counts).toEqual(run.outcome.counts);
    expect(state.generations).toHaveLength(6);
    expect(state.candidates).toHaveLength(run.outcome.counts.candidates);
    expect(bestConfiguration(state)?.id).toBe(run.outcome.finalists[0]!.id);
    expect(state.baselines.map(({ name }) => name)).toEqual(['uniform', 'owl']);
    expect(state.revision).toBe(run.events.length + 1);
    expect(state.status).toBe('running');
  });

  it('has every new best, with what made it', () => {
    const perplexities = state.improvements.map(({ fitness }) => fitness);
    expect(perplexities).toEqual([...perplexities].sort((a, b) => b - a));
    expect(perplexities.at(-1)).toBe(run.outcome.finalists[0]!.fitness);
    for (const { id, generation, operator } of state.improvements) {
      expect(state.byId.get(id)).toMatchObject({ generation, operator });
    }
    const byLlm = state.improvements.filter(({ operator }) => operator.startsWith('llm')).length;
    expect(improvementsByLlm(state)).toBe(byLlm);
    expect(byLlm).toBeGreaterThan(0);
  });

  it('keeps of requests what they were and what came of them, without the texts', () => {
    const asked = fold([
      OPENED,
      { kind: 'llm-asked', call: 0, generation: 0, role: 'initialise', attempt: 0, wanted: 5, prompt: 'p' },
      {
        kind: 'llm-replied',
        call: 0,
        reply: { kind: 'text', text: 't', usage: { promptTokens: 3, replyTokens: 4 }, cost: 0.5, model: 'm' },
        seconds: 2,
      },
      { kind: 'llm-asked', call: 1, generation: 1, role: 'mutate', attempt: 0, wanted: 5, prompt: 'p' },
      {
        kind: 'llm-replied',
        call: 1,
        reply: { kind: 'failed', error: ERROR, usage: { promptTokens: 10, replyTokens: 0 }, cost: 0.25 },
        seconds: 2,
      },
      { kind: 'llm-asked', call: 2, generation: 1, role: 'cross', attempt: 0, wanted: 5, prompt: 'p' },
      { kind: 'llm-replied', call: 2, reply: { kind: 'lost' }, seconds: 0 },
      { kind: 'llm-replied', call: 9, reply: { kind: 'failed', error: { ...ERROR, code: 'llm/cap' } }, seconds: 0 },
      { kind: 'llm-asked', call: 3, generation: 2, role: 'cross', attempt: 0, wanted: 5, prompt: 'p' },
      { kind: 'fallback', generation: 1, role: 'mutate', count: 5, reason: 'none' },
    ]);
    expect(asked.calls).toEqual([
      {
        ...{ call: 0, generation: 0, role: 'initialise', attempt: 0, wanted: 5, seconds: 2 },
        reply: { kind: 'text', usage: { promptTokens: 3, replyTokens: 4 }, cost: 0.5, model: 'm' },
      },
      expect.objectContaining({ call: 1, reply: expect.objectContaining({ kind: 'failed' }) as unknown }),
      expect.objectContaining({ call: 2, reply: { kind: 'lost' } }),
      { call: 3, generation: 2, role: 'cross', attempt: 0, wanted: 5 },
    ]);
    expect(asked.counts).toMatchObject({ calls: 1, failedCalls: 2, promptTokens: 13, replyTokens: 4, cost: 0.75 });
    expect(asked.fallbacks).toHaveLength(1);
  });

  it('takes what is only estimated for no improvement, nor what shares it', () => {
    const outcomes: readonly RateCandidate['outcome'][] = [
      { kind: 'full', perplexity: 50 },
      { kind: 'stopped', rung: 0, blocks: 1, perplexity: 30 },
      { kind: 'shared', of: 1, perplexity: 30 },
      { kind: 'shared', of: -1, perplexity: 45 },
      { kind: 'shared', of: 3, perplexity: 45 },
      { kind: 'invalid', detail: 'its loss is NaN' },
    ];
    const stopped = fold([
      OPENED,
      ...outcomes.map((outcome, id): RateEvent => ({
        ...{ kind: 'candidate', id, generation: 0, operator: 'spread', parents: [], rates: [0.1 * id] },
        outcome,
      })),
    ]);
    for (const event of stopped.candidates) expect(rateEventSchema.parse(event)).toEqual(event);
    expect(stopped.improvements.map(({ id, fitness }) => [id, fitness])).toEqual([
      [0, 50],
      [3, 45],
    ]);
    expect(bestConfiguration(stopped)?.id).toBe(3);
    expect(stopped.candidates.map((each) => isComplete(each, stopped.byId))).toEqual([
      ...[true, false, false, true, true, false],
    ]);
    expect(stopped.counts).toMatchObject({ candidates: 6, duplicates: 3, invalid: 1 });
  });

  it('counts measurements as they come, baselines not among them', () => {
    const measure = { kind: 'loss', blocks: 4, loss: 3 } as const;
    const counted = fold([
      OPENED,
      { kind: 'measured', id: -1, rung: 0, measure, seconds: 1 },
      { kind: 'measured', id: 0, rung: 0, measure, seconds: 1 },
      { kind: 'measured', id: 1, rung: 0, measure, seconds: 1 },
    ]);
    expect(counted.counts.evaluations).toBe(2);
  });

  it('is paused, goes on, fails and finishes, and knows how long somebody worked', () => {
    const counts = run.outcome.counts;
    const story = fold(
      [OPENED, ...run.events.slice(0, 2), { kind: 'paused' }, { kind: 'resumed' }, { kind: 'failed', error: ERROR }],
      [0, 10, 20, 30, 1000, 1040],
    );
    expect([story.status, story.error, story.times.worked]).toEqual(['failed', ERROR, 70]);
    foldRateEvent(story, { kind: 'resumed' }, 5000);
    expect([story.status, story.error]).toEqual(['running', undefined]);
    foldRateEvent(story, { kind: 'finalist', id: 3, name: '#3' }, 5001);
    foldRateEvent(story, { kind: 'finished', counts, best: [3, 1] }, 5002);
    expect([story.status, story.ranking, story.times.worked]).toEqual(['finished', [3, 1], 72]);
    expect(story.finalists).toHaveLength(1);
    expect(fold([{ kind: 'resumed' }]).status).toBe('starting');
  });

  it('puts the best of the finalists’ evaluation first, once there is one', () => {
    const [second] = run.outcome.finalists.slice(1);
    foldRateEvent(state, { kind: 'finished', counts: run.outcome.counts, best: [second!.id] }, 1e9);
    expect(bestConfiguration(state)?.id).toBe(second!.id);
    expect(bestConfiguration(newRateState())).toBeUndefined();
  });
});
