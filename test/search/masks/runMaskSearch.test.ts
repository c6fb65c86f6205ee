import { beforeAll, describe, expect, it } from 'vitest';
import { unpackBits } from '../../../src/experiment/components.ts';
import { unpackValues } from '../../../src/experiment/packedValues.ts';
import { resumeAfter } from '../../../src/search/masks/resume.ts';
import type { MaskResume } from '../../../src/search/masks/resume.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { maskPlan, maskProblem, simulateMasks, TOY_BLOCK } from './simulation.ts';
import type { MaskRun } from './simulation.ts';
import type { StepEvent, ProbabilitiesEvent, MaskEvent } from '../../../src/search/masks/events.ts';
import { maskEventSchema } from '../../../src/search/masks/schema.ts';

const problem = maskProblem(1);

describe('policy gradient', () => {
  it.each([1, 2, 3])('learns the masks that cost least, problem %i', async (seed) => {
    const toy = maskProblem(seed);
    const { outcome, events } = await simulateMasks(maskPlan({ steps: 1200, rate: 0.08, masks: 4 }), toy);
    const perplexities = checkpointsOf(events).map(({ perplexity }) => Math.log(perplexity!));
    // Of 16 groups the 8 that cost most stay, and half of the channels.
    const best = 3 + (lowestHalf(toy, 'groups') + lowestHalf(toy, 'channels')) / 40;
    const [first, last] = [perplexities[0]!, perplexities.at(-1)!];
    expect((first - last) / (first - best)).toBeGreaterThan(0.95);
    expect(toy.lossOf(outcome.mask)).toBeCloseTo(Math.min(...perplexities), 9);
  });

  it('improves on the scores that it begins with', async () => {
    const toy = maskProblem(7);
    // Costs that the scores know nothing of: a quarter of the channels costs ten times what its score says.
    const lossOf: typeof toy.lossOf = (mask) =>
      toy.lossOf(mask) +
      mask.reduce((sum, { channels }) => {
        const kept = unpackBits(channels, TOY_BLOCK.channels);
        return sum + kept.reduce((all, bit, i) => all + (i % 4 === 0 && bit === 0 ? 0.2 : 0), 0);
      }, 0);
    const plan = maskPlan({ initial: 'metric', steps: 1500, rate: 0.05 });
    const { events } = await simulateMasks(plan, { ...toy, lossOf });
    const perplexities = checkpointsOf(events).map(({ perplexity }) => perplexity!);
    expect(perplexities.at(-1)).toBeLessThan(perplexities[0]! * 0.7);
  });
});

describe('losses compared within their step', () => {
  const plan = maskPlan({ centre: 'step', steps: 30, checkpoints: 1, masks: 3 });

  it('teach the same however hard each batch is', async () => {
    const run = (hardness: number): Promise<MaskRun> =>
      simulateMasks(plan, problem, {
        losses: (step, masks) => masks.map((mask) => problem.lossOf(mask) + hardness * Math.sin(step)),
      });
    const [alike, uneven] = await Promise.all([run(0), run(8)]);
    const last = ({ events }: MaskRun): Float32Array =>
      unpackValues(checkpointsOf(events).at(-1)!.values.channels, 4 * TOY_BLOCK.channels)!;
    const [a, b] = [last(alike), last(uneven)];
    expect(Math.max(...a.map((value) => Math.abs(value - 0.5)))).toBeGreaterThan(1e-3);
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(1e-5);
  });

  it('need two masks', async () => {
    const run = (): Promise<MaskRun> => simulateMasks(maskPlan({ centre: 'step', masks: 1 }), problem);
    expect(await failureOf(run)).toMatchObject({ code: 'settings/invalid' });
  });
});

