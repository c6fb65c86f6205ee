import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runSearchOf } from '../../src/coordinator/coordinator.ts';
import type { SearchRunOptions } from '../../src/coordinator/coordinator.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { defaultsOf } from '../../src/experiment/settingRow.ts';
import { forkWorker } from '../../src/protocol/workerProcess.ts';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { runKey } from '../../src/queue/wire.ts';
import { createRun } from '../../src/runs/runFolder.ts';
import type { RunEvent, SearchPlan } from '../../src/search/kinds.ts';
import { DEFAULT_LLM_SETTINGS } from '../../src/search/llm/settings.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../../src/search/masks/settings.ts';
import { DEFAULT_SEARCH_OPERATIONS } from '../../src/search/metrics/plan.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../src/search/metrics/settings.ts';
import { EVOPRESS_SETTINGS } from '../../src/search/rates/evopress/settings.ts';
import { DEFAULT_SELF_PRUNER_SETTINGS } from '../../src/search/rates/selfPruner/settings.ts';
import {
  hasPostgres,
  hasRedis,
  startPostgres,
  startRedis,
  WITHOUT_POSTGRES,
  WITHOUT_REDIS,
} from '../support/queueServers.ts';
import type { TestServer } from '../support/queueServers.ts';
import { WorkerProcesses } from './workerProcesses.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SAMPLE = path.join(ROOT, 'media/sample');
const SETTINGS = { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, length: 64, samples: 4, blocks: 9 } as const;
const SCORE = { kind: 'method', method: 'wanda-sp' } as const;
const ABOUT = {
  model: SAMPLE,
  text: path.join(SAMPLE, 'test.txt'),
  calibration: path.join(SAMPLE, 'calibration.txt'),
  settings: SETTINGS,
} as const;
const SHARE = { kind: 'unstructured', share: 0.4 } as const;
const RATES = {
  ...({ kind: 'rates', name: 'rates', ...ABOUT, sparsity: SHARE } as const),
  target: { kind: 'structure', name: 'wanda-sp', score: SCORE },
  baselines: [{ name: 'uniform', rates: { kind: 'uniform' } }],
} as const;

const PLANS: Readonly<Record<string, SearchPlan>> = {
  metrics: {
    ...{ kind: 'metrics', name: 'metrics', ...ABOUT, sparsity: { kind: 'unstructured', share: 0.5 } },
    ...{ operands: ['W', 'X', 'G'], operations: DEFAULT_SEARCH_OPERATIONS, seeds: [], baselines: [] },
    search: { ...DEFAULT_METRIC_SEARCH_SETTINGS, population: 9, generations: 3, elites: 2, finalists: 2 },
  },
  'rates by Self-Pruner': {
    ...RATES,
    search: {
      ...DEFAULT_SELF_PRUNER_SETTINGS,
      ...{ population: 6, mutations: 4, crossovers: 3, generations: 3, finalists: 2 },
      ...{ initialise: 'classical', mutate: 'classical', cross: 'classical' },
    },
    llm: DEFAULT_LLM_SETTINGS,
    prompts: { initialise: '', mutate: '', cross: '', again: '' },
  },
  'rates by EvoPress': {
    ...RATES,
    search: {
      ...defaultsOf(EVOPRESS_SETTINGS),
      ...{ offspring: 8, rounds: [3, 9], survivors: [2, 1], generations: 4, finalists: 2 },
    },
  },
  masks: {
    ...{ kind: 'masks', name: 'masks', ...ABOUT, sparsity: SHARE, score: SCORE, baselines: [] },
    search: { ...DEFAULT_MASK_SEARCH_SETTINGS, steps: 10, masks: 3, batch: 4, tokens: 32, checkpoints: 4, rate: 0.05 },
  },
};

const KINDS = [
  { name: `Redis${WITHOUT_REDIS}`, start: startRedis, isThere: hasRedis },
  { name: `PostgreSQL${WITHOUT_POSTGRES}`, start: startPostgres, isThere: hasPostgres },
] as const;

let folder: string;
beforeAll(async () => {
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/setup.mjs')], { stdio: 'ignore' });
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-queue-runs-'));
}, 240_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

let second = 0;
/** What stands in the journal, without times; what was answered at the same time may stand in any order. */
async function eventsOf(plan: SearchPlan, options: Partial<SearchRunOptions>): Promise<[readonly string[], string]> {
  const createdAt = new Date(1763804575000 + 1000 * second++);
  const run = await createRun(plan, { root: folder, createdAt, versions: {} });
  const cacheFolder = path.join(folder, 'cache');
  await mkdir(cacheFolder, { recursive: true });
  const events: RunEvent[] = [];
  await runSearchOf(run, {
    signal: new AbortController().signal,
    spawn: () => forkWorker({ file: path.join(ROOT, 'dist/worker.cjs'), cacheFolder, log: () => undefined }),
    onEvent: ({ event }) => events.push(event),
    ...options,
  });
  const told = events.map((event) => JSON.stringify(event, (key, value: unknown) => (key === 'seconds' ? 0 : value)));
  return [told.sort(), runKey(run.record)];
}

describe.each(KINDS)('over $name, by three processes of espalier worker,', ({ start, isThere }) => {
  let server: TestServer;
  const workers = new WorkerProcesses();
  beforeAll(async () => {
    if (!isThere) return;
    server = await start();
    workers.start(path.join(ROOT, 'dist/cli.cjs'), server.url, folder, 3);
  }, 120_000);
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(workers.text);
  });
  afterAll(async () => {
    await workers.stop();
    if (isThere) await server.dispose();
  }, 60_000);

  it.skipIf(!isThere).each(Object.keys(PLANS))('a search for %s comes to what processes here come to', async (kind) => {
    const plan = PLANS[kind]!;
    const [expected] = await eventsOf(plan, { workers: 2 });
    const [found, key] = await eventsOf(plan, {
      queue: readQueueAddress(server.url),
      spawn: () => {
        throw new Error('nothing is started here');
      },
    });
    expect(found).toEqual(expected);
    if (server.url.startsWith('postgres')) return;
    // Workers may be about to see that it is over.
    const keys = (): string =>
      String(execFileSync('redis-cli', ['-p', String(server.port), 'keys', `*${key}*`])).trim();
    await expect.poll(keys, { timeout: 60_000 }).toBe('');
  });
});
