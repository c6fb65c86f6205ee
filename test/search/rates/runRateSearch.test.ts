import { beforeAll, describe, expect, it } from 'vitest';
import type { LlmSettings } from '../../../src/search/llm/settings.ts';
import type { SelfPrunerPlan } from '../../../src/search/rates/selfPruner/plan.ts';
import type { RateCandidate, RateEvent } from '../../../src/search/rates/events.ts';
import type { LlmReply } from '../../../src/search/llm/events.ts';
import type { LlmRequest } from '../../../src/search/llm/request.ts';
import { meanOf, rateSpace, ratesKey } from '../../../src/search/rates/rates.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { imperfectModel } from './selfPruner/imperfectModel.ts';
import { rateProblem, ratePlan, simulateRates } from './simulation.ts';
import type { RateRun } from './simulation.ts';
import type { SelfPrunerSettings } from '../../../src/search/rates/selfPruner/settings.ts';
import { rateEventSchema } from '../../../src/search/rates/schema.ts';

const problem = rateProblem(1);
const BLOCKS = problem.opening.components.length;
const asked = (request: LlmRequest): LlmReply | string => imperfectModel(request, BLOCKS, 0.3);
const perfect = (request: LlmRequest): LlmReply | string => imperfectModel(request, BLOCKS, 0.3, 0);
const llm = { provider: 'openai' } as const;

describe('Self-Pruner with classical operators', () => {
  it.each([1, 2, 3, 4])('beats uniform and OWL, problem %i', async (seed) => {
    const { outcome, events, requests } = await simulateRates(ratePlan({ generations: 20 }), rateProblem(seed));
    expect(requests).toEqual([]);
    expect(fallbacksOf(events)).toEqual([]);
    expect(outcome.finalists[0]!.fitness).toBeLessThan(Math.min(...baselinesOf(events)));
  });

  it('comes near to what descent on the loss itself finds', async () => {
    const plan = ratePlan({ population: 30, mutations: 10, crossovers: 10, generations: 40 });
    const { outcome } = await simulateRates(plan, problem);
    const uniform = problem.lossOf(Array<number>(BLOCKS).fill(0.3));
    const best = descend();
    const found = Math.log(outcome.finalists[0]!.fitness);
    expect((uniform - found) / (uniform - best)).toBeGreaterThan(0.95);
    expect(found).toBeGreaterThanOrEqual(best - 1e-6);
  });
});

