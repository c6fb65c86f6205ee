import { execFileSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { Rng } from '../../src/base/rng.ts';
import {
  childrenOf,
  compare,
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

/** Which searches are driven by two, and how often. */
export interface TwoDriversTest {
  readonly search: KilledSearch;
  /** An empty folder to work in. */
  readonly folder: string;
  readonly times: number;
  readonly seed: number;
  /** Longest time that something is waited for by chance, in milliseconds. */
  readonly pause: number;
  readonly log: (line: string) => void;
}

/**
 * What the first driver does while others want its run: it goes on; it sleeps until another has taken over; it wakes up just when another
 * does; it is killed, and two want to take over.
 */
const ENCOUNTERS = ['awake', 'asleep', 'waking', 'killed'] as const;
export type Encounter = (typeof ENCOUNTERS)[number];

export interface TwoDriversReport {
  readonly encounters: Readonly<Record<Encounter, number>>;
  /** Drivers that were refused at the beginning, and those that were stopped because another had taken over. */
  readonly refused: number;
  readonly stopped: number;
  readonly events: number;
}

/** Milliseconds without a heartbeat after which another takes over. */
const SILENCE = 15_000;

/** Of its journal, after which the first driver meets another; it has some twice as many. */
const MOST_LINES = 500;

/** A process that is the first of its PID namespace, as in a container: numbers of processes elsewhere mean nothing to it. */
const CONTAINER = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

/** Why it cannot be tried here; undefined where it can. */
export function noContainers(): string | undefined {
  try {
    execFileSync(CONTAINER[0]!, [...CONTAINER.slice(1), 'true'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no PID namespaces may be made here';
  }
}

/**
 * Searches that processes of different PID namespaces want to drive at once, by a seed. Throws where more than one goes on, where the journal
 * is damaged, something that one of them acknowledged is not in it, something was asked twice, or the search comes to another end.
 * Linux, as root.
 */
export async function twoDrivers(test: TwoDriversTest): Promise<TwoDriversReport> {
  const rng = new Rng(test.seed);
  const alone = startSearch(test.search, await mkdtemp(path.join(test.folder, 'search-')), test.search.begin(1));
  await alone.end;
  const story = await storyOf(alone, test.search);
  test.log(`alone: ${story.length} events in ${seconds(alone.milliseconds)}`);
  const encounters = { awake: 0, asleep: 0, waking: 0, killed: 0 };
  let done = 0;
  let refused = 0;
  let stopped = 0;
  while (done < test.times) {
    const encounter = ENCOUNTERS[done % ENCOUNTERS.length]!;
    const began = performance.now();
    const drivers = await meet(test, encounter, rng);
    // It was finished before anybody else came.
    if (!drivers) continue;
    await Promise.all(drivers.map(({ closed }) => closed));
    const said = drivers.map((driver) => driver.failure() + driver.text());
    const finished = drivers.filter((_, i) => said[i]!.includes('"kind":"finished"'));
    if (finished.length !== 1) throw new Error(`${finished.length} finished (${encounter}):\n${said.join('\n---\n')}`);
    for (const [i, driver] of drivers.entries()) {
      if (driver === finished[0] || (encounter === 'killed' && i === 0)) continue;
      // Who waited until the other had finished has nothing left to do, and tells what was found.
      const cameLate = driver.acknowledged().length === 0 && /"kind":"result".*"state":"finished"/.test(said[i]!);
      if (!cameLate && !said[i]!.includes('"code":"runs/in-use"'))
        throw new Error(`not refused (${encounter}): ${said[i]}`);
      if (driver.acknowledged().length === 0) refused++;
      else stopped++;
    }
    const kept = new Set((await recordsOf(drivers[0]!)).map(lineOf));
    const lost = drivers.flatMap((driver) => driver.acknowledged()).find((line) => !kept.has(line));
    if (lost !== undefined) throw new Error(`acknowledged, and lost (${encounter}): ${lost}`);
    compare(await storyOf(drivers[0]!, test.search), story, test.search);
    encounters[encounter]++;
    done++;
    test.log(
      `${done} of ${test.times}: ${encounter}; the same ${story.length} events in ${seconds(performance.now() - began)}`,
    );
  }
  return { encounters, refused, stopped, events: story.length };
}

/** The drivers that met, the first one first; undefined where it had finished before. */
async function meet(test: TwoDriversTest, encounter: Encounter, rng: Rng): Promise<readonly Search[] | undefined> {
  const { search, folder, pause } = test;
  const first = startSearch(search, await mkdtemp(path.join(folder, 'search-')), search.begin(2), CONTAINER);
  while (first.id() === undefined) if (!(await first.runsFor(20))) throw new Error(first.failure());
  // Mostly in the middle of it; the rest while it opens.
  const lines = rng.integer(4) === 0 ? 0 : 1 + rng.integer(MOST_LINES);
  while (first.acknowledged().length < lines) if (!(await first.runsFor(20))) return undefined;
  if (lines === 0 && !(await first.runsFor(pause * rng.uniform()))) return undefined;
  const [host] = childrenOf(first.pid);
  if (host === undefined) return undefined;
  // Its workers sleep with it where a machine does, and work on where only it was stopped.
  const asleep = rng.uniform() < 0.5 ? [host, ...workersOf(host)] : [host];
  const other = (): Search => startSearch(search, first.folder, search.resume(first.id()!, 2), CONTAINER);
  if (encounter === 'awake') return [first, other()];
  if (encounter === 'killed') {
    kill(host);
    await sleep(pause * rng.uniform());
    return [first, other(), other()];
  }
  for (const pid of asleep) kill(pid, 'SIGSTOP');
  const second = other();
  if (encounter === 'waking') await second.runsFor(SILENCE + 2 * pause * (rng.uniform() - 0.2));
  else while (second.acknowledged().length === 0 && (await second.runsFor(20)));
  await second.runsFor(pause * rng.uniform());
  for (const pid of asleep.reverse()) kill(pid, 'SIGCONT');
  return [first, second];
}
