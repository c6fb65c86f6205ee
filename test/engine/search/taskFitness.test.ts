import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { packBits } from '../../../src/experiment/components.ts';
import type { Candidate, Sequences } from '../../../src/experiment/measuringSchema.ts';
import type { PlannedEvaluation } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import type { ModelMask } from '../../../src/experiment/structureSchema.ts';
import type { PlannedTasks, TaskDocument } from '../../../src/experiment/taskSchema.ts';
import { printPrefix } from '../../../src/metric/print.ts';
import { runMetricSearch } from '../../../src/search/metrics/runMetricSearch.ts';
import type { MetricEvent } from '../../../src/search/metrics/events.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import type { SearchPlan } from '../../../src/search/kinds.ts';
import type { ComponentsOpening, MeasuredLoss } from '../../../src/search/lifecycle/events.ts';
import type { MaskSearchPlan } from '../../../src/search/masks/plan.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../../../src/search/masks/settings.ts';
import type { MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../../src/search/metrics/settings.ts';
import { EVOPRESS_SETTINGS } from '../../../src/search/rates/evopress/settings.ts';
import { defaultsOf } from '../../../src/experiment/settingRow.ts';
import type { RateSearchPlan } from '../../../src/search/rates/plan.ts';
import { without } from '../../support/without.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';

// A candidate's fitness is what its export would answer: computed here of the log-likelihoods that an evaluation tells with --details.

const PIQA = [
  { goal: 'open a door', sol1: 'turn the handle', sol2: 'paint the wall', label: 0 },
  { goal: 'open a jar', sol1: 'sing', sol2: 'turn the lid to the left', label: 1 },
  { goal: 'cool a drink', sol1: 'put ice in it', sol2: 'put fire under it', label: 0 },
];
const RTE = ['a cat sleeps', 'it rains', 'he runs', 'she sings', 'they eat'].map((sentence1, i) => ({
  ...{ sentence1, sentence2: `${sentence1} now`, label: i % 2, idx: i },
}));
const share = 0.5;
const sparsity = { kind: 'unstructured', share } as const;
const expression = parsePrefix('mul(W, sqrt(X))');
const SETTINGS = {
  device: 'cpu',
  threads: 1,
  samples: 2,
  blocks: 2,
  length: 24,
  offsets: 'even',
  calibrate: 'one-shot',
} as const;
const DOCUMENTS = PIQA.length + RTE.length;

describe('a fitness by tasks', () => {
  const engine = createEngine();
  let family: TemporaryFamily;
  let folder: string;
  let tasks: PlannedTasks;
  beforeAll(async () => {
    family = await temporaryFamily('llama-2 grouped queries');
    folder = await mkdtemp(path.join(tmpdir(), 'espalier-task-fitness-'));
    tasks = { list: [await asTask('piqa', PIQA), await asTask('rte', RTE)], harness: '0.4', beginning: 'none' };
  });
  let files = 0;
  async function asTask(task: string, documents: readonly object[]): Promise<PlannedTasks['list'][number]> {
    const file = path.join(folder, `${task}-${files++}.jsonl`);
    await writeFile(file, documents.map((document) => `${JSON.stringify(document)}\n`).join(''));
    return { task, documents: file, shots: 0, limit: 0 };
  }
  afterAll(async () => {
    await engine.dispose();
    await family.remove();
    await rm(folder, { recursive: true });
  });

  const common = () => ({
    ...{ name: 'searched', model: family.folder, text: family.textFile, calibration: family.calibrationFile, tasks },
    settings: { ...DEFAULT_SETTINGS, ...SETTINGS },
    sparsity,
  });
  const metricPlan = (): MetricSearchPlan => ({
    ...{ kind: 'metrics', ...common(), operations: [], operands: ['W', 'X'], seeds: [], baselines: [] },
    search: { ...DEFAULT_METRIC_SEARCH_SETTINGS, objective: 'tasks' },
  });
  const ratePlan = (): RateSearchPlan => ({
    ...{ kind: 'rates', ...common(), baselines: [], target: { kind: 'weights', metric: 'wanda', expression } },
    search: { ...defaultsOf(EVOPRESS_SETTINGS), objective: 'tasks' },
  });
  const maskPlan = (): MaskSearchPlan => ({
    ...{ kind: 'masks', ...common(), baselines: [], score: { kind: 'method', method: 'wanda-sp' } },
    search: { ...DEFAULT_MASK_SEARCH_SETTINGS, objective: 'tasks' },
  });
  const measure = async (candidate: Candidate, on: Sequences): Promise<MeasuredLoss> => {
    const [measured] = await engine.measure({ candidates: [candidate], on });
    if (measured!.answer.kind !== 'loss') throw new Error(measured!.answer.detail);
    return measured!.answer;
  };
  const all: Sequences = { kind: 'blocks', begin: 0, end: DOCUMENTS };

  /** Of an evaluation: the documents of each task. */
  async function answersOf(evaluation: PlannedEvaluation | undefined): Promise<readonly TaskDocument[]> {
    const inputs = without(without(common(), 'name'), 'sparsity');
    const found: TaskDocument[] = [];
    await engine.evaluate(
      { ...inputs, evaluations: evaluation ? [evaluation] : [] },
      { onTaskDocument: (document) => found.push(document) },
    );
    // The dense model's come first.
    return found.slice(-DOCUMENTS);
  }

  /** Means over the tasks of the means over their documents. */
  function expected(documents: readonly TaskDocument[]): { loss: number; accuracy: number } {
    const meanOf = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;
    const byTask = ['piqa', 'rte'].map((task) => documents.filter((document) => document.task === task));
    const loss = ({ logLikelihoods, gold }: TaskDocument): number =>
      Math.log(logLikelihoods.reduce((sum, each) => sum + Math.exp(each - logLikelihoods[gold]!), 0));
    return {
      loss: meanOf(byTask.map((own) => meanOf(own.map(loss)))),
      accuracy: meanOf(byTask.map((own) => meanOf(own.map(({ gold, predicted }) => Number(gold === predicted))))),
    };
  }

  test('of the dense model stands in the opening, with its accuracy and the documents’ number', async () => {
    const opening = await engine.open(metricPlan());
    const { loss, accuracy } = expected(await answersOf(undefined));
    expect(opening).toMatchObject({ objective: 'tasks', blocks: DOCUMENTS });
    expect(opening.denseTaskLoss).toBeCloseTo(loss, 5);
    expect(opening.denseAccuracy).toBeCloseTo(accuracy, 9);
    expect(opening.denseLosses.reduce((sum, each) => sum + each, 0) / DOCUMENTS).toBeCloseTo(loss, 5);
  });

  let mask: ModelMask;
  beforeAll(async () => {
    const { components } = (await engine.open(maskPlan())) as ComponentsOpening;
    mask = components.map(({ groups, channels }, block) => ({
      groups: packBits(Array.from({ length: groups }, () => 1)),
      channels: packBits(Array.from({ length: channels }, (_, i) => Number((i + block) % 3 !== 0))),
    }));
  });
  test.each<[string, () => SearchPlan, () => Candidate, () => PlannedEvaluation]>([
    ['a metric', metricPlan, () => ({ kind: 'metric', expression }), () => ({ metric: 'wanda', expression, sparsity })],
    [
      'rates',
      ratePlan,
      () => ({ kind: 'rates', rates: [0.3, 0.5, 0.7] }),
      () => ({ metric: 'wanda', expression, sparsity, rates: { kind: 'given', rates: [0.3, 0.5, 0.7] } }),
    ],
    [
      'a mask',
      maskPlan,
      () => ({ kind: 'mask', mask }),
      () => ({ metric: 'mask', structure: { kind: 'mask', mask }, sparsity }),
    ],
  ])('of %s is that of an evaluation’s log-likelihoods', async (_, plan, candidate, evaluation) => {
    const { loss, accuracy } = expected(await answersOf(evaluation()));
    await engine.open(plan());
    const measured = await measure(candidate(), all);
    expect(measured.blocks).toBe(DOCUMENTS);
    expect(Math.abs(measured.loss - loss)).toBeLessThan(1e-5);
    expect(measured.right! / DOCUMENTS).toBeCloseTo(accuracy, 9);
  });
  test('lets the candidates win that answer best where they are evaluated', async () => {
    const sparse = { kind: 'unstructured', share: 0.7 } as const;
    const seeds = ['W', 'mul(W, sqrt(X))', 'div(X, W)', 'mul(W, sqr(X))'].map((text) => ({
      metric: text,
      expression: parsePrefix(text),
    }));
    const known = new Map<string, { readonly loss: number; readonly accuracy: number }>();
    for (const seed of seeds) known.set(seed.metric, expected(await answersOf({ ...seed, sparsity: sparse })));
    const best = [...known].sort(([, one], [, other]) => one.loss - other.loss).map(([metric]) => metric);
    const plan: MetricSearchPlan = {
      ...metricPlan(),
      ...{ sparsity: sparse, seeds },
      search: { ...metricPlan().search, population: 4, generations: 1, finalists: 4, elites: 1 },
    };
    const opening = await engine.open(plan);
    const events: MetricEvent[] = [];
    const { finalists } = await runMetricSearch(
      plan,
      {
        probe: async (trials) =>
          (await engine.probe({ expressions: trials.map((trial) => trial.expression) })).map(({ answer }) => answer),
        measure: async (proposals, { begin, end }) => {
          const candidates = proposals.map(
            (proposal) => ({ kind: 'metric', expression: proposal.expression }) as const,
          );
          return (await engine.measure({ candidates, on: { kind: 'blocks', begin, end } })).map(({ answer }) => answer);
        },
        emit: (event) => {
          events.push(event);
          return Promise.resolve();
        },
      },
      { opening },
    );
    expect(finalists.map((finalist) => printPrefix(finalist.expression))).toEqual(best);
    expect(best[0]).not.toBe('W');
    for (const event of events) {
      if (event.kind !== 'candidate') continue;
      const { loss, accuracy } = known.get(event.expression)!;
      expect(event.outcome).toMatchObject({ kind: 'full', accuracy: expect.closeTo(accuracy, 9) as number });
      expect(event.outcome).toMatchObject({ taskLoss: expect.closeTo(loss, 5) as number });
    }
  });

  test('of parts adds up to that of all, each document weighted by its task', async () => {
    await engine.open(metricPlan());
    const candidate = { kind: 'metric', expression } as const;
    const whole = await measure(candidate, all);
    const parts = [
      await measure(candidate, { kind: 'blocks', begin: 0, end: 3 }),
      await measure(candidate, { kind: 'blocks', begin: 3, end: DOCUMENTS }),
    ];
    const sumOf = (of: (part: MeasuredLoss) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
    expect(sumOf(({ loss, blocks }) => loss * blocks) / DOCUMENTS).toBeCloseTo(whole.loss, 5);
    expect(sumOf(({ right }) => right!)).toBeCloseTo(whole.right!, 9);
    const picked = await measure(candidate, { kind: 'documents', documents: [3, 4, 5, 6, 7] });
    expect(picked).toEqual(parts[1]);
  });

  test('is the same alone and among others, and with any number of threads, to the last bit', async () => {
    const others = ['W', 'Wsigned', 'sqr(W)'].map(
      (text) => ({ kind: 'metric', expression: parsePrefix(text) }) as const,
    );
    const bits = new Set<number>();
    for (const threads of [1, 2, 3]) {
      const plan = metricPlan();
      await engine.open({ ...plan, settings: { ...plan.settings, threads } });
      for (const candidates of [[], others]) {
        const measured = await engine.measure({ candidates: [...candidates, { kind: 'metric', expression }], on: all });
        const { answer } = measured.at(-1)!;
        bits.add(answer.kind === 'loss' ? answer.loss : NaN);
      }
    }
    expect(bits.size).toBe(1);
  });

  test('has an opening of its own for each set of tasks', async () => {
    const plan = metricPlan();
    const { list } = tasks;
    const openings = [
      await engine.open(plan),
      await engine.open({ ...plan, tasks: { ...tasks, list: [list[0]!, { ...list[1]!, limit: 4 }] } }),
      await engine.open({ ...plan, tasks: { ...tasks, list: [...list].reverse() } }),
      await engine.open({ ...plan, search: DEFAULT_METRIC_SEARCH_SETTINGS }),
    ];
    expect(new Set(openings.map(({ fingerprint }) => fingerprint)).size).toBe(4);
    expect(new Set(openings.map(({ densePerplexity }) => densePerplexity)).size).toBe(1);
    expect(openings.map(({ blocks }) => blocks)).toEqual([DOCUMENTS, DOCUMENTS - 1, DOCUMENTS, 2]);
  });

  test.each([
    ['no tasks', () => undefined, 'no tasks'],
    [
      'answers that are generated',
      () => ({ ...tasks, list: [{ ...tasks.list[0]!, task: 'gsm8k' }] }),
      'gsm8k, whose answers are generated',
    ],
  ])('is refused for %s', async (_, of, actual) => {
    await writeFile(
      path.join(folder, 'gsm8k.jsonl'),
      `${JSON.stringify({ question: 'How many?', answer: '#### 1' })}\n`,
    );
    const plan = without(metricPlan(), 'tasks');
    const asked = of()?.list.map((task) => ({ ...task, documents: path.join(folder, 'gsm8k.jsonl') }));
    const opened = engine.open({ ...plan, ...(asked && { tasks: { ...tasks, list: asked } }) });
    await expect(opened).rejects.toMatchObject({ code: 'settings/invalid', data: { actual } });
  });

  test.each<[string, () => SearchPlan, Sequences]>([
    ['documents that are not there', metricPlan, { kind: 'blocks', begin: 7, end: 9 }],
    ['none', metricPlan, { kind: 'blocks', begin: 3, end: 3 }],
    ['samples of a text', maskPlan, { kind: 'samples', offsets: [0], tokens: 8 }],
    [
      'documents of a search by another objective',
      () => ({ ...metricPlan(), search: DEFAULT_METRIC_SEARCH_SETTINGS }),
      { kind: 'documents', documents: [0] },
    ],
  ])('refuses %s', async (_, plan, on) => {
    await engine.open(plan());
    await expect(engine.measure({ candidates: [{ kind: 'metric', expression }], on })).rejects.toMatchObject({
      code: 'engine/invariant',
    });
  });
});
