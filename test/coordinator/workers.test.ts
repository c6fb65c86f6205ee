import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runSearchOf } from '../../src/coordinator/coordinator.ts';
import { DEFAULT_LLM_SETTINGS } from '../../src/search/llm/settings.ts';
import { type MaskSearchPlan } from '../../src/search/masks/plan.ts';
import type { RunEvent, SearchPlan } from '../../src/search/kinds.ts';
import type { Acknowledged, MetricEvent } from '../../src/search/metrics/events.ts';
import { DEFAULT_SEARCH_OPERATIONS } from '../../src/search/metrics/plan.ts';
import type { MetricSearchPlan } from '../../src/search/metrics/plan.ts';
import { runMetricSearch } from '../../src/search/metrics/runMetricSearch.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { forkWorker } from '../../src/protocol/workerProcess.ts';
import { createRun } from '../../src/runs/runFolder.ts';
import { generateCheckpoint } from '../support/generate/generateCheckpoint.ts';
import { generateText } from '../support/generate/text.ts';
import { threadCase } from '../support/numbersOfThreads.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../../src/search/masks/settings.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../src/search/metrics/settings.ts';
import { DEFAULT_SELF_PRUNER_SETTINGS } from '../../src/search/rates/selfPruner/settings.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** Blocks of few rows, of a model whose products threads part in different ways. */
const { recipe } = threadCase({
  ...{ family: 'llama-2 grouped queries', layers: 2, hidden: 128, intermediate: 320, heads: 4, kvHeads: 2 },
  ...{ length: 64, samples: 4, blocks: 9 },
});
const SETTINGS = { ...DEFAULT_SETTINGS, device: 'cpu', length: 64, samples: 4, blocks: 9 } as const;
const SCORE = { kind: 'method', method: 'wanda-sp' } as const;

let folder: string;
let about: Pick<MaskSearchPlan, 'model' | 'text' | 'calibration' | 'test'>;
beforeAll(async () => {
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/setup.mjs')], { stdio: 'ignore' });
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-workers-'));
  await generateCheckpoint(path.join(folder, 'model'), recipe);
  await writeFile(path.join(folder, 'text.txt'), generateText(1, 1000));
  await writeFile(path.join(folder, 'unseen.txt'), generateText(2, 1000));
  const [model, text, test] = ['model', 'text.txt', 'unseen.txt'].map((name) => path.join(folder, name));
  about = { model: model!, text: text!, calibration: text!, test: test! };
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

const PLANS: Readonly<Record<string, () => SearchPlan>> = {
  metrics: () => ({
    ...{
      kind: 'metrics',
      name: 'metrics',
      ...about,
      sparsity: { kind: 'unstructured', share: 0.5 },
      settings: SETTINGS,
    },
    ...{ operands: ['W', 'X', 'G'], operations: DEFAULT_SEARCH_OPERATIONS, seeds: [], baselines: [] },
    search: { ...DEFAULT_METRIC_SEARCH_SETTINGS, population: 9, generations: 3, elites: 2, finalists: 2 },
  }),
  rates: () => ({
    ...{ kind: 'rates', name: 'rates', ...about, sparsity: { kind: 'unstructured', share: 0.4 }, settings: SETTINGS },
    target: { kind: 'structure', name: 'wanda-sp', score: SCORE },
    baselines: [{ name: 'uniform', rates: { kind: 'uniform' } }],
    search: {
      ...DEFAULT_SELF_PRUNER_SETTINGS,
      ...{ population: 6, mutations: 4, crossovers: 3, generations: 3, finalists: 2 },
      ...{ initialise: 'classical', mutate: 'classical', cross: 'classical' },
    },
    llm: DEFAULT_LLM_SETTINGS,
    prompts: { initialise: '', mutate: '', cross: '', again: '' },
  }),
  masks: () => ({
    ...{ kind: 'masks', name: 'masks', ...about, sparsity: { kind: 'unstructured', share: 0.4 }, settings: SETTINGS },
    ...{ score: SCORE, baselines: [] },
    search: { ...DEFAULT_MASK_SEARCH_SETTINGS, steps: 20, masks: 3, batch: 4, tokens: 32, checkpoints: 4, rate: 0.05 },
  }),
};

let second = 0;

it('a search without generations, by one worker with few threads and many, comes to the same events; by two, to what their order says', async () => {
  const metrics = PLANS['metrics']!() as MetricSearchPlan;
  const plan = { ...metrics, search: { ...metrics.search, evolution: 'steady-state' } } as const;
  const one = await eventsOf(plan, 1, 2);
  expect(await eventsOf(plan, 1, 5)).toEqual(one);
  const events = (await toldBy(plan, 2, 2)).map((text) => JSON.parse(text) as MetricEvent);
  const said = (kinds: readonly string[]): MetricEvent[] => events.filter(({ kind }) => kinds.includes(kind));
  const acknowledged = said(['workers', 'probed', 'measured']) as Acknowledged[];
  expect(acknowledged[0]).toEqual({ kind: 'workers', count: 2 });
  const again: MetricEvent[] = [];
  let at = 0;
  await runMetricSearch(
    plan,
    {
      ...{ probe: () => Promise.reject(new Error('asked')), measure: () => Promise.reject(new Error('asked')) },
      emit: (event) => {
        again.push(event);
        return Promise.resolve();
      },
      singly: { ask: () => undefined, next: () => Promise.resolve(acknowledged[at++]!) },
    },
    { opening: said(['opened'])[0] as Extract<MetricEvent, { kind: 'opened' }> },
  );
  expect(again).toEqual(said(['candidate', 'generation']));
  expect(again.filter(({ kind }) => kind === 'candidate')).toHaveLength(9 + 2 * 7);
}, 240_000);

/** What stands in the journal of a search by real workers, without times; what they answered at the same time may stand in any order. */
async function eventsOf(plan: SearchPlan, workers: number, threads: number): Promise<readonly string[]> {
  return [...(await toldBy(plan, workers, threads))].sort();
}

async function toldBy(plan: SearchPlan, workers: number, threads: number): Promise<readonly string[]> {
  const settings = { ...plan.settings, threads };
  const createdAt = new Date(1763804575000 + 1000 * second++);
  const run = await createRun({ ...plan, settings }, { root: folder, createdAt, versions: {} });
  const cacheFolder = path.join(folder, `cache ${run.record.id}`);
  const events: RunEvent[] = [];
  await runSearchOf(run, {
    ...{ signal: new AbortController().signal, workers },
    spawn: () => forkWorker({ file: path.join(ROOT, 'dist/worker.cjs'), cacheFolder, log: () => undefined }),
    onEvent: ({ event }) => events.push(event),
  });
  return events.map((event) => JSON.stringify(event, (key, value: unknown) => (key === 'seconds' ? 0 : value)));
}

it.each(Object.keys(PLANS))(
  'a search for %s by one worker, by two and by three, with few threads and many, comes to the same events',
  async (kind) => {
    const plan = PLANS[kind]!();
    const one = await eventsOf(plan, 1, 2);
    expect(one.length).toBeGreaterThan(10);
    expect(await eventsOf(plan, 2, 2)).toEqual(one);
    expect(await eventsOf(plan, 3, 1)).toEqual(one);
    expect(await eventsOf(plan, 1, 5)).toEqual(one);
  },
  240_000,
);
