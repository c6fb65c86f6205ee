import { describe, expect, it } from 'vitest';
import { Rng } from '../../../../src/base/rng.ts';
import { readFormula } from '../../../../src/coordinator/readFormula.ts';
import { parsePrefix } from '../../../../src/metric/parsePrefix.ts';
import type { LlmReply } from '../../../../src/search/llm/events.ts';
import type { LlmRequest } from '../../../../src/search/llm/request.ts';
import { DEFAULT_LLM_SETTINGS } from '../../../../src/search/llm/settings.ts';
import type { MetricEvent } from '../../../../src/search/metrics/events.ts';
import { operatorShares } from '../../../../src/search/metrics/operatorShares.ts';
import { metricEventSchema, metricPlanSchema } from '../../../../src/search/metrics/schema.ts';
import type { MetricSearchSettings } from '../../../../src/search/metrics/settings.ts';
import type { MetricSearchPlan } from '../../../../src/search/metrics/plan.ts';
import { foldMetricEvent, newMetricState } from '../../../../src/search/metrics/state.ts';
import type { MetricState } from '../../../../src/search/metrics/state.ts';
import { failureOf } from '../../../support/expectCoded.ts';
import { formulaReply, FORMULA_STYLES } from '../../../support/formulaReplies.ts';
import { planOf, proposingPlan, simulate, simulation, SMALL } from '../simulation.ts';
import type { SimulatedRun } from '../simulation.ts';

const problem = simulation(11);

type Answer = (request: LlmRequest) => string | LlmReply;

interface Proposed extends SimulatedRun {
  readonly requests: readonly LlmRequest[];
  readonly state: MetricState;
}

async function run(plan: MetricSearchPlan, answer: Answer = goodModel): Promise<Proposed> {
  const requests: LlmRequest[] = [];
  const ask = (request: LlmRequest): Promise<LlmReply> => {
    requests.push(request);
    const said = answer(request);
    const usage = { promptTokens: 100, replyTokens: 10 };
    return Promise.resolve(
      typeof said === 'string' ? { kind: 'text', text: said, usage, cost: 0.5, model: 'm' } : said,
    );
  };
  const { objective } = plan.search;
  const of = objective === 'perplexity' ? {} : { objective, denseTaskLoss: 1.25 };
  const opened = { ...problem, opening: { ...problem.opening, ...of } };
  const made = await simulate(plan, opened, { proposer: { ask, readFormula } });
  const state = newMetricState();
  foldMetricEvent(state, { kind: 'opened', ...opened.opening }, 0);
  for (const [i, event] of made.events.entries()) foldMetricEvent(state, metricEventSchema.parse(event), i);
  return { ...made, requests, state };
}

const goodModel: Answer = ({ prompt, call }) => formulaReply(prompt, new Rng(call), 'none');
const saying =
  (text: string): Answer =>
  () =>
    text;
const failed =
  (code: 'llm/cap' | 'llm/timeout'): Answer =>
  () => ({
    kind: 'failed',
    error: { code, operation: 'asking', expected: 'a', actual: 'the limit of 9 tokens', remedy: 'C.' },
  });

const ofKind = <Kind extends MetricEvent['kind']>(events: readonly MetricEvent[], kind: Kind) =>
  events.filter((event): event is Extract<MetricEvent, { kind: Kind }> => event.kind === kind);
const places = (generation: number): number => (generation === 0 ? 14 : 12);

