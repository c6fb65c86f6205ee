import { beforeAll, describe, expect, it } from 'vitest';
import type { MetricCandidate, MetricEvent, MetricGeneration } from '../../../src/search/metrics/events.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { runMetricSearch } from '../../../src/search/metrics/runMetricSearch.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { planOf, simulate, simulation } from './simulation.ts';
import type { SimulatedRun } from './simulation.ts';
import { metricEventSchema } from '../../../src/search/metrics/schema.ts';

const problem = simulation(1);
const small = { population: 30, generations: 6 };

describe('a search', () => {
  let run: SimulatedRun;
  beforeAll(async () => {
    run = await simulate(planOf({ ...small, seed: 1 }), problem);
  });

  it('tells of every candidate once, with its parents before it', () => {
    const ids = candidatesOf(run.events).map(({ id }) => id);
    expect([...ids].sort((a, b) => a - b)).toEqual(Array.from({ length: 30 + 5 * 25 }, (_, i) => i));
    for (const { id, generation, parents, operator } of candidatesOf(run.events)) {
      expect(parents.every((parent) => parent < id && generationOf(run.events, parent) < generation)).toBe(true);
      expect(parents.length === 0).toBe(['grow', 'full', 'seed'].includes(operator));
    }
    const operators = new Set(candidatesOf(run.events).map(({ operator }) => operator));
    expect(operators.size).toBe(8);
  });

  it('emits what the journal takes', () => {
    for (const event of run.events) expect(metricEventSchema.safeParse(event).error).toBeUndefined();
  });

  it('keeps to the limits of depth and size', async () => {
    const limits = { depth: 3, size: 5 };
    const { events } = await simulate(planOf({ ...small, ...limits, seed: 2 }), problem);
    for (const { size, depth, expression } of candidatesOf(events)) {
      expect([size <= 5, depth <= 3, expression.includes('(') || size === 1]).toEqual([true, true, true]);
    }
    expect(Math.max(...candidatesOf(run.events).map(({ depth }) => depth))).toBeGreaterThan(4);
  });

  it('counts what it says', () => {
    const counts = generationsOf(run.events).at(-1)!.counts;
    const of = (kind: string): number => candidatesOf(run.events).filter(({ outcome }) => outcome.kind === kind).length;
    expect(counts).toMatchObject({
      candidates: 155,
      invalid: of('invalid'),
      duplicates: of('shared'),
      stoppedEarly: of('stopped'),
      fullEvaluations: of('full'),
    });
    const blocks = run.questions.reduce((sum, question) => {
      const [, ids, begin, end] = /^measure (.*) on (\d+) to (\d+)$/.exec(question) ?? [];
      return ids === undefined ? sum : sum + ids.split(' ').length * (Number(end) - Number(begin));
    }, 0);
    expect(counts.evaluations).toBeCloseTo(blocks / problem.opening.blocks, 9);
    expect(run.outcome.counts).toEqual(counts);
    for (const value of Object.values(counts)) expect(value).toBeGreaterThan(0);
  });

  it('shares only with who ranks the same', () => {
    const perplexities = new Map<number, number>();
    for (const { id, outcome } of candidatesOf(run.events)) {
      if (outcome.kind !== 'invalid') perplexities.set(id, outcome.perplexity!);
    }
    const masks = (text: string): unknown => problem.probe(parsePrefix(text));
    const byId = new Map(candidatesOf(run.events).map((event) => [event.id, event]));
    const shared = candidatesOf(run.events).filter(({ outcome }) => outcome.kind === 'shared');
    for (const { expression, outcome } of shared) {
      if (outcome.kind !== 'shared') continue;
      const other = byId.get(outcome.of)!;
      expect(['full', 'stopped']).toContain(other.outcome.kind);
      expect(outcome.perplexity).toBe(perplexities.get(outcome.of));
      expect(masks(expression), `${expression} against ${other.expression}`).toEqual(masks(other.expression));
    }
    expect(new Set(shared.map(({ outcome }) => outcome.kind === 'shared' && outcome.by)).size).toBe(2);
  });

  it('names the best that were evaluated in full as finalists, each once', () => {
    const best = candidatesOf(run.events)
      .flatMap(({ id, outcome }) => (outcome.kind === 'full' ? [{ id, perplexity: outcome.perplexity }] : []))
      .sort((a, b) => a.perplexity! - b.perplexity!);
    expect(run.outcome.finalists.map(({ id }) => id)).toEqual(best.slice(0, 5).map(({ id }) => id));
    expect(generationsOf(run.events).at(-1)!.bestSoFar).toEqual({
      id: best[0]!.id,
      perplexity: expect.closeTo(best[0]!.perplexity!, 9) as number,
    });
  });

  it('is the same for the same seed, and another for another', async () => {
    const again = await simulate(planOf({ ...small, seed: 1 }), problem);
    expect(again).toEqual(run);
    const other = await simulate(planOf({ ...small, seed: 3 }), problem);
    expect(other.events).not.toEqual(run.events);
  });

  it('goes on from where it was stopped, by asking again', async () => {
    for (const moment of [1, 40, 120]) {
      const abort = new AbortController();
      let emitted = 0;
      const before: MetricEvent[] = [];
      const failure = await failureOf(() =>
        simulate(planOf({ ...small, seed: 1 }), problem, {
          signal: abort.signal,
          onEvent: (event) => {
            before.push(event);
            if (++emitted === moment) abort.abort();
          },
        }),
      );
      expect(failure.code).toBe('cancelled');
      expect(before).toEqual(run.events.slice(0, before.length));
    }
  });
});

