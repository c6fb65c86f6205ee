import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import type { SearchRunOptions } from '../../src/coordinator/coordinator.ts';
import type { SeenWorker } from '../../src/experiment/seenWorker.ts';
import { Directory } from '../../src/queue/directory.ts';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import { QUEUE_FORMAT, runKey } from '../../src/queue/wire.ts';
import type { RunEntry } from '../../src/queue/wire.ts';
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

/** A kind of server, and whether it is here. */
export interface ServerKind {
  readonly name: string;
  readonly start: () => Promise<TestServer>;
  readonly isThere: boolean;
}

export const REDIS: ServerKind = { name: `Redis${WITHOUT_REDIS}`, start: () => startRedis(), isThere: hasRedis };
export const POSTGRES: ServerKind = {
  name: `PostgreSQL${WITHOUT_POSTGRES}`,
  start: () => startPostgres(),
  isThere: hasPostgres,
};

/** Tests of searches over a queue, with scripted workers. */
export function testQueuePool({ name, start, isThere }: ServerKind): void {
  describe(`over ${name}`, () => {
    let server: TestServer;
    beforeAll(async () => {
      if (isThere) server = await start();
    }, 60_000);
    afterAll(async () => {
      if (isThere) await server.dispose();
    });

    const started: QueueHost[] = [];
    afterEach(async () => {
      await Promise.all(started.splice(0).map((host) => host.stop()));
    });
    async function hosts(
      count: number,
      more: Partial<HostOptions> = {},
      script: Script = SCRIPT,
    ): Promise<QueueHost[]> {
      const spawn = (): ScriptedWorker => new ScriptedWorker(script);
      const begun = await Promise.all(
        Array.from({ length: count }, (_, i) =>
          QueueHost.start(readQueueAddress(server.url), { name: `w${i}`, root, spawn, ...more }),
        ),
      );
      started.push(...begun);
      return begun;
    }
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
    });

    it.skipIf(!isThere)('a run is paused over a queue, goes on here, and ends over a queue', async () => {
      const expected = await embeddedStory(METRICS);
      const run = await newRun(METRICS);
      await hosts(2);
      expect((await pausedAfter(run, 15, { queue: readQueueAddress(server.url) })).outcome.kind).toBe('paused');
      expect(await leftOf(run)).toBe(0);
      expect((await pausedAfter(run, 15)).outcome.kind).toBe('paused');
      expect((await drive(run)).outcome.kind).toBe('finished');
      expect(await withoutNames(run)).toEqual(expected);
    });

    it.skipIf(!isThere)('the server restarts, and forgets everything: the run goes on', async () => {
      const expected = await embeddedStory(METRICS);
      const run = await newRun(METRICS);
      await hosts(2);
      let events = 0;
      let restarts: Promise<void> = Promise.resolve();
      const { outcome } = await drive(run, {
        onEvent: () => {
          events++;
          if (events === 20) restarts = server.restart(false);
          if (events === 60) restarts = restarts.then(() => server.restart(true));
        },
      });
      await restarts;
      expect(events).toBeGreaterThan(60);
      expect(outcome.kind).toBe('finished');
      expect(await withoutNames(run)).toEqual(expected);
    });

    it.skipIf(!isThere)('a run waits while nobody is there, and says so, once', async () => {
      const run = await newRun(METRICS);
      const said: string[] = [];
      const driven = drive(run, { onWait: (message) => said.push(message) });
      await expect.poll(() => said, { timeout: 10_000 }).toHaveLength(1);
      expect(said[0]).toMatch(/nobody is there to answer at (redis|postgres):.*espalier worker --queue/);
      await hosts(1);
      expect((await driven).outcome.kind).toBe('finished');
      expect(said).toHaveLength(2);
    });

    it.skipIf(!isThere)('a worker that refuses is told of once, with why, and the others answer', async () => {
      const run = await newRun(METRICS);
      const said: string[] = [];
      const seen: (readonly SeenWorker[])[] = [];
      const about = { operation: 'opening a run', expected: 'Espalier 9', actual: 'Espalier 8', remedy: 'Update it.' };
      const refuses = new EspalierError({ code: 'queue/version', ...about });
      await hosts(1, { name: 'old', refuses });
      const driven = drive(run, {
        onWait: (message) => said.push(message),
        onWorkers: (workers) => seen.push(workers),
      });
      await expect.poll(() => seen.at(-1)?.[0]?.state, { timeout: 10_000 }).toBe('refused');
      await hosts(1);
      expect((await driven).outcome.kind).toBe('finished');
      expect(said.filter((message) => message.includes('worker old'))).toEqual([
        'worker old does not answer this run (queue/version: expected Espalier 9, got Espalier 8)',
      ]);
      expect(seen.at(-1)!.find(({ name }) => name === 'w0')!.answered).toBeGreaterThan(0);
    });

    it.skipIf(!isThere)('an answer of another class is dropped, and asked of others', async () => {
      const expected = await embeddedStory(METRICS);
      const run = await newRun(METRICS);
      const log: string[] = [];
      let lies = 0;
      await hosts(1);
      await hosts(1, {
        name: 'liar',
        lies: (of) => (lies++ % 2 === 0 ? of : { ...of, digits: 'f'.repeat(64) }),
      });
      await drive(run, { log: (line) => log.push(line) });
      expect(await withoutNames(run)).toEqual(expected);
      expect(log.some((line) => /an answer of liar is dropped: .*queue/.test(line))).toBe(lies > 1);
      expect(lies).toBeGreaterThan(1);
    });

    it.skipIf(!isThere)('candidates that end engines are left out as they are here', async () => {
      const script: Script = {
        ...SCRIPT,
        react: (request, about) =>
          request === 'measure' && about.some((one) => one.includes('sqrt')) ? 'die' : 'answer',
      };
      const [here, there] = [await newRun(METRICS), await newRun(METRICS)];
      await driveScripted(here, script, { workers: 2 });
      await hosts(2, {}, script);
      await drive(there);
      expect((await eventsOf(there)).some(({ kind }) => kind === 'quarantined')).toBe(true);
      expect(await withoutNames(there)).toEqual(await withoutNames(here));
    });

    it.skipIf(!isThere)('a run that another machine drives is refused, and nothing is written', async () => {
      const run = await newRun(METRICS);
      const other = await QueueServer.connect(readQueueAddress(server.url), { log: () => undefined });
      const { runs } = new Directory(other);
      const key = runKey(run.record);
      const entry: RunEntry = {
        ...{ format: QUEUE_FORMAT, version: '1', key, title: 'it', class: null, seenAt: 0 },
        owner: { id: randomUUID(), host: 'elsewhere', pid: 7 },
        work: { kind: 'run', plan: run.record.plan },
        beat: 0,
      };
      await runs.put(entry);
      const driven = failureOf(() => drive(run));
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await runs.put({ ...entry, beat: 1 });
      const refused = await driven;
      expect(refused.code).toBe('runs/in-use');
      expect(refused.message).toContain('process 7 on elsewhere');
      expect(await eventsOf(run)).toEqual([]);
      expect(await runs.get(key)).toMatchObject({ beat: 1 });
      // One of this machine that is gone is not waited for.
      await runs.put({ ...entry, owner: { ...entry.owner, host: hostname(), pid: 2 ** 22 + 1 } });
      await hosts(1);
      expect((await drive(run)).outcome.kind).toBe('finished');
      await other.close();
    });

    it.skipIf(!isThere)('ten runs at once are not mixed up', async () => {
      const kinds = ['metrics', 'rates by EvoPress', 'masks'];
      const expected = await Promise.all(kinds.map((kind) => embeddedStory(PLANS[kind]!)));
      await hosts(2);
      const runs = await Promise.all(Array.from({ length: 10 }, (_, i) => newRun(PLANS[kinds[i % 3]!]!)));
      await Promise.all(runs.map((run) => drive(run)));
      for (const [i, run] of runs.entries()) expect(await withoutNames(run), kinds[i % 3]).toEqual(expected[i % 3]);
      for (const run of runs) expect(await leftOf(run)).toBe(0);
    });
  });
}