describe('Self-Pruner with an imperfect language model', () => {
  let run: RateRun;
  beforeAll(async () => {
    run = await simulateRates(ratePlan({ generations: 12 }, llm), problem, { reply: asked });
  });

  it('beats uniform and OWL', () => {
    expect(run.outcome.finalists[0]!.fitness).toBeLessThan(Math.min(...baselinesOf(run.events)));
  });

  it('tells of every configuration once, in order, with rates of the mean', () => {
    const configurations = configurationsOf(run.events);
    expect(configurations.map(({ id }) => id)).toEqual(Array.from({ length: 12 + 12 * 10 }, (_, i) => i));
    const space = rateSpace(problem.opening.components, 0.3);
    for (const { rates, parents, operator, call, id } of configurations) {
      expect(Math.abs(meanOf(rates, space) - 0.3)).toBeLessThan(5.1e-6);
      expect(parents.every((parent) => parent < id)).toBe(true);
      expect(call !== undefined).toBe(operator.startsWith('llm-'));
      if (call !== undefined) expect(run.requests[call]!.role).toBe(operator.slice(4));
    }
    expect(new Set(configurations.map(({ rates }) => ratesKey(rates))).size).toBe(configurations.length);
  });

  it('emits what the journal takes', () => {
    for (const event of run.events) expect(rateEventSchema.safeParse(event).error).toBeUndefined();
  });

  it('counts what it says', () => {
    const { counts } = run.outcome;
    const configurations = configurationsOf(run.events);
    const byLlm = configurations.filter(({ call }) => call !== undefined);
    expect(counts).toMatchObject({
      candidates: configurations.length,
      evaluations: run.measured.filter(({ id }) => id >= 0).length,
      invalid: 0,
      duplicates: 0,
      calls: run.requests.length,
      failedCalls: 0,
      listsUsed: byLlm.filter(({ repaired }) => !repaired).length,
      listsRepaired: byLlm.filter(({ repaired }) => repaired).length,
      fallbacks: fallbacksOf(run.events).reduce((sum, { count }) => sum + count, 0),
      promptTokens: 100 * run.requests.length,
      replyTokens: 50 * run.requests.length,
    });
    expect(counts.cost).toBeCloseTo(0.01 * run.requests.length, 9);
    expect(Math.min(counts.listsUsed, counts.listsRepaired, counts.listsRefused)).toBeGreaterThan(20);
    const last = run.events.findLast((event) => event.kind === 'generation');
    expect(last?.counts).toEqual(counts);
  });

  it('keeps the best for the next iteration, and names the best of all', () => {
    const ranked = configurationsOf(run.events)
      .flatMap(({ id, outcome }) => (outcome.kind === 'invalid' ? [] : [{ id, perplexity: outcome.perplexity }]))
      .sort((a, b) => a.perplexity! - b.perplexity!);
    expect(run.outcome.finalists.map(({ id }) => id)).toEqual(ranked.slice(0, 3).map(({ id }) => id));
    const last = run.requests.findLast(({ role }) => role === 'mutate')!;
    const shown = [...last.prompt.matchAll(/^\[[^\]]*\] ([\d.]+)$/gm)].map(([, text]) => Number(text));
    expect(shown).toHaveLength(12);
    expect(shown).toEqual([...shown].sort((a, b) => a - b));
  });

  it('asks again with the reasons, at most as often as the plan says', () => {
    const again = run.requests.filter(({ attempt }) => attempt > 0);
    expect(again.length).toBeGreaterThan(3);
    for (const { call, attempt, role, wanted, prompt } of again) {
      const before = run.requests[call - 1]!;
      expect([before.attempt, before.role]).toEqual([attempt - 1, role]);
      expect(wanted).toBeLessThanOrEqual(before.wanted);
      expect(prompt).toMatch(/^- (it|".*" is|there|-?[\d.]+ is)/m);
      expect(attempt).toBeLessThanOrEqual(2);
    }
  });

  it('is the same for the same seed', async () => {
    const again = await simulateRates(ratePlan({ generations: 12 }, llm), problem, { reply: asked });
    expect(again).toEqual(run);
  });
});

describe('a search that was interrupted', () => {
  it('says the same again, and asks nothing twice, wherever it was cut', async () => {
    const plan = ratePlan({ generations: 3, seed: 5 }, llm);
    const whole = await simulateRates(plan, problem, { reply: asked });
    const questions = whole.requests.length + whole.measured.length;
    for (let cut = 0; cut <= questions; cut += 7) {
      const abort = new AbortController();
      const known = new Map<string, unknown>();
      let answered = 0;
      /** What the journal of a first attempt knows; the first attempt ends with its `cut`th answer. */
      const journaled = <Answer>(key: string, answer: () => Answer, limit: number): Answer => {
        if (known.has(key)) return known.get(key) as Answer;
        if (++answered >= limit) abort.abort();
        const value = answer();
        known.set(key, value);
        return value;
      };
      const world = (limit: number, signal?: AbortSignal): Parameters<typeof simulateRates>[2] => ({
        reply: (request) => journaled(`call ${request.call}`, () => asked(request), limit),
        measure: ({ id, rates }) =>
          journaled(`measure ${id}`, () => ({ kind: 'loss', blocks: 4, loss: problem.lossOf(rates) }), limit),
        ...(signal && { signal }),
      });
      const first: RateEvent[] = [];
      const begun = simulateRates(plan, problem, {
        ...world(cut, abort.signal),
        onEvent: (event) => first.push(event),
      });
      await begun.catch(() => undefined);
      expect(first).toEqual(whole.events.slice(0, first.length));
      const before = answered;
      const second = await simulateRates(plan, problem, world(Infinity));
      expect(second.events).toEqual(whole.events);
      expect(second.outcome).toEqual(whole.outcome);
      expect(answered).toBe(questions);
      expect(before).toBeLessThanOrEqual(questions);
    }
  });

  it('does not ask a lost request again, and says so', async () => {
    const plan = ratePlan({ generations: 1, mutations: 5, crossovers: 0 }, llm);
    const { requests, events, outcome } = await simulateRates(plan, problem, {
      reply: (request) => (request.role === 'mutate' ? { kind: 'lost' } : perfect(request)),
    });
    expect(requests.filter(({ role }) => role === 'mutate')).toHaveLength(1);
    expect(fallbacksOf(events)).toEqual([
      expect.objectContaining({
        role: 'mutate',
        count: 5,
        reason: 'the reply was lost when the search was interrupted',
      }),
    ]);
    expect(outcome.counts.failedCalls).toBe(1);
  });
});

