import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import type { RunEvent } from '../../src/search/kinds.ts';
import { hasRedis, startRedis, WITHOUT_REDIS } from '../support/queueServers.ts';
import type { TestServer } from '../support/queueServers.ts';
import { compare, kill, lineOf, recordsOf, startSearch, storyOf } from './searchProcess.ts';
import type { Search } from './searchProcess.ts';
import { WorkerProcesses } from './workerProcesses.ts';

/** Coordinators that are killed; servers are restarted half as often. ESPALIER_QUEUE_KILLS=20 takes a good while. */
const TIMES = Number(process.env['ESPALIER_QUEUE_KILLS'] ?? 4);
/** Longest time between two of them, in milliseconds. */
const PAUSE = 4000;

const ROOT = path.resolve(import.meta.dirname, '../..');
const CLI = path.join(ROOT, 'dist/cli.cjs');
const SAMPLE = path.join(ROOT, 'media/sample');
const FLAGS = [
  ...[
    '--model',
    SAMPLE,
    '--text',
    path.join(SAMPLE, 'test.txt'),
    '--calibration',
    path.join(SAMPLE, 'calibration.txt'),
  ],
  ...['--device', 'cpu', '--threads', '1', '--length', '32', '--samples', '4', '--blocks', '9'],
  ...['--population', '24', '--generations', '8', '--finalists', '2', '--json'],
];
const STORY = {
  told: new Set(['opened', 'baseline', 'candidate', 'generation', 'finalist', 'finished'] as const),
  asked: (event: RunEvent): string | undefined => {
    if (event.kind === 'probed') return `probe ${event.id}`;
    return event.kind === 'measured' ? `measure ${event.id}/${event.rung}` : undefined;
  },
};

let folder: string;
let server: TestServer;
let story: readonly string[];
const workers = new WorkerProcesses();
beforeAll(async () => {
  if (!hasRedis) return;
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/setup.mjs')], { stdio: 'ignore' });
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-queue-kills-'));
  const undisturbed = await begin([]);
  await undisturbed.end;
  story = await storyOf(undisturbed, STORY);
  server = await startRedis();
  workers.start(CLI, server.url, folder, 2);
}, 240_000);
afterAll(async () => {
  await workers.stop();
  if (!hasRedis) return;
  await server.dispose();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

async function begin(queue: readonly string[] = ['--queue', server.url]): Promise<Search> {
  return start(await mkdtemp(path.join(folder, 'search-')), [...FLAGS, ...queue]);
}

function start(where: string, words: readonly string[]): Search {
  const cache = path.join(folder, 'cache');
  return startSearch({ env: { XDG_CACHE_HOME: cache } }, where, [CLI, 'evolve', ...words]);
}

async function expectSame(search: Search, acknowledged: readonly string[]): Promise<void> {
  const kept = new Set((await recordsOf(search)).map(lineOf));
  expect(acknowledged.filter((line) => !kept.has(line))).toEqual([]);
  compare(await storyOf(search, STORY), story, {});
}

it.skipIf(!hasRedis)(`coordinators are killed over a queue, and the same comes of it${WITHOUT_REDIS}`, async () => {
  const rng = new Rng(1);
  let killed = 0;
  let resumed = 0;
  while (killed < TIMES) {
    let search = await begin();
    let id: string | undefined;
    const acknowledged: string[] = [];
    while (killed < TIMES && (await search.runsFor(1000 + PAUSE * rng.uniform()))) {
      if (!kill(search.pid)) break;
      killed++;
      await search.closed;
      acknowledged.push(...search.acknowledged());
      id = search.id() ?? id;
      if (id !== undefined) resumed++;
      search =
        id === undefined ? await begin() : start(search.folder, ['--resume', id, '--queue', server.url, '--json']);
    }
    await search.end;
    await expectSame(search, [...acknowledged, ...search.acknowledged()]);
  }
  expect(resumed).toBeGreaterThan(0);
});

it.skipIf(!hasRedis)(
  `the server restarts, with and without what it knew, and the same comes of it${WITHOUT_REDIS}`,
  async () => {
    const rng = new Rng(2);
    let restarts = 0;
    while (restarts < TIMES / 2) {
      const search = await begin();
      while (restarts < TIMES / 2 && (await search.runsFor(1000 + PAUSE * rng.uniform()))) {
        await server.restart(restarts % 2 === 1);
        restarts++;
      }
      await search.end;
      await expectSame(search, search.acknowledged());
    }
  },
);