/** What Redis alone is asked: its keys, its password. */
export function testRedis(): void {
  it.skipIf(!hasRedis)(
    `Redis holds nothing of a run that is over, and nobody tells the password${WITHOUT_REDIS}`,
    async () => {
      const password = 'marker-of-a-password';
      const server = await startRedis(['--requirepass', password]);
      const address = readQueueAddress(server.url, password);
      const host = await QueueHost.start(address, { name: 'w', root, spawn: () => new ScriptedWorker(SCRIPT) });
      const run = await newRun(METRICS);
      const told: string[] = [];
      const { workers } = await driveScripted(run, SCRIPT, {
        queue: address,
        onWait: (message) => told.push(message),
        log: (line) => told.push(line),
        onWorkers: (seen) => told.push(JSON.stringify(seen)),
      });
      expect(workers).toEqual([]);
      await host.stop();
      const keys = execFileSync('redis-cli', [
        '-p',
        String(server.port),
        '--no-auth-warning',
        '-a',
        password,
        'keys',
        '*',
      ]);
      expect(String(keys)).not.toContain(runKey(run.record));
      await server.restart();
      const wrong = await failureOf(async () =>
        driveScripted(await newRun(METRICS), SCRIPT, { queue: readQueueAddress(server.url, `${password}x`) }),
      );
      expect(wrong).toMatchObject({ code: 'queue/refused' });
      told.push(JSON.stringify(wrong));
      for (const name of await readdir(run.folder)) told.push(await readFile(path.join(run.folder, name), 'utf8'));
      expect(told.join('\n')).not.toContain(password);
      await server.dispose();
    },
  );
}

/** Drives a run until it has so many events more. */
function pausedAfter(run: RunFolder, count: number, options: Partial<SearchRunOptions> = {}): Promise<Driven> {
  const controller = new AbortController();
  let events = 0;
  return driveScripted(run, SCRIPT, {
    ...options,
    signal: controller.signal,
    onEvent: () => {
      if (++events === count) controller.abort();
    },
  });
}