describe('a search in which a language model proposes', () => {
  it('asks once a generation, for a share of its places, and evaluates as many as without one', async () => {
    const { requests, events, outcome } = await run(proposingPlan());
    expect(requests.map(({ generation, wanted, role, attempt }) => [generation, wanted, role, attempt])).toEqual(
      [7, 6, 6, 6, 6, 6].map((wanted, generation) => [generation, wanted, 'propose', 0]),
    );
    expect(requests.map(({ call }) => call)).toEqual([0, 1, 2, 3, 4, 5]);
    const candidates = ofKind(events, 'candidate');
    expect(candidates.map(({ id }) => id).sort((a, b) => a - b)).toEqual(candidates.map((_, i) => i));
    const proposed = candidates.filter(({ operator }) => operator === 'proposed');
    expect(proposed.length).toBeGreaterThan(10);
    for (const { call, generation } of proposed) expect(requests[call!]?.generation).toBe(generation);
    for (let generation = 0; generation < 6; generation++) {
      const own = candidates.filter((one) => one.generation === generation);
      // A proposal that is not evaluated takes no place.
      const useless = own.filter(
        ({ operator, outcome: { kind } }) => operator === 'proposed' && (kind === 'shared' || kind === 'invalid'),
      );
      expect(own.length - useless.length).toBe(places(generation));
    }
    expect(outcome.finalists.length).toBeGreaterThan(0);
  });

  it('says what it counts, and the fold comes to the same', async () => {
    const { events, state, outcome } = await run(proposingPlan(), ({ prompt, call }) =>
      formulaReply(prompt, new Rng(call), FORMULA_STYLES[call % FORMULA_STYLES.length]!),
    );
    const { llm } = outcome.counts;
    expect(state.counts).toEqual(outcome.counts);
    expect(llm).toMatchObject({ failedCalls: 0, promptTokens: 100 * llm!.calls, replyTokens: 10 * llm!.calls });
    expect(llm!.formulasUsed).toBe(
      ofKind(events, 'candidate').filter(({ operator }) => operator === 'proposed').length,
    );
    expect(llm!.formulasRejected).toBe(ofKind(events, 'proposed').flatMap(({ rejected }) => rejected).length);
    expect(llm!.fallbacks).toBe(ofKind(events, 'fallback').reduce((sum, { count }) => sum + count, 0));
    const shares = operatorShares(state);
    expect(shares.reduce((sum, { improvements }) => sum + improvements, 0)).toBe(state.improvements.length);
    expect(shares.reduce((sum, { candidates }) => sum + candidates, 0)).toBe(outcome.counts.candidates);
    expect(shares.find(({ operator }) => operator === 'proposed')?.betterThanParents).toBeNull();
    expect(shares.some(({ betterThanParents }) => betterThanParents !== null && betterThanParents > 0)).toBe(true);
  });

  it('is the same again with equal replies, and without sharing takes the same course', async () => {
    const [one, two] = [await run(proposingPlan()), await run(proposingPlan())];
    expect(two.events).toEqual(one.events);
    expect(two.questions).toEqual(one.questions);
    const every = { rungs: 1 } as const;
    const [on, off] = [await run(proposingPlan(every)), await run(proposingPlan({ ...every, sharing: 'off' }))];
    const told = ({ events }: Proposed) =>
      ofKind(events, 'candidate').map(({ id, expression, operator }) => [id, expression, operator]);
    expect(told(off).sort()).toEqual(told(on).sort());
    expect(off.requests).toEqual(on.requests);
    expect(off.outcome.finalists).toEqual(on.outcome.finalists);
  });

  it('shows what is known: baselines at first, then the best, and what was rejected with the reason', async () => {
    const { requests, outcome } = await run(proposingPlan(), ({ call, prompt }) =>
      call === 0 ? 'W * torch.sqrt(X)\nmms(G) * W' : formulaReply(prompt, new Rng(call), 'none'),
    );
    expect(requests[0]!.prompt).toMatch(/^W \* sqrt\(X\): [\d.]+$/m);
    expect(requests[0]!.prompt).toContain('none yet');
    expect(requests[0]!.prompt).toMatch(/^- X \(one for each input feature\): .*scaler_row/m);
    expect(requests[0]!.prompt).toMatch(/^- x \* y, or mul\(x, y\): x · y/m);
    expect(requests[0]!.prompt).not.toContain('{{');
    expect(requests[0]!.prompt).toContain('Its fitness is the perplexity of the pruned model: lower is better');
    expect(requests[1]!.prompt).toContain('- W * torch.sqrt(X): it is code of another language');
    expect(requests[1]!.prompt).toMatch(/^mms\(G\) \* W: [\d.]+$/m);
    const last = requests.at(-1)!.prompt;
    const shown = [...last.matchAll(/^.+: ([\d.]+)$/gm)].map(([, perplexity]) => Number(perplexity));
    expect(shown).toEqual([...shown].sort((a, b) => a - b));
    expect(shown[0]).toBeGreaterThanOrEqual(Number(outcome.finalists[0]!.fitness.toPrecision(5)));
  });

  it('says under which update, and by what, it is measured', async () => {
    const update = { method: 'admm', iterations: 20, damping: 0.1 } as const;
    const under = await run(proposingPlan({ generations: 1 }, {}, { update }));
    expect(under.requests[0]!.prompt).toMatch(
      /fitness is the perplexity of the pruned model, after the weights .* admm/,
    );
    const kl = await run(proposingPlan({ generations: 1, objective: 'kl' }));
    expect(kl.requests[0]!.prompt).toMatch(/mean KL divergence .*: lower is better, and the dense model has 0\./);
    const tasks = await run(proposingPlan({ generations: 1, objective: 'tasks' }));
    expect(tasks.requests[0]!.prompt).toMatch(
      /cross-entropy of the choices .*: lower is better, and the dense model has 1\.2500\./,
    );
  });

  it('starts from the metrics of the file all the same, and does not take them up again', async () => {
    const seeds = [{ metric: 'mine', expression: parsePrefix('mul(W, mms(G))') }];
    const { events } = await run(proposingPlan({}, {}, { seeds }), saying('mms(G) * W\nW * X'));
    const first = ofKind(events, 'candidate').filter(({ generation }) => generation === 0);
    expect(first.find(({ id }) => id === 0)).toMatchObject({ operator: 'seed', expression: 'mul(W, mms(G))' });
    expect(first.find(({ id }) => id === 1)).toMatchObject({ operator: 'proposed', expression: 'mul(W, X)', call: 0 });
    expect(ofKind(events, 'proposed')[0]!.rejected).toEqual([
      { text: 'mms(G) * W', reason: 'it ranks like candidate 0, W * mms(G)' },
    ]);
  });

  it('evaluates nothing that ranks like what is known: by algebra no candidate, by its masks no measurement', async () => {
    // tanh of a metric that is large saturates: algebra does not decide, the masks may.
    const { events, questions, state } = await run(proposingPlan({ generations: 3 }), ({ generation }) =>
      generation === 0 ? 'W * mms(G)\nexp(W) * X' : 'sqr(W) * sqr(mms(G))\nexp(exp(W)) + exp(W)\nW * sqrt(X)',
    );
    const later = ofKind(events, 'proposed').slice(1);
    expect(later[0]!.rejected).toEqual([
      {
        text: 'sqr(W) * sqr(mms(G))',
        reason: expect.stringContaining('it ranks like candidate 0, W * mms(G)') as string,
      },
      { text: 'W * sqrt(X)', reason: 'it ranks like wanda, a baseline' },
    ]);
    const shared = state.candidates.filter(
      ({ operator, outcome }) => operator === 'proposed' && outcome.kind === 'shared',
    );
    for (const { id } of shared)
      expect(questions.some((question) => new RegExp(`measure.*\\b${id}\\b.* on`).test(question))).toBe(false);
    expect(shared.length).toBeGreaterThan(0);
    const [, second] = ofKind(events, 'fallback');
    expect(second!.reason).toContain('remove the same weights as a known metric');
  });
});

