import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import type {
  MetricCandidate,
  CandidateOutcome,
  MetricCounts,
  MetricEvent,
} from '../../../src/search/metrics/events.ts';
import { correlationMatrix } from '../../../src/search/metrics/correlation.ts';
import { figuresOf } from '../../../src/search/metrics/figures.ts';
import { hallOfFame, paretoFront } from '../../../src/search/metrics/pareto.ts';
import { isComplete, fitnessOf } from '../../../src/search/lifecycle/outcome.ts';
import { bestOf, foldMetricEvent, newMetricState } from '../../../src/search/metrics/state.ts';
import type { MetricState } from '../../../src/search/metrics/state.ts';
import { planOf, simulate, simulation } from './simulation.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../../src/search/metrics/settings.ts';

const OPENED: MetricEvent = {
  kind: 'opened',
  ...{ blocks: 8, denseLosses: [3, 3, 3, 3, 3, 3, 3, 3], densePerplexity: Math.exp(3), fingerprint: 'f' },
  ...{ device: 'cpu', parameters: 10, architecture: 'llama' },
};

function candidate(
  id: number,
  outcome: CandidateOutcome,
  more: Partial<MetricCandidate> = {},
): MetricEvent & MetricCandidate {
  return {
    kind: 'candidate',
    ...{ id, generation: 0, operator: 'grow', parents: [], expression: 'mul(W, X)', size: 3, depth: 2, outcome },
    ...more,
  };
}

function generation(number: number, counts: Partial<MetricCounts> = {}): MetricEvent {
  const none = { candidates: 0, invalid: 0, duplicates: 0, stoppedEarly: 0, fullEvaluations: 0, evaluations: 0 };
  const statistics = { best: null, mean: null, worst: null, bestSoFar: null };
  return { kind: 'generation', generation: number, ...statistics, counts: { ...none, ...counts } };
}

const full = (perplexity: number): CandidateOutcome => ({ kind: 'full', perplexity });
const stopped = (perplexity: number): CandidateOutcome => ({ kind: 'stopped', rung: 0, blocks: 1, perplexity });
const shared = (of: number, perplexity: number): CandidateOutcome => ({ kind: 'shared', of, by: 'mask', perplexity });
const INVALID: CandidateOutcome = { kind: 'invalid', reason: 'constant', detail: 'it is 0 for every weight' };

/** Folds events that come a second apart, or at the times given. */
function stateOf(events: readonly MetricEvent[], times?: readonly number[]): MetricState {
  const state = newMetricState();
  events.forEach((event, i) => foldMetricEvent(state, event, times?.[i] ?? 1000 * i));
  return state;
}