describe('who makes configurations', () => {
  const made = async (search: Partial<SelfPrunerSettings>, provider: LlmSettings['provider']): Promise<string> => {
    const plan = ratePlan({ generations: 2, ...search }, { provider });
    const { events } = await simulateRates(plan, problem, { reply: perfect });
    const counts = new Map<string, number>();
    for (const { operator } of configurationsOf(events)) counts.set(operator, (counts.get(operator) ?? 0) + 1);
    return [...counts].map(([operator, count]) => `${count} ${operator}`).join(', ');
  };

  it.each<readonly [Partial<SelfPrunerSettings>, LlmSettings['provider'], string]>([
    [{}, 'openai', '12 llm-initialise, 10 llm-mutate, 10 llm-cross'],
    [{}, 'none', '1 uniform, 1 owl, 10 spread, 10 gaussian, 10 blend'],
    [{ initialise: 'off' }, 'openai', '12 random, 10 llm-mutate, 10 llm-cross'],
    [{ initialise: 'classical' }, 'openai', '1 uniform, 1 owl, 10 spread, 10 llm-mutate, 10 llm-cross'],
    [{ mutate: 'off' }, 'openai', '12 llm-initialise, 10 llm-cross'],
    [{ cross: 'off' }, 'openai', '12 llm-initialise, 10 llm-mutate'],
    [{ mutate: 'off', cross: 'classical' }, 'openai', '12 llm-initialise, 10 blend'],
    [{ mutate: 'off', cross: 'off' }, 'none', '1 uniform, 1 owl, 10 spread'],
    [{ mutations: 0, crossovers: 1 }, 'openai', '12 llm-initialise, 2 llm-cross'],
  ])('%j with %s: %s', async (search, provider, expected) => {
    expect(await made(search, provider)).toBe(expected);
  });
});