describe('a language model that is of no use never stops the search', () => {
  it.each<[name: string, answer: Answer, reason: RegExp, calls: number]>([
    ['fails', failed('llm/timeout'), /^the language model could not be asked \(the limit of 9 tokens\)$/, 6],
    ['has no tokens left', failed('llm/cap'), /^the limit of 9 tokens$/, 6],
    ['is lost', () => ({ kind: 'lost' }), /^the reply was lost/, 6],
    // Asked again twice.
    ['says nothing', saying(''), /^there was no formula in the reply$/, 18],
    ['talks', saying('Look at weights and activations.'), /^there was no formula in the reply$/, 18],
    ['writes LaTeX', saying('\\sqrt{X} W'), /^none of the formulas could be used$/, 18],
    [
      'says too little',
      ({ generation }) => ['mms(X) * W', 'W + X', 'zsn(G) * W', 'W * X', 'exp(W) * G', 'tanh(X) * W'][generation]!,
      /fewer formulas than were asked for/,
      6,
    ],
  ])('%s', async (_, answer, reason, calls) => {
    const { events, requests, outcome } = await run(proposingPlan(), answer);
    expect(requests).toHaveLength(calls);
    expect(requests.map(({ attempt }) => attempt)).toEqual(requests.map((__, i) => i % (calls / 6)));
    const fallbacks = ofKind(events, 'fallback');
    expect(fallbacks).toHaveLength(6);
    for (const fallback of fallbacks) expect(fallback.reason).toMatch(reason);
    for (let generation = 0; generation < 6; generation++) {
      const evaluated = ofKind(events, 'candidate').filter((one) => one.generation === generation);
      expect(evaluated.length).toBeGreaterThanOrEqual(places(generation));
    }
    expect(outcome.finalists.length).toBeGreaterThan(0);
  });

  it('asks again with what was wrong, and takes what comes then', async () => {
    const { requests, events } = await run(proposingPlan({ generations: 1 }), ({ attempt }) =>
      attempt === 0 ? '|W|' : 'W * mms(X)',
    );
    expect(requests).toHaveLength(2);
    expect(requests[1]!.prompt).toContain('- |W|: bars mean nothing here');
    expect(ofKind(events, 'candidate').find(({ operator }) => operator === 'proposed')).toMatchObject({ call: 1 });
  });
});

