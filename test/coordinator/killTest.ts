import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { Rng } from '../../src/base/rng.ts';
import {
  compare,
  isAlive,
  kill,
  lineOf,
  recordsOf,
  seconds,
  sleep,
  startSearch,
  storyOf,
  workersOf,
} from './searchProcess.ts';
import type { KilledSearch, Search } from './searchProcess.ts';

/** What is killed, and of which searches. */
export interface KillTest {
  /** What searches, and is killed. */
  readonly search: KilledSearch;
  /** An empty folder to work in. */
  readonly folder: string;
  /** How many workers, and how many hosts (the process that drives the search), are killed. */
  readonly kills: number;
  readonly hosts: number;
  readonly seed: number;
  /** Longest time between two kills, in milliseconds. */
  readonly pause: number;
  readonly log: (line: string) => void;
}

export interface KillReport {
  readonly searches: number;
  readonly kills: number;
  readonly hosts: number;
  /** How often a search went on after its host was killed; one that was killed before it had a run begins anew. */
  readonly resumed: number;
  /** Of each search. */
  readonly events: number;
  /** Searches that may differ from the undisturbed one, see {@link KilledSearch.differsFrom}. */
  readonly differing: number;
  /** Longest time from the death of a host to the end of its last worker, in milliseconds. */
  readonly slowestEnd: number;
}

/** A pool gives up after five ends of workers in three minutes: kills in one search stay below. */
const KILLS_A_SEARCH = 4;
/** Milliseconds until no process may be left. */
const ORPHANS = 5000;

/**
 * Searches whose workers, and whose hosts, are ended by SIGKILL at random moments, from a seed. Throws where a search then differs in
 * anything but times from one that nobody disturbed, where an answer that was acknowledged is lost or was asked for twice, or
 * where a process outlives its host. Linux only: it finds the processes in /proc.
 */
export async function killTest(test: KillTest): Promise<KillReport> {
  const rng = new Rng(test.seed);
  const undisturbed = await newSearch(test, 1);
  await undisturbed.end;
  const story = await storyOf(undisturbed, test.search);
  test.log(`undisturbed: ${story.length} events in ${seconds(undisturbed.milliseconds)}`);
  let searches = 0;
  let kills = 0;
  while (kills < test.kills) {
    const search = await newSearch(test, 2);
    const before = kills;
    const most = Math.min(KILLS_A_SEARCH, test.kills - kills);
    while (kills - before < most && (await search.runsFor(test.pause * rng.uniform()))) {
      const workers = workersOf(search.pid);
      if (workers.length > 0 && kill(workers[rng.integer(workers.length)]!)) kills++;
    }
    await search.end;
    searches++;
    compare(await storyOf(search, test.search), story, test.search);
    test.log(
      `${kills} of ${test.kills} workers killed; the same ${story.length} events in ${seconds(search.milliseconds)}`,
    );
  }
  let hosts = 0;
  let resumed = 0;
  let slowestEnd = 0;
  let differing = 0;
  while (hosts < test.hosts) {
    let search = await newSearch(test, 2);
    const acknowledged: string[] = [];
    let id: string | undefined;
    while (hosts < test.hosts && (await search.runsFor(2 * test.pause * rng.uniform()))) {
      const { moment, onHostKilled } = test.search;
      for (let wait = rng.integer(6); moment && hosts % 2 === 0 && wait >= 0; wait--) {
        await Promise.race([moment(), search.closed]);
      }
      const workers = workersOf(search.pid);
      if (!kill(search.pid)) break;
      onHostKilled?.();
      hosts++;
      const began = performance.now();
      await search.closed;
      while (workers.some(isAlive)) {
        if (performance.now() - began > ORPHANS) throw new Error(`workers ${workers.join(', ')} outlive their host`);
        await sleep(20);
      }
      slowestEnd = Math.max(slowestEnd, performance.now() - began);
      acknowledged.push(...search.acknowledged());
      id = search.id() ?? id;
      // One that was killed before it had a run has nothing to go on with.
      if (id !== undefined) resumed++;
      search =
        id === undefined
          ? await newSearch(test, 2)
          : startSearch(test.search, search.folder, test.search.resume(id, 2));
    }
    await search.end;
    searches++;
    const records = await recordsOf(search);
    const kept = new Set(records.map(lineOf));
    const lost = [...acknowledged, ...search.acknowledged()].find((line) => !kept.has(line));
    if (lost !== undefined) throw new Error(`acknowledged, and lost: ${lost}`);
    const came = await storyOf(search, test.search);
    compare(came, story, test.search);
    const same = test.search.differsFrom?.(came);
    if (same !== undefined) {
      differing++;
      const again = startSearch(test.search, search.folder, await test.search.again!(search.folder, id!));
      await again.end;
      compare(await storyOf(again, test.search), came, {});
    }
    test.log(
      `${hosts} of ${test.hosts} hosts killed, ${resumed} times resumed; the same ${Math.min(same ?? story.length, story.length)} of ${story.length} events` +
        (same === undefined ? '' : `, and all ${came.length} of a replay`),
    );
  }
  return {
    searches,
    kills,
    hosts,
    resumed,
    events: story.length,
    differing,
    slowestEnd,
  };
}

async function newSearch({ folder, search }: KillTest, workers: number): Promise<Search> {
  return startSearch(search, await mkdtemp(path.join(folder, 'search-')), search.begin(workers));
}