describe('classical operators stand in, and it is told once for each role and iteration', () => {
  interface Case {
    readonly llm?: Partial<LlmSettings>;
    readonly reply: (request: LlmRequest) => LlmReply | string;
    readonly reason: RegExp;
    /** Requests by generation. */
    readonly requests: readonly number[];
  }
  const failed: LlmReply = {
    kind: 'failed',
    error: { code: 'internal', operation: 'asking', expected: 'an answer', actual: 'status 500', remedy: 'Wait.' },
  };
  const capped: LlmReply = {
    kind: 'failed',
    error: { ...failed.error, code: 'llm/cap', actual: 'the limit of 300 tokens is reached' },
  };
  it.each<readonly [string, Case]>([
    [
      'nothing usable',
      { reply: () => 'I would rather not.', reason: /^too few of its lists could be used$/, requests: [6, 6, 6] },
    ],
    [
      'no asking again',
      { llm: { reasks: 0 }, reply: () => '[0.1]', reason: /^too few of its lists could be used$/, requests: [2, 2, 2] },
    ],
    [
      'the server is down',
      { reply: () => failed, reason: /^the language model could not be asked \(status 500\)$/, requests: [1, 1, 1] },
    ],
    [
      'what may be spent is spent',
      {
        reply: ({ call }) => (call < 2 ? 'no' : capped),
        reason: /^(too few of its lists could be used; )?the limit of 300 tokens is reached$/,
        requests: [3, 1, 1],
      },
    ],
  ])('%s', async (_, { llm: settings, reply, reason, requests }) => {
    const plan = ratePlan({ generations: 2 }, { ...llm, ...settings });
    const run = await simulateRates(plan, problem, { reply });
    const told = fallbacksOf(run.events);
    expect(told.map(({ generation, role, count }) => [generation, role, count])).toEqual([
      [0, 'initialise', 12],
      [1, 'mutate', 5],
      [1, 'cross', 5],
      [2, 'mutate', 5],
      [2, 'cross', 5],
    ]);
    for (const fallback of told) expect(fallback.reason).toMatch(reason);
    const byGeneration = [0, 1, 2].map((at) => run.requests.filter(({ generation }) => generation === at).length);
    expect(byGeneration).toEqual(requests);
    expect(run.outcome.counts.fallbacks).toBe(32);
    const operators = new Set(configurationsOf(run.events).map(({ operator }) => operator));
    expect([...operators].sort()).toEqual(['blend', 'gaussian', 'owl', 'spread', 'uniform']);
  });

  it('for what is missing only', async () => {
    const plan = ratePlan({ generations: 0 + 1, mutations: 0, crossovers: 5 }, { ...llm, reasks: 1 });
    const { events, requests } = await simulateRates(plan, problem, {
      reply: (request) => (request.role === 'cross' ? perfect({ ...request, wanted: 2 }) : perfect(request)),
    });
    expect(requests.filter(({ role }) => role === 'cross').map(({ wanted }) => wanted)).toEqual([5, 3]);
    expect(fallbacksOf(events).map(({ role, count }) => [role, count])).toEqual([['cross', 1]]);
    expect(requests.at(-1)!.prompt).toContain('there were only 2 lists');
  });
});

describe('evaluations', () => {
  it('are shared by equal rates, a baseline’s among them', async () => {
    const { events, measured } = await simulateRates(ratePlan(), problem);
    const shared = configurationsOf(events).filter(({ outcome }) => outcome.kind === 'shared');
    expect(shared.map(({ operator, outcome }) => [operator, outcome.kind === 'shared' && outcome.of])).toEqual([
      ['uniform', -1],
      ['owl', -2],
    ]);
    expect(new Set(measured.map(({ rates }) => ratesKey(rates))).size).toBe(measured.length);
    expect(measured.slice(0, 2).map(({ id }) => id)).toEqual([-1, -2]);
  });

  it.each([
    ['one block', rateProblem(2, 1), 0.3],
    ['nothing to remove', problem, 0],
  ] as const)('one is enough where there is only one configuration: %s', async (_, toy, share) => {
    const plan = ratePlan({}, {}, { sparsity: { kind: 'unstructured', share }, baselines: [] });
    const { outcome, measured, events } = await simulateRates(plan, toy);
    expect(measured).toHaveLength(1);
    expect(outcome.finalists).toHaveLength(1);
    expect(outcome.counts).toMatchObject({ candidates: 72, evaluations: 1, duplicates: 71 });
    for (const event of events) expect(rateEventSchema.safeParse(event).error).toBeUndefined();
  });

  it('that are not finite leave a configuration without a place', async () => {
    const plan = ratePlan({ generations: 2 }, llm);
    const { outcome, events } = await simulateRates(plan, problem, {
      reply: perfect,
      measure: ({ id, rates }) =>
        id % 3 === 0
          ? { kind: 'invalid', reason: 'not-finite', detail: 'it overflows' }
          : { kind: 'loss', blocks: 4, loss: id === 1 ? 1e6 : problem.lossOf(rates) },
    });
    const invalid = configurationsOf(events).filter(({ outcome: { kind } }) => kind === 'invalid');
    expect(invalid.map(({ id }) => id)).toEqual([0, 1, ...[3, 6, 9, 12, 15, 18, 21, 24, 27, 30]].sort((a, b) => a - b));
    expect(invalid[1]!.outcome).toEqual({ kind: 'invalid', detail: 'its loss is 1000000' });
    expect(outcome.counts.invalid).toBe(invalid.length);
    expect(outcome.finalists.every(({ id }) => id % 3 !== 0 && id !== 1)).toBe(true);
  });

  it('none of which is finite leave nothing to vary, which is told', async () => {
    const { outcome, events } = await simulateRates(ratePlan({ generations: 1 }, llm), problem, {
      reply: perfect,
      measure: () => ({ kind: 'invalid', reason: 'not-finite', detail: 'it overflows' }),
    });
    expect(outcome.finalists).toEqual([]);
    expect(fallbacksOf(events).map(({ role, reason }) => [role, reason])).toEqual([
      ['mutate', 'too few configurations have a perplexity to be shown'],
      ['cross', 'too few configurations have a perplexity to be shown'],
    ]);
    expect(
      configurationsOf(events)
        .slice(12)
        .map(({ operator }) => operator),
    ).toEqual(Array(10).fill('random'));
    expect(events.filter(({ kind }) => kind === 'baseline')).toMatchObject([
      { error: { code: 'evaluation/not-finite' } },
      { error: { code: 'evaluation/not-finite' } },
    ]);
    expect(events.at(-1)).toMatchObject({ best: null, mean: null, worst: null, bestSoFar: null });
  });
});

