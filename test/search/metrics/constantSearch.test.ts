import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MetricCandidate, MetricEvent } from '../../../src/search/metrics/events.ts';
import { parseExpression } from '../../../src/language/check/compile.ts';
import type { Expression } from '../../../src/metric/expression.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { printInfix } from '../../../src/metric/print.ts';
import { isNonNegative } from '../../../src/metric/sign.ts';
import { LIMITS } from '../../../src/search/metrics/constants.ts';
import { metricEventSchema, metricPlanSchema } from '../../../src/search/metrics/schema.ts';
import type { MetricSearchSettings } from '../../../src/search/metrics/settings.ts';
import { nodesOf } from '../../../src/search/metrics/tree.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { planOf, simulate, simulation } from './simulation.ts';
import type { SimulatedRun } from './simulation.ts';

const problem = simulation(1);
const small = { population: 30, generations: 8, seed: 1 };

describe('a search without constants', () => {
  it.each([
    [1, 'bd6dc92bc753285a'],
    [2, '6692df2df63fef36'],
  ])('takes the course that it took before there were any: seed %d', async (seed, expected) => {
    const { events } = await simulate(planOf({ ...small, seed }), problem);
    const course = candidatesOf(events).map(({ id, operator, parents, expression, outcome }) => [
      ...[id, operator, parents, expression, outcome.kind],
      outcome.kind === 'shared' ? [outcome.of, outcome.by] : [],
    ]);
    const hash = createHash('sha256').update(JSON.stringify(course)).digest('hex');
    expect(hash.slice(0, 16)).toBe(expected);
  });
});

describe.each(['exponents', 'all'] as const)('a search with constants: %s', (constants) => {
  let run: SimulatedRun;
  beforeAll(async () => {
    run = await simulate(planOf({ ...small, constants }), problem);
  });

  it('tells of every candidate once, in what the journal takes, within the limits', () => {
    const candidates = candidatesOf(run.events);
    expect(candidates.map(({ id }) => id).sort((a, b) => a - b)).toEqual(candidates.map((_, id) => id));
    for (const event of run.events) expect(metricEventSchema.safeParse(event).error).toBeUndefined();
    for (const { size, depth } of candidates) expect([size <= 24, depth <= 6]).toEqual([true, true]);
    expect(candidates.filter(({ operator }) => operator === 'tune').length).toBeGreaterThan(15);
  });

  it('has numbers as exponents of what is not negative, and as factors where those are asked for', () => {
    const kinds = new Set<string>();
    for (const { expression, outcome } of candidatesOf(run.events)) {
      const tree = parsePrefix(expression);
      // What divides by zero the language refuses to read.
      if (outcome.kind !== 'invalid') expect(parseExpression(printInfix(tree))).toEqual(tree);
      for (const { node } of nodesOf(tree)) {
        if (node.kind !== 'operation' || !node.arguments.some(({ kind }) => kind === 'number')) continue;
        const [x, y] = node.arguments as [Expression, Expression];
        const [kind, inner, value] = node.operation === 'power' ? ['exponent', x, y] : ['factor', y, x];
        if (value.kind !== 'number') throw new Error(`${expression}: no number where one belongs`);
        expect(['power', 'mul']).toContain(node.operation);
        expect(inner.kind, expression).not.toBe('number');
        if (kind === 'exponent' && !Number.isInteger(value.value)) expect(isNonNegative(inner), expression).toBe(true);
        const { low, high } = LIMITS[kind as keyof typeof LIMITS];
        expect(value.value >= low && value.value <= high).toBe(true);
        expect(String(value.value)).toMatch(/^[\d.]{1,6}$/);
        kinds.add(kind);
      }
    }
    expect([...kinds].sort()).toEqual(constants === 'all' ? ['exponent', 'factor'] : ['exponent']);
  });

  it('evaluates no constant that changes no mask', () => {
    const byId = new Map(candidatesOf(run.events).map((candidate) => [candidate.id, candidate]));
    const evaluated = new Set(run.questions.flatMap((asked) => /^measure (.*) on/.exec(asked)?.[1]!.split(' ') ?? []));
    const maskOf = ({ expression }: MetricCandidate): string => {
      const probe = problem.probe(parsePrefix(expression));
      return probe.kind === 'ranks' ? probe.fingerprint : probe.reason;
    };
    let same = 0;
    for (const candidate of candidatesOf(run.events).filter(({ operator }) => operator === 'tune')) {
      if (maskOf(candidate) !== maskOf(byId.get(candidate.parents[0]!)!)) continue;
      same++;
      expect(candidate.outcome.kind).toBe('shared');
      expect(evaluated.has(String(candidate.id))).toBe(false);
    }
    const tuned = candidatesOf(run.events).filter(({ operator }) => operator === 'tune');
    const measured = tuned.filter(({ id }) => evaluated.has(String(id)));
    // The probe looks for a step that changes something before anything is evaluated, and mostly finds one, even among 160 weights.
    expect(measured.length).toBeGreaterThan(same);
    expect(same).toBeLessThan(0.3 * tuned.length);
  });

  it('probes forms of a candidate before the candidate, and what it becomes not again', () => {
    const asked = run.questions.flatMap((question) => /^probe (.*)$/.exec(question)?.[1]!.split(' ') ?? []);
    expect(new Set(asked).size).toBe(asked.length);
    const tuned = candidatesOf(run.events).filter(({ operator }) => operator === 'tune');
    for (const { id } of tuned) {
      expect(asked).toContain(`${id}/0`);
      expect(asked).not.toContain(String(id));
    }
    const trials = asked.filter((one) => one.includes('/')).length;
    expect(trials).toBeLessThanOrEqual(4 * tuned.length);
    expect(trials).toBeGreaterThan(tuned.length);
  });

  it('is the same again, and after it was stopped', async () => {
    expect(await simulate(planOf({ ...small, constants }), problem)).toEqual(run);
    for (const moment of [35, 90]) {
      const abort = new AbortController();
      const before: MetricEvent[] = [];
      const onEvent = (event: MetricEvent): void => {
        before.push(event);
        if (before.length === moment) abort.abort();
      };
      const more = { signal: abort.signal, onEvent };
      const failure = await failureOf(() => simulate(planOf({ ...small, constants }), problem, more));
      expect(failure.code).toBe('cancelled');
      expect(before).toEqual(run.events.slice(0, before.length));
    }
  });
});