describe('a run', () => {
  const plan = maskPlan({ steps: 40, checkpoints: 4, masks: 3, initial: 'random', seed: 3 });
  const withGaps = (step: number, masks: readonly unknown[]): readonly (number | null)[] =>
    masks.map((mask, k) =>
      (step + k) % 7 === 0 ? null : problem.lossOf(mask as Parameters<typeof problem.lossOf>[0]),
    );
  let run: MaskRun;
  beforeAll(async () => {
    run = await simulateMasks(plan, problem, { losses: withGaps });
  });

  it('tells of every step once, and of probabilities at the first, evenly, and at the end', () => {
    expect(stepsOf(run.events).map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(checkpointsOf(run.events).map(({ step }) => step)).toEqual([0, 10, 20, 30, 40]);
    const order = run.events.map((event) => ('step' in event ? `${event.kind} ${event.step}` : event.kind));
    expect(order.slice(10, 13)).toEqual(['step 9', 'probabilities 10', 'step 10']);
    expect(order.at(-1)).toBe('probabilities 40');
  });

  it('emits what the journal takes', () => {
    for (const event of run.events) expect(maskEventSchema.safeParse(event).error).toBeUndefined();
  });

  it('counts what was left out', () => {
    const missing = (steps: readonly StepEvent[]): number =>
      steps.reduce((sum, { losses }) => sum + losses.filter((loss) => loss === null).length, 0);
    const steps = stepsOf(run.events);
    expect(run.outcome.leftOut).toBe(missing(steps));
    expect(run.outcome.leftOut).toBeGreaterThan(10);
    for (const { step, leftOut } of checkpointsOf(run.events)) expect(leftOut).toBe(missing(steps.slice(0, step)));
  });

  it('compares losses with the average of the steps before', () => {
    let average: number | null = null;
    for (const { losses, baseline } of stepsOf(run.events)) {
      const finite = losses.filter((loss) => loss !== null);
      const mean = finite.reduce((sum, loss) => sum + loss, 0) / finite.length;
      expect(baseline).toBeCloseTo(average ?? mean, 12);
      average = average === null ? mean : average + (mean - average) / 3;
    }
  });

  it('draws batches that lie within the calibration text, another one each step', () => {
    const batches = run.questions
      .filter((question) => question.startsWith('losses'))
      .map((question) => question.split('] ')[1]!);
    expect(new Set(batches).size).toBe(40);
    const offsets = batches.flatMap((batch) => (JSON.parse(batch) as { readonly offsets: readonly number[] }).offsets);
    expect(offsets).toHaveLength(40 * 8);
    expect(Math.min(...offsets)).toBeGreaterThanOrEqual(0);
    // 1000 tokens, sequences of 10.
    expect(Math.max(...offsets)).toBeLessThanOrEqual(990);
    expect(Math.max(...offsets)).toBeGreaterThan(900);
  });

  it('keeps the masks of the checkpoint that does best, of equal ones the latest', async () => {
    // Learns the wrong way round: the masks that cost most are rewarded.
    const worse = await simulateMasks(maskPlan({ steps: 600, rate: 0.1, initial: 'metric' }), problem, {
      losses: (_, masks) => masks.map((mask) => -problem.lossOf(mask)),
    });
    const perplexities = checkpointsOf(worse.events).map(({ perplexity }) => perplexity!);
    expect(perplexities.at(-1)).toBeGreaterThan(1.5 * perplexities[0]!);
    expect(Math.exp(problem.lossOf(worse.outcome.mask))).toBeCloseTo(Math.min(...perplexities), 9);

    const at = (step: number, perplexity: number | null): ProbabilitiesEvent => ({
      ...checkpointsOf(worse.events)[0]!,
      ...{ step, perplexity },
    });
    const kept = [at(0, null), at(1, 9), at(2, null), at(3, 7), at(4, 7), at(5, 8)].reduce(resumeAfter, undefined);
    expect([kept?.best.step, kept?.last.step]).toEqual([4, 5]);
  });

  it('removes the share of weights that was asked for', () => {
    for (const { removed } of checkpointsOf(run.events)) expect(removed).toBeCloseTo(0.5, 9);
  });

  it('is the same for the same seed, and another for another', async () => {
    expect(await simulateMasks(plan, problem, { losses: withGaps })).toEqual(run);
    const other = await simulateMasks({ ...plan, search: { ...plan.search, seed: 4 } }, problem, { losses: withGaps });
    expect(other.events).not.toEqual(run.events);
  });

  it('goes on from any checkpoint as if it had never stopped, through the journal’s text', async () => {
    let resume: MaskResume | undefined;
    for (const checkpoint of checkpointsOf(run.events)) {
      resume = resumeAfter(resume, JSON.parse(JSON.stringify(checkpoint)) as ProbabilitiesEvent);
      const rest = await simulateMasks(plan, problem, { losses: withGaps, resume });
      const place = run.events.indexOf(checkpoint);
      expect(rest.events).toEqual(run.events.slice(place + 1));
      expect(rest.outcome).toEqual(run.outcome);
    }
  });

  it('stops between two questions, and says the same until then', async () => {
    for (const moment of [1, 2, 17]) {
      const abort = new AbortController();
      const before: MaskEvent[] = [];
      const failure = await failureOf(() =>
        simulateMasks(plan, problem, {
          losses: withGaps,
          signal: abort.signal,
          onEvent: (event) => {
            before.push(event);
            if (before.length === moment) abort.abort();
          },
        }),
      );
      expect(failure.code).toBe('cancelled');
      expect(before).toEqual(run.events.slice(0, before.length));
      expect(before.length).toBeLessThanOrEqual(moment + 1);
    }
  });

  it('asks for scores only where probabilities start from them, and from the beginning', async () => {
    const metric = maskPlan({ steps: 4, checkpoints: 1, initial: 'metric' });
    const whole = await simulateMasks(metric, problem);
    expect(whole.questions.filter((question) => question === 'scores')).toHaveLength(1);
    const rest = await simulateMasks(metric, problem, {
      resume: resumeAfter(undefined, checkpointsOf(whole.events)[0]!),
    });
    expect(rest.questions).not.toContain('scores');
    expect(run.questions).not.toContain('scores');
  });

  it.each(['heads-channels', 'heads-channels-layers', 'layers'] as const)(
    'works on %s, per layer too',
    async (components) => {
      for (const budget of ['global', 'layer'] as const) {
        const each = maskPlan({ components, budget, steps: 300, checkpoints: 3, rate: 0.05, initial: 'random' });
        const { outcome, events } = await simulateMasks(each, problem);
        const [first, last] = [checkpointsOf(events)[0]!, checkpointsOf(events).at(-1)!];
        expect(last.perplexity).toBeLessThan(first.perplexity!);
        expect(last.removed).toBeCloseTo(0.5, 1);
        expect(last.values.blocks !== undefined).toBe(components !== 'heads-channels');
        const drops = outcome.mask.filter(({ dropped }) => dropped).length;
        expect(drops).toBe({ 'heads-channels': 0, 'heads-channels-layers': 1, layers: 2 }[components]);
        const masks = events.length === 0 ? [] : outcome.mask;
        if (components === 'layers') for (const { dropped, groups } of masks) expect(groups).toBe(dropped ? '0' : 'f');
      }
    },
  );

  it.each<readonly [string, () => Promise<unknown>, string]>([
    [
      'a text without room for a sequence',
      () => simulateMasks(maskPlan({ tokens: 1001 }), problem),
      'corpus/too-short',
    ],
    [
      'a checkpoint of another model',
      () => simulateMasks(plan, maskProblem(1, 7), { resume: resumeAfter(undefined, checkpointsOf(run.events)[1]!) }),
      'runs/damaged',
    ],
  ])('%s is refused', async (_, work, code) => {
    expect((await failureOf(work)).code).toBe(code);
  });

  it('does not learn from steps without finite losses', async () => {
    const { outcome, events } = await simulateMasks(maskPlan({ steps: 6, checkpoints: 2, masks: 2 }), problem, {
      losses: () => [null, 3],
    });
    const values = checkpointsOf(events).map((event) => event.values);
    expect(values[2]).toEqual(values[0]);
    expect(outcome.leftOut).toBe(6);
    const nothing = await simulateMasks(maskPlan({ steps: 3, checkpoints: 1, masks: 2 }), problem, {
      losses: () => [null, null],
    });
    expect(stepsOf(nothing.events).map(({ baseline }) => baseline)).toEqual([null, null, null]);
    for (const event of nothing.events) expect(maskEventSchema.safeParse(event).error).toBeUndefined();
  });
});

function stepsOf(events: readonly MaskEvent[]): readonly StepEvent[] {
  return events.filter((event) => event.kind === 'step');
}

function checkpointsOf(events: readonly MaskEvent[]): readonly ProbabilitiesEvent[] {
  return events.filter((event) => event.kind === 'probabilities');
}

/** What it costs to lose the cheaper half of a kind. */
function lowestHalf({ importance }: ReturnType<typeof maskProblem>, kind: 'groups' | 'channels'): number {
  const sorted = importance.flatMap((block) => block[kind]).sort((a, b) => a - b);
  return sorted.slice(0, sorted.length / 2).reduce((sum, value) => sum + value, 0);
}

describe('as the authors’ code has it', () => {
  const settings = { centre: 'authors', budget: 'at-most', steps: 60, rate: 0.05, masks: 2, checkpoints: 6 } as const;

  it('the last probabilities are the result, whatever did best before', async () => {
    const last = await simulateMasks(maskPlan({ ...settings, result: 'last' }), problem);
    const best = await simulateMasks(maskPlan(settings), problem);
    const checkpoints = checkpointsOf(last.events);
    expect(checkpoints.map(({ values }) => values)).toEqual(checkpointsOf(best.events).map(({ values }) => values));
    expect(Math.exp(problem.lossOf(last.outcome.mask))).toBeCloseTo(checkpoints.at(-1)!.perplexity!, 6);
    expect(problem.lossOf(best.outcome.mask)).toBeCloseTo(
      Math.log(Math.min(...checkpoints.map(({ perplexity }) => perplexity!))),
      6,
    );
  });

  it('a step is compared with an average that it is part of', async () => {
    const { events } = await simulateMasks(maskPlan({ ...settings, window: 4 }), problem);
    let average: number | undefined;
    for (const { losses, baseline } of stepsOf(events)) {
      const mean = losses.reduce<number>((sum, loss) => sum + loss!, 0) / losses.length;
      average = average === undefined ? mean : average * 0.75 + mean * 0.25;
      expect(baseline).toBeCloseTo(average, 9);
    }
  });
});