describe('baselines', () => {
  it('are measured as they are given, and those that only an evaluation finds are left to it', async () => {
    const given = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.123456789, 0.8];
    const plan = ratePlan(
      { generations: 1 },
      {},
      {
        baselines: [
          { name: 'global', rates: { kind: 'global' } },
          { name: 'another OWL', rates: { kind: 'owl', multiple: 7, spread: 0.08 } },
          { name: 'mine', rates: { kind: 'given', rates: given } },
        ],
      },
    );
    const { events, measured } = await simulateRates(plan, problem);
    expect(measured[0]).toMatchObject({ id: -3, rates: given });
    expect(events[0]).toEqual({
      ...{ kind: 'baseline', id: -3, name: 'mine', rates: given },
      perplexity: Math.exp(problem.lossOf(given)),
    });
  });

  it.each<readonly [string, Partial<SelfPrunerPlan>]>([
    ['a wrong number of rates', { baselines: [{ name: 'mine', rates: { kind: 'given', rates: [0.3] } }] }],
    [
      'a score that removes blocks',
      { target: { kind: 'structure', name: 'shortgpt', score: { kind: 'method', method: 'shortgpt' } } },
    ],
    ['a limit on money without prices', { llm: { ...ratePlan({}, llm).llm, costCap: 5 } }],
    ['an unknown placeholder', { prompts: { ...ratePlan().prompts, cross: 'Give {{count}} of {{everything}}' } }],
  ])('%s is refused before anything is measured', async (_, more) => {
    const plan = ratePlan({}, llm, more);
    const failure = await failureOf(() =>
      simulateRates(plan, problem, { reply: perfect, measure: () => expect.fail() }),
    );
    expect(failure.code).toBe('settings/invalid');
  });
});

function configurationsOf(events: readonly RateEvent[]): readonly RateCandidate[] {
  return events.filter((event) => event.kind === 'candidate');
}

function fallbacksOf(events: readonly RateEvent[]): readonly Extract<RateEvent, { readonly kind: 'fallback' }>[] {
  return events.filter((event) => event.kind === 'fallback');
}

function baselinesOf(events: readonly RateEvent[]): readonly number[] {
  return events.flatMap((event) => (event.kind === 'baseline' ? [event.perplexity!] : []));
}

/** Lowest loss at the mean, by moving a little from one block to another as long as it helps. */
function descend(): number {
  const rates = Array<number>(BLOCKS).fill(0.3);
  let best = problem.lossOf(rates);
  for (let step = 0.05; step > 1e-5; step /= 2) {
    for (let improved = true; improved;) {
      improved = false;
      for (let i = 0; i < BLOCKS; i++) {
        for (let k = 0; k < BLOCKS; k++) {
          const moved = rates.map((rate, at) => rate + (at === i ? step : 0) - (at === k ? step : 0));
          if (moved.some((rate) => rate < 0 || rate > 1) || problem.lossOf(moved) >= best - 1e-12) continue;
          best = problem.lossOf(moved);
          rates.splice(0, BLOCKS, ...moved);
          improved = true;
        }
      }
    }
  }
  return best;
}
