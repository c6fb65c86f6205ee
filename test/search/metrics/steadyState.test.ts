import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { fitnessOf } from '../../../src/search/lifecycle/outcome.ts';
import type { SingleAnswers } from '../../../src/search/metrics/effects.ts';
import type { Acknowledged, MetricCandidate, MetricEvent } from '../../../src/search/metrics/events.ts';
import { questionKey } from '../../../src/search/metrics/questionKey.ts';
import { metricEventSchema } from '../../../src/search/metrics/schema.ts';
import { foldMetricEvent, newMetricState } from '../../../src/search/metrics/state.ts';
import { mostUnsettled } from '../../../src/search/metrics/steadyState/steadyState.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { ScriptedAnswers } from './scriptedAnswers.ts';
import type { Choice } from './scriptedAnswers.ts';
import { planOf, simulate, simulation } from './simulation.ts';
import type { SimulatedRun } from './simulation.ts';

const problem = simulation(1);
const SMALL = { evolution: 'steady-state', population: 16, generations: 4, elites: 3, seed: 1 } as const;
const CANDIDATES = 16 + 3 * 13;

type More = Parameters<typeof planOf>[0];
const search = (singly: SingleAnswers, more: More = {}): Promise<SimulatedRun> =>
  simulate(planOf({ ...SMALL, ...more }), problem, { singly });

const inOrder = (workers: number): ScriptedAnswers => new ScriptedAnswers(problem, workers, () => 0);

/** An order of answers, with workers that come and go. */
const order = fc.record({
  workers: fc.integer({ min: 1, max: 9 }),
  choices: fc.array<Choice>(
    fc.oneof({ weight: 30, arbitrary: fc.nat(50) }, fc.record({ workers: fc.integer({ min: 1, max: 9 }) })),
    { minLength: 1, maxLength: 60 },
  ),
  constants: fc.constantFrom('none', 'all'),
  sharing: fc.constantFrom('on', 'off'),
});

/** The choices over and over; where they are all of workers, answers in between. */
function chooser(choices: readonly Choice[]): () => Choice {
  const cycle = [...choices, 0];
  let i = 0;
  return () => cycle[i++ % cycle.length]!;
}

/** Answers as they were recorded; what was not asked by then is an error. */
function replay(recorded: readonly Acknowledged[]): SingleAnswers {
  const asked = new Set<string>();
  let at = 0;
  return {
    ask: (question) => asked.add(questionKey(question)),
    next: () => {
      const event = recorded[at++]!;
      if (event.kind !== 'workers') expect(asked).toContain(questionKey(event));
      return Promise.resolve(event);
    },
  };
}

describe('a search without generations, whatever the order of the answers', () => {
  it('asks nothing twice and no more at once than the workers need, settles every candidate once, and is replayed by the order', async () => {
    await fc.assert(
      fc.asyncProperty(order, async ({ workers, choices, ...more }) => {
        const answers = new ScriptedAnswers(problem, workers, chooser(choices));
        const { events, outcome } = await search(answers, more);

        expect(new Set(answers.asked).size).toBe(answers.asked.length);
        expect(answers.acknowledged.filter(({ kind }) => kind !== 'workers')).toHaveLength(answers.asked.length);
        // What was asked while there were more workers is not taken back.
        let most = 0;
        for (const { open, workers: count } of answers.loads) {
          most = Math.max(mostUnsettled(count), Math.min(most, open));
          expect(open).toBeGreaterThan(0);
          expect(open).toBeLessThanOrEqual(most);
        }

        const candidates = candidatesOf(events);
        expect(candidates.map(({ id }) => id).sort((a, b) => a - b)).toEqual([...Array(CANDIDATES).keys()]);
        const told = new Set<number>();
        for (const { id, parents, outcome: became } of candidates) {
          expect(parents.every((parent) => told.has(parent))).toBe(true);
          if (became.kind === 'shared') expect(told).toContain(became.of);
          told.add(id);
        }
        for (const event of events) expect(metricEventSchema.safeParse(event).error).toBeUndefined();

        const again = await search(replay(answers.acknowledged), more);
        expect(again.events).toEqual(events);
        expect(again.outcome).toEqual(outcome);
      }),
      { numRuns: 15, seed: 61 },
    );
  });
});

