import { beforeAll, describe, expect, it } from 'vitest';
import type { MeasureOutcome } from '../../../../src/search/lifecycle/events.ts';
import type { Rung } from '../../../../src/search/lifecycle/rung.ts';
import type { AskedRates } from '../../../../src/search/rates/effects.ts';
import type { RateCandidate, RateEvent } from '../../../../src/search/rates/events.ts';
import type { EvoPressSettings } from '../../../../src/search/rates/evopress/settings.ts';
import { rateEventSchema, ratePlanSchema } from '../../../../src/search/rates/schema.ts';
import { foldRateEvent, newRateState } from '../../../../src/search/rates/state.ts';
import { failureOf } from '../../../support/expectCoded.ts';
import { evoPressPlan, lossOnBlocks, noisyProblem, ratePlan, simulateRates } from '../simulation.ts';
import type { RateProblem, RateRun } from '../simulation.ts';

/** Of the fitness text. */
const BLOCKS = 16;

const noisy = (seed: number, count = 8): RateProblem => noisyProblem(seed, count, BLOCKS);

const run = (problem: RateProblem, search: Partial<EvoPressSettings> = {}): Promise<RateRun> =>
  simulateRates(evoPressPlan(search), problem);

describe.each([1, 2, 3, 4])('EvoPress on problem %i', (seed) => {
  const problem = noisy(seed);
  let found: RateRun;
  let candidates: readonly RateCandidate[];
  beforeAll(async () => {
    found = await run(problem, { generations: 25 });
    candidates = candidatesOf(found.events);
  });

  it('beats uniform and OWL', () => {
    const baselines = found.events.flatMap((event) => (event.kind === 'baseline' ? [event.perplexity!] : []));
    expect(baselines).toHaveLength(2);
    expect(found.outcome.finalists[0]!.fitness).toBeLessThan(Math.min(...baselines));
  });

  it('removes the same in all of every configuration, in whole steps from uniform', () => {
    for (const { rates } of candidates) {
      const steps = rates.map((rate) => (rate - 0.3) / 0.05);
      for (const step of steps) expect(step).toBeCloseTo(Math.round(step), 9);
      expect(steps.reduce((sum, step) => sum + Math.round(step), 0)).toBe(0);
    }
  });

  it('begins uniform, and makes every other configuration by switches of the parent, which is the best of the last round', () => {
    expect(candidates[0]).toMatchObject({ operator: 'uniform', parents: [], generation: 0 });
    let parent = 0;
    for (let generation = 1; generation <= 25; generation++) {
      const own = candidates.filter((each) => each.generation === generation);
      expect(own).toHaveLength(16);
      expect(new Set(own.map(({ rates }) => rates.join())).size).toBe(16);
      expect(own.every(({ operator, parents }) => operator === 'switch' && parents.join() === String(parent))).toBe(
        true,
      );
      expect(own.map(({ rates }) => rates.join())).not.toContain(
        candidates.find(({ id }) => id === parent)!.rates.join(),
      );
      // The last round is the whole text here: who is best there is the next parent, the old one among them.
      const complete = own.flatMap(({ id, outcome }) =>
        outcome.kind === 'full' || outcome.kind === 'shared' ? [{ id, perplexity: outcome.perplexity }] : [],
      );
      const before = candidates.find(({ id }) => id === parent)!.outcome;
      const [best] = complete.sort((a, b) => a.perplexity! - b.perplexity!);
      if (before.kind !== 'invalid' && best && best.perplexity! <= before.perplexity!) parent = best.id;
    }
  });

  it('measures rounds on as many blocks as the plan says, at one place for all of a round, and fewer in each', () => {
    const rungs = new Map<number, Set<string>>();
    const asked = new Map<number, number>();
    for (const { id, rung } of found.measured) {
      if (id < 0) continue;
      rungs.set(rung.index, (rungs.get(rung.index) ?? new Set()).add(`${rung.begin} ${rung.end}`));
      asked.set(rung.index, (asked.get(rung.index) ?? 0) + 1);
    }
    expect([...rungs.values()].every((places) => places.size === 1)).toBe(true);
    for (let generation = 1; generation <= 25; generation++) {
      const [first, second, third] = [0, 1, 2].map((round) => asked.get(4 * generation + round) ?? 0);
      expect([first, second]).toEqual([16, 6]);
      // On the whole text nobody is measured twice.
      expect(third).toBeLessThanOrEqual(2);
    }
    // Each generation draws other blocks.
    const places = [...rungs].flatMap(([index, places]) => (index % 4 === 0 ? [...places] : []));
    expect(new Set(places).size).toBeGreaterThan(5);
    expect(places.every((place) => Number(place.split(' ')[1]) - Number(place.split(' ')[0]) === 2)).toBe(true);
  });

  it('tells of every configuration once, as the journal takes it, and what became of it', () => {
    for (const event of found.events) expect(rateEventSchema.safeParse(event).error).toBeUndefined();
    expect(candidates.map(({ id }) => id).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1 + 25 * 16 }, (_, i) => i),
    );
    const of = (kind: string) => candidates.filter(({ outcome }) => outcome.kind === kind);
    // Ten of each generation go in the first round, four in the second one, but for those whose loss on the whole text is known from before.
    expect(of('stopped').length + of('shared').length).toBeGreaterThanOrEqual(25 * 14);
    expect(of('full').length).toBeLessThanOrEqual(1 + 25 * 2);
    const stops = of('stopped').map(({ outcome }) =>
      outcome.kind === 'stopped' ? [outcome.rung, outcome.blocks] : [],
    );
    expect(new Set(stops.map(String))).toEqual(new Set(['0,2', '1,8']));
    expect(stops.filter(([rung]) => rung === 1).length).toBeLessThanOrEqual(25 * 4);
  });

  it('names the best that were measured on the whole text, and counts what it did', () => {
    const state = newRateState();
    const opening = { kind: 'opened', ...problem.opening } as const;
    foldRateEvent(state, opening, 0);
    let evaluations = 0;
    for (const { id, rung } of found.measured) if (id >= 0) evaluations += (rung.end - rung.begin) / BLOCKS;
    for (const event of found.events) foldRateEvent(state, event, 0);
    expect(found.outcome.counts).toEqual(state.counts);
    expect(found.outcome.counts.evaluations).toBeCloseTo(evaluations, 9);
    expect(found.outcome.counts).toMatchObject({ candidates: 401, invalid: 0, calls: 0, cost: 0 });
    const complete = candidates.flatMap(({ id, outcome }) =>
      outcome.kind === 'full' || (outcome.kind === 'shared' && outcome.of < 0)
        ? [{ id, perplexity: outcome.perplexity }]
        : [],
    );
    complete.sort((a, b) => a.perplexity! - b.perplexity!);
    expect(found.outcome.finalists.map(({ fitness }) => fitness)).toEqual(
      complete.slice(0, 3).map(({ perplexity }) => perplexity),
    );
    expect(state.improvements.at(-1)!.id).toBe(found.outcome.finalists[0]!.id);
  });
});