describe('off', () => {
  it.each<[name: string, plan: MetricSearchPlan]>([
    ['by default', planOf({ ...SMALL, proposals: 0 })],
    ['without a provider', proposingPlan({}, { provider: 'none' }, { baselines: [] })],
  ])('%s nobody is asked, and the search is the one that it was', async (_, plan) => {
    const asked = await run(plan, () => {
      throw new Error('asked');
    });
    const before = await simulate(planOf({ ...SMALL, proposals: 0 }), problem);
    const candidates = (events: readonly MetricEvent[]) => ofKind(events, 'candidate');
    expect(candidates(asked.events)).toEqual(candidates(before.events));
    expect(asked.requests).toEqual([]);
  });

  it.each<[search: Partial<MetricSearchSettings>, has: boolean, ok: boolean]>([
    [{ proposals: 0 }, false, true],
    [{ proposals: 0 }, true, false],
    [{ proposals: 0.2 }, true, true],
    [{ proposals: 0.2 }, false, false],
    [{ proposals: 0.2, method: 'random' }, false, true],
    [{ proposals: 0.2, method: 'random' }, true, false],
  ])('a plan with %j and a language model: %s is one: %s', (search, has, ok) => {
    const { llm, prompts, ...plan } = proposingPlan(search, {}, { text: 't' });
    expect(metricPlanSchema.safeParse(has ? { ...plan, llm, prompts } : plan).success).toBe(ok);
  });

  it.each<[change: object, expected: RegExp]>([
    [{ prompts: { propose: 'Give {{formulas}}' } }, /\{\{model\}\}/],
    [{ llm: { ...DEFAULT_LLM_SETTINGS, provider: 'openai', costCap: 3 } }, /prices/],
  ])('what can never be asked is refused before anything is measured', async (change, expected) => {
    const error = await failureOf(() => run(proposingPlan({}, {}, change)));
    expect(error.data).toMatchObject({ code: 'settings/invalid', expected: expect.stringMatching(expected) as string });
  });
});