describe('the state of a search', () => {
  it('is what the loop itself counts, after each generation and at the end', async () => {
    const problem = simulation(1);
    const { events, outcome } = await simulate(planOf({ population: 20, generations: 4, seed: 1 }), problem);
    const state = newMetricState();
    foldMetricEvent(state, { kind: 'opened', ...problem.opening }, 0);
    for (const event of events) {
      // Without `measured` events, which the coordinator keeps, the work is known at the end of each generation.
      if (event.kind === 'generation')
        expect({ ...state.counts, evaluations: 0 }).toEqual({ ...event.counts, evaluations: 0 });
      foldMetricEvent(state, event, 0);
    }
    expect(state.counts).toEqual(outcome.counts);
    expect(bestOf(state)?.id).toBe(outcome.finalists[0]!.id);
    const best = state.candidates
      .filter(({ outcome: { kind } }) => kind === 'full')
      .sort((a, b) => fitnessOf(a)! - fitnessOf(b)! || a.id - b.id);
    expect(best.slice(0, 5).map(({ id }) => id)).toEqual(outcome.finalists.map(({ id }) => id));
    expect(state.generations).toHaveLength(4);
    expect(state.revision).toBe(events.length + 1);
  });

  it.each<[string, MetricEvent[], MetricState['status']]>([
    ['nothing yet', [], 'starting'],
    ['resumed before it was open', [{ kind: 'resumed' }], 'starting'],
    ['open', [OPENED], 'running'],
    ['paused', [OPENED, { kind: 'paused' }], 'paused'],
    ['resumed', [OPENED, { kind: 'paused' }, { kind: 'resumed' }], 'running'],
    ['finished', [OPENED, { kind: 'finished', counts: stateOf([]).counts, best: [3] }], 'finished'],
    ['failed', [OPENED, { kind: 'failed', error: failure() }], 'failed'],
    ['resumed after a failure', [OPENED, { kind: 'failed', error: failure() }, { kind: 'resumed' }], 'running'],
  ])('%s', (_, events, status) => {
    const state = stateOf(events);
    expect(state.status).toBe(status);
    expect(state.error !== undefined).toBe(status === 'failed');
  });

  it('counts work from what was measured, baselines apart', () => {
    const measured = (id: number, blocks: number): MetricEvent => ({
      kind: 'measured',
      ...{ id, rung: 0, measure: { kind: 'loss', blocks, loss: 4 }, seconds: 1 },
    });
    const state = stateOf([OPENED, measured(-1, 8), measured(0, 2), measured(1, 2), measured(0, 6)]);
    expect(state.counts.evaluations).toBe(10 / 8);
  });

  it('keeps each new best with the work until then', () => {
    const outcomes = [full(50), stopped(30), full(45), full(47), shared(2, 45), INVALID, full(44)];
    const state = stateOf([OPENED, ...outcomes.map((outcome, id) => candidate(id, outcome))]);
    expect(state.improvements.map(({ id, fitness }) => [id, fitness])).toEqual([
      [0, 50],
      [2, 45],
      [6, 44],
    ]);
    expect(state.candidates.map((one) => isComplete(one, state.byId))).toEqual([
      true,
      false,
      true,
      true,
      true,
      false,
      true,
    ]);
    expect(state.candidates.map(fitnessOf)).toEqual([50, 30, 45, 47, 45, undefined, 44]);
  });
});

describe('the Pareto front', () => {
  it('holds what nothing smaller is as good as, of random candidates', () => {
    const rng = new Rng(70);
    for (let round = 0; round < 30; round++) {
      const events = Array.from({ length: 60 }, (_, id) => {
        const perplexity = 20 + rng.integer(25);
        const outcome = [full(perplexity), stopped(perplexity), INVALID, shared(rng.integer(60), perplexity)][
          rng.integer(4)
        ]!;
        return candidate(id, outcome, { size: 1 + rng.integer(9) });
      });
      const state = stateOf(events);
      const complete = state.candidates.filter((one) => isComplete(one, state.byId));
      const value = (one: MetricCandidate): number => fitnessOf(one)!;
      const front = paretoFront(state);
      for (const one of complete) {
        const isBeaten = complete.some(
          (other) =>
            (other.size < one.size && value(other) <= value(one)) ||
            (other.size === one.size && value(other) < value(one)),
        );
        const sameOnFront = front.some((other) => other.size === one.size && value(other) === value(one));
        expect(sameOnFront).toBe(!isBeaten);
      }
      const fame = hallOfFame(state);
      expect(new Set(fame.map(({ size }) => size)).size).toBe(fame.length);
      expect(fame.length).toBe(new Set(complete.map(({ size }) => size)).size);
    }
  });
});

describe('correlations', () => {
  it('are those of the counts with the log of the perplexity', () => {
    const expressions = ['mul(W, X)', 'sqrt(W)', 'mul(W, mul(W, sqrt(X)))', 'add(X, G)', 'exp(W)'];
    const perplexities = [20, 30, 10, 80, 0];
    const state = stateOf(
      expressions.map((expression, id) => candidate(id, id === 4 ? INVALID : full(perplexities[id]!), { expression })),
    );
    const matrix = correlationMatrix(state.candidates);
    expect(matrix.candidates).toBe(4);
    expect(matrix.symbols).toEqual(['W', 'X', 'mul', 'sqrt', 'G', 'add']);
    expect(matrix.occurrences).toEqual([3, 3, 2, 2, 1, 1]);
    const logs = perplexities.slice(0, 4).map(Math.log);
    const counts: Record<string, number[]> = {
      W: [1, 1, 2, 0],
      X: [1, 0, 1, 1],
      mul: [1, 0, 2, 0],
      sqrt: [0, 1, 1, 0],
    };
    for (const [symbol, values] of Object.entries(counts)) {
      const i = matrix.symbols.indexOf(symbol);
      expect(matrix.withLoss[i]).toBeCloseTo(pearson(values, logs), 12);
      expect(matrix.withEachOther[i]![0]).toBeCloseTo(pearson(values, counts['W']!), 12);
      expect(matrix.withEachOther[i]![i]).toBeCloseTo(1, 12);
    }
  });

  it('say nothing of what is the same in all', () => {
    const state = stateOf([20, 30].map((perplexity, id) => candidate(id, full(perplexity))));
    expect(correlationMatrix(state.candidates)).toMatchObject({
      symbols: ['W', 'X', 'mul'],
      withLoss: [null, null, null],
    });
    expect(correlationMatrix([])).toMatchObject({ symbols: [], candidates: 0 });
  });
});