describe('what constants bring', () => {
  it('is a better metric where sums need scales and exponents', async () => {
    const better: boolean[] = [];
    for (const seed of [1, 2, 3, 4]) {
      const own = simulation(seed);
      const best = async (constants: MetricSearchSettings['constants']): Promise<number> => {
        const search = { constants, seed, population: 20, generations: 6, size: 9 };
        const plan = planOf(search, { operations: ['add'], operands: ['W', 'X'] });
        return (await simulate(plan, own)).outcome.finalists[0]!.perplexity;
      };
      better.push((await best('all')) < (await best('none')));
    }
    expect(better).toEqual([true, true, true, true]);
  });

  it('is drawn at random by a random search too', async () => {
    const { events } = await simulate(planOf({ ...small, method: 'random', constants: 'all' }), problem);
    const candidates = candidatesOf(events);
    expect(candidates.some(({ expression }) => expression.includes('power('))).toBe(true);
    expect(candidates.every(({ operator }) => operator === 'grow' || operator === 'full')).toBe(true);
  });

  it('can start from metrics that have some, as they are written', async () => {
    const seeds = ['W ^ 1.23 * X ^ -0.5', '2 * W * X'].map((text) => ({
      ...{ metric: text, expression: parseExpression(text) },
    }));
    const { events } = await simulate(planOf({ ...small, constants: 'exponents' }, { seeds }), problem);
    const first = candidatesOf(events).filter(({ operator }) => operator === 'seed');
    expect(first.map(({ expression }) => expression).sort()).toEqual([
      'mul(mul(2, W), X)',
      'mul(power(W, 1.23), power(X, -0.5))',
    ]);
    expect(candidatesOf(events).some(({ parents }) => parents.includes(0))).toBe(true);
  });
});

describe('a plan that was written before there were constants', () => {
  it('means none', () => {
    const plan = planOf({}, { model: 'model', text: 'text.txt' });
    const { constants, ...search } = plan.search;
    expect(constants).toBe('none');
    expect(metricPlanSchema.parse({ ...plan, search })).toEqual(plan);
  });
});

function candidatesOf(events: readonly MetricEvent[]): MetricCandidate[] {
  return events.filter((event) => event.kind === 'candidate');
}