describe('a search without generations', () => {
  it('tells of windows as of generations: as many candidates, and the work of them', async () => {
    const { events, outcome } = await search(inOrder(3));
    const generations = events.filter((event) => event.kind === 'generation');
    expect(generations.map(({ generation, counts }) => [generation, counts.candidates])).toEqual([
      [0, 16],
      [1, 29],
      [2, 42],
      [3, 55],
    ]);
    const sizes = [0, 1, 2, 3].map((generation) => candidatesOf(events).filter((one) => one.generation === generation));
    expect(sizes.map(({ length }) => length)).toEqual([16, 13, 13, 13]);
    for (const [i, { best, worst }] of generations.entries()) {
      const fitness = sizes[i]!.flatMap((one) => fitnessOf(one) ?? []);
      expect(best).toBeCloseTo(Math.min(...fitness), 9);
      expect(worst).toBeCloseTo(Math.max(...fitness), 9);
    }
    const generational = await simulate(planOf({ ...SMALL, evolution: 'generational' }), problem);
    expect(generational.outcome.counts.candidates).toBe(outcome.counts.candidates);
    const state = newMetricState();
    foldMetricEvent(state, { kind: 'opened', ...problem.opening }, 0);
    for (const event of events) foldMetricEvent(state, event, 0);
    expect(state.counts).toEqual(outcome.counts);
    expect(state.generations).toHaveLength(4);
  });

  it('breeds at once: a child of what was settled last is asked before others of its time are answered', async () => {
    const answers = inOrder(4);
    const { events } = await search(answers);
    const byId = new Map(candidatesOf(events).map((one) => [one.id, one]));
    const places = new Map(candidatesOf(events).map(({ id }, place) => [id, place]));
    const bred = [...byId.values()].filter(({ parents }) => parents.length > 0);
    expect(bred.length).toBeGreaterThan(15);
    // With generations a parent is always one generation older at least.
    expect(bred.some(({ parents, generation }) => parents.some((id) => byId.get(id)!.generation === generation))).toBe(
      true,
    );
    expect(Math.min(...bred.map(({ id, parents }) => places.get(id)! - places.get(parents[0]!)!))).toBeLessThan(6);
  });

  it('begins with the metrics that it is given, and breeds nothing before a whole population is known', async () => {
    const seeds = ['mul(skp(W), sqrt(X))', 'sub(W, W)'].map((text) => ({
      metric: text,
      expression: parsePrefix(text),
    }));
    const { events } = await simulate(planOf(SMALL, { seeds }), problem, { singly: inOrder(8) });
    const candidates = candidatesOf(events);
    const first = candidates.filter(({ operator }) => operator === 'seed').sort((a, b) => a.id - b.id);
    expect(first.map(({ id, expression }) => [id, expression])).toEqual([
      [0, 'mul(skp(W), sqrt(X))'],
      [1, 'sub(W, W)'],
    ]);
    const firstChild = Math.min(...candidates.filter(({ parents }) => parents.length > 0).map(({ id }) => id));
    expect(firstChild).toBeGreaterThanOrEqual(16);
    expect(candidates.some(({ parents }) => parents.includes(0))).toBe(true);
  });

  it('breeds none any more once the budget is spent, and ends what is under way', async () => {
    const { outcome, events } = await search(inOrder(2), { generations: 1000, budget: 8 });
    expect(outcome.counts.evaluations).toBeGreaterThanOrEqual(8);
    expect(outcome.counts.evaluations).toBeLessThan(8 + mostUnsettled(2));
    const last = events.at(-1)!;
    expect(last.kind === 'generation' && last.counts).toEqual(outcome.counts);
  });

  it('is of random trees where the method is', async () => {
    const { events } = await search(inOrder(3), { method: 'random' });
    expect(new Set(candidatesOf(events).map(({ operator }) => operator))).toEqual(new Set(['grow', 'full']));
  });

  it('stops most at a rung, one in keep but for what is predicted to win', async () => {
    const { outcome } = await search(inOrder(4), { population: 40, generations: 5 });
    const { fullEvaluations, stoppedEarly } = outcome.counts;
    expect(fullEvaluations).toBeGreaterThan(5);
    expect(stoppedEarly).toBeGreaterThan(2 * fullEvaluations);
  });

  it('fails as it is cancelled, between two answers', async () => {
    const abort = new AbortController();
    const answers = new ScriptedAnswers(problem, 2, () => {
      if (answers.acknowledged.length === 20) abort.abort();
      return 0;
    });
    const failure = await failureOf(() => simulate(planOf(SMALL), problem, { singly: answers, signal: abort.signal }));
    expect([failure.code, answers.acknowledged.length]).toEqual(['cancelled', 21]);
  });

  it('is refused by effects that answer many at once only', async () => {
    expect((await failureOf(() => simulate(planOf(SMALL), problem))).code).toBe('engine/invariant');
  });
});

function candidatesOf(events: readonly MetricEvent[]): MetricCandidate[] {
  return events.filter((event) => event.kind === 'candidate');
}