describe('sharing', () => {
  it('changes neither the course nor the result, only the work', async () => {
    for (const seed of [1]) {
      const shared = await simulate(planOf({ ...small, seed, rungs: 1 }), problem);
      const unshared = await simulate(planOf({ ...small, seed, rungs: 1, sharing: 'off' }), problem);
      expect(courseOf(unshared.events)).toEqual(courseOf(shared.events));
      expect(bestOfEach(unshared.events)).toEqual(bestOfEach(shared.events));
      const { counts } = unshared.outcome;
      expect(counts.duplicates).toBe(0);
      expect(counts.evaluations).toBeCloseTo(counts.candidates - counts.invalid, 9);
      expect(shared.outcome.counts.evaluations).toBeLessThan(0.75 * counts.evaluations);
    }
  });
});

describe('rungs', () => {
  it('save most of the work and find as good a metric', async () => {
    const ratios: number[] = [];
    for (const seed of [1, 2, 3]) {
      const full = await simulate(planOf({ ...small, seed, rungs: 1, sharing: 'off' }), problem);
      const laddered = await simulate(planOf({ ...small, seed }), problem);
      expect(laddered.outcome.counts.evaluations).toBeLessThan(full.outcome.counts.evaluations / 3);
      ratios.push(laddered.outcome.finalists[0]!.fitness / full.outcome.finalists[0]!.fitness);
    }
    expect(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length).toBeLessThan(1.02);
  });
});

describe('the budget', () => {
  it('lets no generation begin once it is spent', async () => {
    const { events } = await simulate(planOf({ population: 20, generations: 1000, budget: 12, seed: 1 }), problem);
    const spent = generationsOf(events).map(({ counts }) => counts.evaluations);
    expect(spent.at(-1)).toBeGreaterThanOrEqual(12);
    expect(spent.at(-2)).toBeLessThan(12);
  });
});

describe('evolution', () => {
  it('beats random search with the same budget', async () => {
    const better: boolean[] = [];
    for (const seed of [1, 2, 3, 4]) {
      const problem = simulation(seed);
      const best = async (method: 'pruner-zero' | 'random'): Promise<number> => {
        const plan = planOf({ method, seed, population: 40, generations: 1000, budget: 25 });
        return (await simulate(plan, problem)).outcome.finalists[0]!.fitness;
      };
      better.push((await best('pruner-zero')) < (await best('random')));
    }
    expect(better).toEqual([true, true, true, true]);
  });

  it('finds better metrics than magnitude, Wanda and W · G', async () => {
    const baselines = ['W', 'mul(W, sqrt(X))', 'mul(W, G)'].map((text) => ({
      metric: text,
      expression: parsePrefix(text),
    }));
    const { outcome, events, questions } = await simulate(planOf({ ...small, seed: 4 }, { baselines }), problem);
    const measured = events.flatMap((event) => (event.kind === 'baseline' ? [event.perplexity!] : []));
    expect(measured).toHaveLength(3);
    expect(outcome.finalists[0]!.fitness).toBeLessThan(Math.min(...measured));
    expect(questions[0]).toBe('measure -1 -2 -3 on 0 to 18');
  });
});