describe('EvoPress', () => {
  const problem = noisy(1);

  it('is the same again with the same plan and answers, and another one with another seed', async () => {
    const [first, again, other] = await Promise.all([run(problem), run(problem), run(problem, { seed: 1 })]);
    expect(again.events).toEqual(first.events);
    expect(candidatesOf(other.events)).not.toEqual(candidatesOf(first.events));
  });

  it('never loses its parent to a worse one where the last round is the whole text', async () => {
    const { events } = await run(problem, { generations: 30 });
    const best = events.flatMap((event) => (event.kind === 'generation' ? [event.bestSoFar!.perplexity] : []));
    expect(best).toEqual([...best].sort((a, b) => b! - a!));
    expect(best.at(-1)!).toBeLessThan(best[0]!);
  });

  it('measures a new parent on the whole text where no round does, once', async () => {
    const { measured, events } = await run(problem, { rounds: [2, 4], survivors: [4, 1], generations: 15 });
    const whole = measured.filter(({ id, rung }) => id >= 0 && rung.end - rung.begin === BLOCKS);
    const parents = new Set(candidatesOf(events).flatMap(({ parents }) => parents));
    expect(new Set(whole.map(({ id }) => id)).size).toBe(whole.length);
    for (const parent of parents) if (parent > 0) expect(whole.map(({ id }) => id)).toContain(parent);
    // The old parent is measured again on the blocks of each last round.
    const last = measured.filter(({ rung }) => rung.index % 3 === 1 && rung.index > 3);
    expect(last.some(({ id, rung }) => id < 1 + 16 * (Math.floor(rung.index / 3) - 1))).toBe(true);
  });

  it('measures the first one once, on the whole text, and not at all where a baseline has its rates', async () => {
    const [compared, alone] = await Promise.all(
      [evoPressPlan(), { ...evoPressPlan(), baselines: [] }].map((plan) => simulateRates(plan, problem)),
    );
    const asked = ({ measured }: RateRun) => measured.filter(({ id, rung }) => id === 0 && rung.index < 4);
    expect(asked(compared!)).toEqual([]);
    expect(candidatesOf(compared!.events)[0]!.outcome).toMatchObject({ kind: 'shared', of: -1 });
    expect(asked(alone!).map(({ rung }) => [rung.begin, rung.end])).toEqual([[0, BLOCKS]]);
  });

  it('asks for no more blocks than there are, and for none twice in one round', async () => {
    const { measured } = await run(problem, { rounds: [1, 32, 64], generations: 3 });
    expect(Math.max(...measured.map(({ rung }) => rung.end))).toBe(BLOCKS);
    const keys = measured.map(({ id, rung }) => `${id} ${rung.index}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('wanders among equals: the new one of two that come to the same is the parent', async () => {
    const flat = (_: AskedRates, { begin, end }: Rung): MeasureOutcome => ({
      kind: 'loss',
      blocks: end - begin,
      loss: 4,
    });
    const { events } = await simulateRates(evoPressPlan({ generations: 6 }), problem, { measure: flat });
    expect(new Set(candidatesOf(events).flatMap(({ parents }) => parents)).size).toBe(6);
  });

  it('has fewer offspring where there are no more, and goes on', async () => {
    const small = noisy(5, 2);
    const { events, outcome } = await run(small, { step: 0.15, generations: 4, switches: 1 });
    // Of two blocks, 30 % in steps of 15: five configurations in all.
    const distinct = new Set(candidatesOf(events).map(({ rates }) => rates.join()));
    expect(distinct.size).toBeLessThanOrEqual(5);
    for (let generation = 1; generation <= 4; generation++) {
      expect(candidatesOf(events).filter((each) => each.generation === generation).length).toBeLessThanOrEqual(2);
    }
    expect(outcome.finalists[0]!.fitness).toBeLessThanOrEqual(outcome.finalists.at(-1)!.fitness);
  });

  it.each<readonly [what: string, isWrong: (asked: AskedRates, rung: Rung) => boolean]>([
    ['every third', ({ id }) => id % 3 === 1],
    ['all of some generations', ({ id }) => id > 40 && id < 70],
    ['what gets to the whole text', (_, { begin, end }) => end - begin === BLOCKS],
    ['uniform', ({ id }) => id === 0],
    ['all', () => true],
  ])('goes on where %s has no finite loss, and says so of each', async (_, isWrong) => {
    // Whose rates a baseline has is not measured itself.
    const { events, outcome } = await simulateRates({ ...evoPressPlan({ generations: 8 }), baselines: [] }, problem, {
      measure: (asked, rung) =>
        asked.id >= 0 && isWrong(asked, rung)
          ? { kind: 'invalid', reason: 'not-finite', detail: 'it is broken' }
          : lossOnBlocks(problem, asked.rates, rung),
    });
    const candidates = candidatesOf(events);
    const invalid = candidates.filter(({ outcome }) => outcome.kind === 'invalid');
    expect(invalid.length).toBeGreaterThan(0);
    expect(outcome.counts.invalid).toBe(invalid.length);
    expect(new Set(candidates.map(({ id }) => id)).size).toBe(candidates.length);
    expect(events.filter(({ kind }) => kind === 'generation')).toHaveLength(9);
    for (const { id } of outcome.finalists) expect(invalid.map((each) => each.id)).not.toContain(id);
  });

  it('keeps a parent that has no finite loss on some blocks where nobody has one, and measures it no more', async () => {
    const plan = evoPressPlan({ rounds: [2, 4], survivors: [4, 1], generations: 6 });
    // The last round of the third generation.
    const lost = 3 * 3 + 1;
    const { events, measured, outcome } = await simulateRates(plan, problem, {
      measure: (asked, rung) =>
        rung.index === lost
          ? { kind: 'invalid', reason: 'not-finite', detail: 'it is broken' }
          : lossOnBlocks(problem, asked.rates, rung),
    });
    const candidates = candidatesOf(events);
    const [parent] = candidates.find(({ generation }) => generation === 3)!.parents as [number];
    expect(measured.some(({ id, rung }) => id === parent && rung.index === lost)).toBe(true);
    expect(measured.filter(({ id, rung }) => id === parent && rung.index > lost)).toEqual([]);
    // Its offspring are tried once more; one of them is the next parent. It is still what it was found to be.
    const next = candidates.filter(({ generation }) => generation === 4);
    expect(next.every(({ parents }) => parents[0] === parent)).toBe(true);
    expect(candidates.find(({ generation }) => generation === 5)!.parents[0]).not.toBe(parent);
    expect(candidates.find(({ id }) => id === parent)!.outcome.kind).not.toBe('invalid');
    expect(
      candidates.filter(({ outcome: { kind } }) => kind === 'invalid').map(({ generation }) => generation),
    ).toEqual(Array<number>(4).fill(3));
    expect(new Set(candidates.map(({ id }) => id)).size).toBe(candidates.length);
    expect(outcome.counts.invalid).toBe(4);
  });

  it('takes what no number holds on the scale of the whole text for no loss', async () => {
    const denseLosses = Array.from({ length: BLOCKS }, (_, i) => (i < BLOCKS / 2 ? 1 : 5));
    const uneven = { ...problem, opening: { ...problem.opening, denseLosses } };
    const { events, outcome } = await simulateRates(evoPressPlan({ generations: 6 }), uneven, {
      measure: ({ id }, { begin, end }) => ({ kind: 'loss', blocks: end - begin, loss: id > 0 ? 709 : 4 }),
    });
    for (const event of events) expect(rateEventSchema.safeParse(event).error).toBeUndefined();
    expect(outcome.counts.invalid).toBeGreaterThan(0);
  });

  it('ends with the code of the signal', async () => {
    const controller = new AbortController();
    const { data } = await failureOf(() =>
      simulateRates(evoPressPlan(), problem, {
        signal: controller.signal,
        onEvent: ({ kind }) => {
          if (kind === 'generation') controller.abort();
        },
      }),
    );
    expect(data.code).toBe('cancelled');
  });

  it('refuses what cannot be switched before anything is measured', async () => {
    const { data } = await failureOf(() =>
      simulateRates(evoPressPlan({ step: 0.5 }), problem, {
        measure: () => {
          throw new Error('something was measured');
        },
      }),
    );
    expect(data).toMatchObject({ code: 'settings/invalid' });
  });
});

describe('EvoPress that drops layers', () => {
  const problem = noisy(2);
  let found: RateRun;
  beforeAll(async () => {
    found = await run(problem, { drop: 'sublayers', starts: 24, generations: 10 });
  });

  it('begins with random configurations, and switches attention with attention and MLP with MLP', () => {
    const candidates = candidatesOf(found.events);
    const first = candidates.filter(({ generation }) => generation === 0);
    expect(first).toHaveLength(24);
    expect(first.every(({ operator, parents }) => operator === 'random' && parents.length === 0)).toBe(true);
    // 30 % of eight.
    for (const { dropped } of candidates) expect([dropped!.attention.length, dropped!.mlp.length]).toEqual([2, 2]);
    const keys = first.map(({ dropped }) => JSON.stringify(dropped));
    expect(new Set(keys).size).toBe(24);
  });

  it('tells rates that follow from the layers, as the journal takes them', () => {
    for (const event of found.events) expect(rateEventSchema.safeParse(event).error).toBeUndefined();
    const [{ groups, groupWeights, channels, channelWeights }] = problem.opening.components as [
      (typeof problem.opening.components)[0],
    ];
    const share = (groups * groupWeights) / (groups * groupWeights + channels * channelWeights);
    for (const { rates, dropped } of candidatesOf(found.events)) {
      for (const [i, rate] of rates.entries()) {
        expect(rate).toBeCloseTo(
          (dropped!.attention.includes(i) ? share : 0) + (dropped!.mlp.includes(i) ? 1 - share : 0),
          12,
        );
      }
    }
    expect(found.measured.filter(({ id }) => id >= 0).every(({ dropped }) => dropped !== undefined)).toBe(true);
  });

  it('gets better', () => {
    const best = found.events.flatMap((event) => (event.kind === 'generation' ? [event.bestSoFar!.perplexity] : []));
    expect(best.at(-1)!).toBeLessThan(best[0]!);
  });
});

describe('the plan of EvoPress', () => {
  it('is one without a language model, and that of Self-Pruner one with it', () => {
    const { llm, prompts, search } = ratePlan();
    const plan = evoPressPlan();
    expect(ratePlanSchema.safeParse(plan).error).toBeUndefined();
    for (const wrong of [
      { ...plan, llm, prompts },
      { ...plan, llm },
      { ...plan, search },
      { ...plan, llm, search },
    ]) {
      expect(ratePlanSchema.safeParse(wrong).success).toBe(false);
    }
    expect(ratePlanSchema.safeParse({ ...plan, llm, prompts, search }).error).toBeUndefined();
  });
});

function candidatesOf(events: readonly RateEvent[]): readonly RateCandidate[] {
  return events.flatMap((event) => (event.kind === 'candidate' ? [event] : []));
}