describe('figures', () => {
  const settings = { ...DEFAULT_METRIC_SEARCH_SETTINGS, generations: 10 };

  it('have nothing to say before anything happened', () => {
    expect(figuresOf(stateOf([]), settings)).toEqual({
      candidatesPerMinute: undefined,
      saved: undefined,
      secondsLeft: undefined,
      progress: 0,
    });
  });

  it('tell speed, saving and time left', () => {
    const counts = { candidates: 40, invalid: 10, evaluations: 6 };
    const state = stateOf([OPENED, generation(0), generation(1, counts)], [0, 60_000, 80_000]);
    const { candidatesPerMinute, saved, secondsLeft, progress } = figuresOf(state, settings);
    expect(candidatesPerMinute).toBeCloseTo(30, 9);
    expect(saved).toBeCloseTo(0.8, 9);
    expect(secondsLeft).toBeCloseTo(8 * 40, 9);
    expect(progress).toBeCloseTo(0.2, 9);
  });

  it('do not count pauses, nor the time before a killed search goes on', () => {
    const state = stateOf(
      [
        OPENED,
        generation(0),
        { kind: 'paused' },
        { kind: 'resumed' },
        generation(1),
        { kind: 'resumed' },
        generation(2),
      ],
      [0, 1000, 1500, 90_000, 91_000, 500_000, 501_000],
    );
    expect(state.times.worked).toBe(1000 + 500 + 1000 + 1000);
    expect(figuresOf(state, settings).secondsLeft).toBeCloseTo((7 * 3.5) / 3, 9);
  });

  it('go by the budget where it ends first', () => {
    const withBudget = { ...settings, budget: 12 };
    const state = stateOf(
      [OPENED, generation(0, { evaluations: 4 }), generation(1, { evaluations: 8 })],
      [0, 10_000, 20_000],
    );
    const { secondsLeft, progress } = figuresOf(state, withBudget);
    expect(secondsLeft).toBeCloseTo(10, 9);
    expect(progress).toBeCloseTo(8 / 12, 9);
  });
});

describe('ten thousand candidates', () => {
  it('fold one by one: the state is never copied', () => {
    const rng = new Rng(71);
    const state = newMetricState();
    const { candidates, byId } = state;
    for (let id = 0; id < 10_000; id++) {
      foldMetricEvent(state, candidate(id, full(20 + rng.uniform()), { size: 1 + rng.integer(20) }), id);
      if (id % 50 === 49) foldMetricEvent(state, generation((id - 49) / 50, { candidates: id + 1 }), id);
    }
    expect([state.candidates === candidates, state.byId === byId, byId.size]).toEqual([true, true, 10_000]);
    expect(paretoFront(state).length).toBeGreaterThan(0);
    expect(correlationMatrix(state.candidates).candidates).toBe(10_000);
  });
});

function failure(): { code: 'internal'; operation: string; expected: string; actual: string; remedy: string } {
  return { code: 'internal', operation: 'a', expected: 'b', actual: 'c', remedy: 'D.' };
}

function pearson(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const covariance = x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0);
  const norm = (values: readonly number[], m: number): number =>
    Math.sqrt(values.reduce((s, v) => s + (v - m) ** 2, 0));
  return covariance / norm(x, mx) / norm(y, my);
}