describe('seeds', () => {
  it('are the first candidates, as they are written, and parents of others', async () => {
    const seeds = ['mul(skp(W), sqrt(X))', 'sub(W, W)', '3'].map((text) => ({
      metric: text,
      expression: parsePrefix(text),
    }));
    const { events } = await simulate(planOf({ ...small, seed: 5 }, { seeds }), problem);
    const first = candidatesOf(events)
      .filter(({ operator }) => operator === 'seed')
      .sort((a, b) => a.id - b.id);
    expect(first.map(({ id, expression }) => [id, expression])).toEqual([
      [0, 'mul(skp(W), sqrt(X))'],
      [1, 'sub(W, W)'],
      [2, '3'],
    ]);
    expect(first.map(({ outcome }) => (outcome.kind === 'invalid' ? outcome.reason : outcome.kind))).toEqual([
      expect.stringMatching(/full|stopped/),
      'constant',
      'no-operand',
    ]);
    expect(candidatesOf(events).some(({ parents }) => parents.includes(0))).toBe(true);
  });
});

describe('bad answers', () => {
  it('make a candidate invalid, and no one shares its evaluation', async () => {
    const reasons = new Set<string>();
    const events: MetricEvent[] = [];
    const plan = planOf({ ...small, seed: 6 });
    const { finalists } = await runMetricSearch(
      plan,
      {
        probe: (candidates) => Promise.resolve(candidates.map(({ expression }) => problem.probe(expression))),
        measure: (candidates, rung) =>
          Promise.resolve(
            candidates.map(({ id, expression }) => {
              if (id % 5 === 0) return { kind: 'invalid', reason: 'quarantined', detail: 'two workers ended' };
              if (id % 5 === 1) return { kind: 'loss', blocks: rung.end - rung.begin, loss: id % 2 === 0 ? 1e4 : NaN };
              return problem.measure(expression, rung);
            }),
          ),
        emit(event) {
          events.push(event);
          return Promise.resolve();
        },
      },
      { opening: problem.opening },
    );
    for (const { id, outcome } of candidatesOf(events)) {
      if (outcome.kind === 'invalid') reasons.add(outcome.reason);
      if (outcome.kind === 'full' || outcome.kind === 'stopped') expect(id % 5).toBeGreaterThan(1);
    }
    expect([...reasons].sort()).toEqual(expect.arrayContaining(['not-finite', 'quarantined']));
    expect(finalists.length).toBeGreaterThan(0);
    for (const event of events) expect(metricEventSchema.safeParse(event).error).toBeUndefined();
  });
});

function candidatesOf(events: readonly MetricEvent[]): MetricCandidate[] {
  return events.filter((event) => event.kind === 'candidate');
}

function generationsOf(events: readonly MetricEvent[]): MetricGeneration[] {
  return events.filter((event) => event.kind === 'generation');
}

function generationOf(events: readonly MetricEvent[], id: number): number {
  return candidatesOf(events).find((event) => event.id === id)!.generation;
}

/** Who came from whom, and how good it was. */
function courseOf(events: readonly MetricEvent[]): unknown[] {
  return candidatesOf(events)
    .sort((a, b) => a.id - b.id)
    .map(({ id, operator, parents, expression, outcome }) => {
      const value = outcome.kind === 'invalid' ? outcome.reason : outcome.perplexity!.toPrecision(12);
      return [id, operator, parents, expression, value];
    });
}

function bestOfEach(events: readonly MetricEvent[]): unknown[] {
  return generationsOf(events).map(({ bestSoFar }) => bestSoFar?.perplexity!.toPrecision(12));
}
