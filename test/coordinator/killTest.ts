import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { Rng } from '../../src/base/rng.ts';
import type { RunEvent } from '../../src/experiment/runPlan.ts';
import type { JournalRecord } from '../../src/runs/journalLine.ts';
import { journalOf, openRun, RUNS_FOLDER } from '../../src/runs/runFolder.ts';

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

/** A kind of search as the kill test needs to know it. */
export interface KilledSearch {
  /** Arguments of node for a process that begins a run in its working folder, or goes on with one, and says what happens in it. */
  readonly begin: (workers: number) => readonly string[];
  readonly resume: (id: string, workers: number) => readonly string[];
  /** Environment beside this process's own. */
  readonly env: NodeJS.ProcessEnv;
  /** What must be the same whatever is killed. */
  readonly told: ReadonlySet<RunEvent['kind']>;
  /** Names what was asked, where the event answers something. */
  readonly asked: (event: RunEvent) => string | undefined;
  /** From which of a story's lines on it may be another after all; undefined where all of it must be the same. */
  readonly differsFrom?: (story: readonly string[]) => number | undefined;
  /** As `begin`, for a search that meets what the run of this id met: one that may differ from the undisturbed one must be the same as that. */
  readonly again?: (folder: string, id: string) => Promise<readonly string[]>;
  /** A moment at which a host is killed, every other time; by chance otherwise. */
  readonly moment?: () => Promise<void>;
  readonly onHostKilled?: () => void;
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
      const workers = childrenOf(search.pid);
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
      const workers = childrenOf(search.pid);
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
      search = id === undefined ? await newSearch(test, 2) : start(test, search.folder, test.search.resume(id, 2));
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
      const again = start(test, search.folder, await test.search.again!(search.folder, id!));
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

interface Search {
  readonly pid: number;
  readonly folder: string;
  /** Settles when the process is gone; rejects where it failed. */
  readonly end: Promise<void>;
  readonly closed: Promise<void>;
  milliseconds: number;
  /** Whether it still runs after so many milliseconds. */
  runsFor(milliseconds: number): Promise<boolean>;
  /** Id of the run, once it has one. */
  id(): string | undefined;
  /** What it has said so far, as lines of the journal: it says nothing that is not on the disk. */
  acknowledged(): readonly string[];
}

async function newSearch(test: KillTest, workers: number): Promise<Search> {
  return start(test, await mkdtemp(path.join(test.folder, 'search-')), test.search.begin(workers));
}

function start(test: KillTest, folder: string, args: readonly string[]): Search {
  const began = performance.now();
  const child: ChildProcess = spawn(process.execPath, [...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...test.search.env },
  });
  let out = '';
  let err = '';
  child.stdout!.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr!.on('data', (data: Buffer) => (err += data.toString()));
  let running = true;
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => {
      running = false;
      search.milliseconds = performance.now() - began;
      resolve();
    });
  });
  const lines = (): Record<string, unknown>[] =>
    out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const search: Search = {
    pid: child.pid!,
    folder,
    milliseconds: 0,
    closed,
    end: closed.then(() => {
      if (child.signalCode === null && child.exitCode !== 0) {
        throw new Error(`the search ended with ${child.exitCode}: ${err}${out.slice(-2000)}`);
      }
    }),
    runsFor: async (milliseconds) => {
      await Promise.race([closed, sleep(milliseconds)]);
      return running;
    },
    id: () => lines()[0]?.['run'] as string | undefined,
    acknowledged: () =>
      lines().flatMap(({ seq, at, ...event }) => (seq === undefined ? [] : [lineOf({ seq, at, event })])),
  };
  // Whoever killed it waits for `closed`.
  search.end.catch(() => undefined);
  return search;
}

/** Everything that a search comes to, without times; checks that nothing was asked for twice. */
async function storyOf(search: Search, { told, asked }: KilledSearch): Promise<readonly string[]> {
  const records = await recordsOf(search);
  const questions = new Set<string>();
  for (const { event } of records) {
    const question = asked(event);
    if (question === undefined) continue;
    if (questions.has(question)) throw new Error(`asked twice: ${question}`);
    questions.add(question);
  }
  return records
    .filter(({ event }) => told.has(event.kind))
    .map(({ event }) => JSON.stringify(event, (key, value: unknown) => (key === 'seconds' ? undefined : value)));
}

async function recordsOf(search: Search): Promise<readonly JournalRecord[]> {
  const journal = journalOf(await openRun(path.join(search.folder, RUNS_FOLDER, search.id()!)));
  const records: JournalRecord[] = [];
  for await (const portion of journal.more()) records.push(...portion);
  if (journal.damage) throw new Error(`damaged in line ${journal.damage.line}: ${journal.damage.reason}`);
  return records;
}

/** The journal's members come in the order of their schema, those of the stream as they were made. */
function lineOf(record: unknown): string {
  return JSON.stringify(record, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

function compare(
  actual: readonly string[],
  expected: readonly string[],
  { differsFrom }: Pick<KilledSearch, 'differsFrom'>,
): void {
  const same = differsFrom?.(actual) ?? expected.length;
  const at = expected.findIndex((line, i) => i < same && actual[i] !== line);
  if (at < 0 && (same < expected.length || actual.length === expected.length)) return;
  throw new Error(
    `differs at event ${at} of ${expected.length} (${actual.length}):\n${actual[at]}\nnot\n${expected[at]}`,
  );
}

/** On Linux a process's children stand in /proc. */
function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const fields = statusOf(name);
      return fields !== undefined && Number(fields[1]) === pid && fields[0] !== 'Z';
    })
    .map(Number);
}

function isAlive(pid: number): boolean {
  const fields = statusOf(String(pid));
  return fields !== undefined && fields[0] !== 'Z';
}

/** State, parent, …; the name before them may hold anything. */
function statusOf(pid: string): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
