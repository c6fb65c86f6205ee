import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import type { SearchRunOptions } from '../../src/coordinator/coordinator.ts';
import type { SeenWorker } from '../../src/experiment/seenWorker.ts';
import { Directory } from '../../src/queue/directory.ts';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import { QUEUE_FORMAT, runKey } from '../../src/queue/wire.ts';
import { createRun } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import type { RunPlan } from '../../src/search/kinds.ts';
import { maskPlan, maskProblem } from '../search/masks/simulation.ts';
import { planOf } from '../search/metrics/simulation.ts';
import { evoPressPlan, ratePlan, noisyProblem } from '../search/rates/simulation.ts';
import { recoveryPlan, recoveryProblem } from '../search/recovery/simulation.ts';
import { failureOf } from '../support/expectCoded.ts';
import {
  hasPostgres,
  hasRedis,
  startPostgres,
  startRedis,
  type TestServer,
  WITHOUT_POSTGRES,
  WITHOUT_REDIS,
} from '../support/queueServers.ts';
import { driveScripted, eventsOf, storyOf } from './drivenRun.ts';
import type { Driven } from './drivenRun.ts';
import { QueueHost } from './queueHost.ts';
import type { HostOptions } from './queueHost.ts';
import { ScriptedWorker } from './scriptedWorker.ts';
import type { Script } from './scriptedWorker.ts';

const SCRIPT: Script = {
  rates: noisyProblem(4, 8, 6),
  masks: maskProblem(5),
  recovery: recoveryProblem(),
  delay: () => 3,
};
const CLASSICAL = { initialise: 'classical', mutate: 'classical', cross: 'classical' } as const;
const PLANS: Readonly<Record<string, RunPlan>> = {
  metrics: planOf({ population: 12, generations: 3, elites: 3, finalists: 2, seed: 3 }, { test: 'test.txt' }),
  'rates by Self-Pruner': ratePlan({
    ...{ population: 6, mutations: 3, crossovers: 2, generations: 3, finalists: 2 },
    ...CLASSICAL,
  }),
  'rates by EvoPress': evoPressPlan({
    ...{ offspring: 7, rounds: [1, 2, 4], survivors: [4, 2, 1], generations: 3, finalists: 2 },
  }),
  masks: maskPlan({ steps: 12, masks: 3, checkpoints: 3, initial: 'metric' }),
  'a recovery': recoveryPlan(),
};
const METRICS = PLANS['metrics']!;

const root = await mkdtemp(path.join(tmpdir(), 'espalier-queue-pool-'));
afterAll(() => rm(root, { recursive: true, force: true }));

let second = 0;
/** @param at the same for runs that are the same */
function newRun(plan: RunPlan, at = second++): Promise<RunFolder> {
  const file = (name: string): string => path.join(root, name);
  const absolute = {
    ...{ ...plan, model: file('model'), text: file('text.txt') },
    ...(plan.test !== undefined && { test: file(plan.test) }),
    ...('train' in plan && { train: file('train.txt') }),
  };
  return createRun(absolute, { root, createdAt: new Date(1763804575000 + 1000 * at), versions: {} });
}

/** What a run comes to with processes of this machine. */
async function embeddedStory(plan: RunPlan): Promise<readonly string[]> {
  const run = await newRun(plan);
  await driveScripted(run, SCRIPT, { workers: 3 });
  return withoutNames(run);
}

async function withoutNames(run: RunFolder): Promise<readonly string[]> {
  return (await storyOf(run)).map((line) => line.replaceAll(run.record.id, 'RUN'));
}

const KINDS = [
  { name: `Redis${WITHOUT_REDIS}`, start: startRedis, isThere: hasRedis },
  { name: `PostgreSQL${WITHOUT_POSTGRES}`, start: startPostgres, isThere: hasPostgres },
] as const;

describe.each(KINDS)('over $name', ({ start, isThere }) => {
  let server: TestServer;
  beforeAll(async () => {
    if (isThere) server = await start();
  });
  afterAll(async () => {
    if (isThere) await server.dispose();
  });

  const hosts = (count: number, more: Partial<HostOptions> = {}, script: Script = SCRIPT): Promise<QueueHost[]> =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        QueueHost.start(server.url, { name: `w${i}`, root, spawn: () => new ScriptedWorker(script), ...more }),
      ),
    );
  const stop = (all: readonly QueueHost[]): Promise<unknown> => Promise.all(all.map((host) => host.stop()));
  const drive = (run: RunFolder, options: Partial<SearchRunOptions> = {}): Promise<Driven> =>
    driveScripted(run, SCRIPT, { queue: readQueueAddress(server.url), ...options });

  /** Numbers of jobs, and of runs in the directory, that there are of a run. */
  async function leftOf(run: RunFolder): Promise<number> {
    const other = await QueueServer.connect(readQueueAddress(server.url), { log: () => undefined });
    const key = runKey(run.record);
    const jobs = Object.values(await other.queue(`run-${key}`).counts()).reduce((sum, n) => sum + n, 0);
    const entry = await new Directory(other).runs.get(key);
    await other.close();
    return jobs + (entry ? 1 : 0);
  }

  it.skipIf(!isThere).each(Object.keys(PLANS))('%s comes to what processes here come to', async (kind) => {
    const plan = PLANS[kind]!;
    const expected = await embeddedStory(plan);
    const workers = await hosts(3);
    const run = await newRun(plan);
    const { outcome, workers: own } = await drive(run);
    expect(outcome.kind).toBe('finished');
    expect(await withoutNames(run)).toEqual(expected);
    expect(own.length > 0).toBe(plan.kind === 'recovery');
    const key = runKey(run.record);
    expect(workers.reduce((sum, host) => sum + (host.answered.get(key) ?? 0), 0)).toBeGreaterThan(0);
    expect(await leftOf(run)).toBe(0);
    await stop(workers);
  });
});
