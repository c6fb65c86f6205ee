import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { RunEvent } from '../../src/search/kinds.ts';
import type { JournalRecord } from '../../src/runs/journalLine.ts';
import { journalOf, openRun, RUNS_FOLDER } from '../../src/runs/runFolder.ts';

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
  /** What the run's folder holds at the end, beside its journal, that must be the same. */
  readonly left?: (run: string) => Promise<readonly string[]>;
  /** From which of a story's lines on it may be another after all; undefined where all of it must be the same. */
  readonly differsFrom?: (story: readonly string[]) => number | undefined;
  /** As `begin`, for a search that meets what the run of this id met: one that may differ from the undisturbed one must be the same as that. */
  readonly again?: (folder: string, id: string) => Promise<readonly string[]>;
  /** A moment at which a host is killed, every other time; by chance otherwise. */
  readonly moment?: () => Promise<void>;
  readonly onHostKilled?: () => void;
}

/** A process that drives a search, and says what happens in it as lines of JSON. */
export interface Search {
  readonly pid: number;
  readonly folder: string;
  /** What it has said to standard output, and to standard error. */
  text(): string;
  failure(): string;
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

/** @param before what node is started by, where not directly */
export function startSearch(
  { env }: Pick<KilledSearch, 'env'>,
  folder: string,
  args: readonly string[],
  before: readonly string[] = [],
): Search {
  const began = performance.now();
  const [program, ...words] = [...before, process.execPath, ...args];
  const child: ChildProcess = spawn(program!, words, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
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
    text: () => out,
    failure: () => err,
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
export async function storyOf(
  search: Search,
  { told, asked, left }: Pick<KilledSearch, 'told' | 'asked' | 'left'>,
): Promise<readonly string[]> {
  const records = await recordsOf(search);
  const questions = new Set<string>();
  for (const { event } of records) {
    const question = asked(event);
    if (question === undefined) continue;
    if (questions.has(question)) throw new Error(`asked twice: ${question}`);
    questions.add(question);
  }
  const events = records
    .filter(({ event }) => told.has(event.kind))
    .map(({ event }) => JSON.stringify(event, (key, value: unknown) => (key === 'seconds' ? undefined : value)));
  return [...events, ...((await left?.(path.join(search.folder, RUNS_FOLDER, search.id()!))) ?? [])];
}

export async function recordsOf(search: Search): Promise<readonly JournalRecord[]> {
  const journal = journalOf(await openRun(path.join(search.folder, RUNS_FOLDER, search.id()!)));
  const records: JournalRecord[] = [];
  for await (const portion of journal.more()) records.push(...portion);
  if (journal.damage) throw new Error(`damaged in line ${journal.damage.line}: ${journal.damage.reason}`);
  return records;
}

/** The journal's members come in the order of their schema, those of the stream as they were made. */
export function lineOf(record: unknown): string {
  return JSON.stringify(record, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

export function compare(
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

/** On Linux a process's children stand in /proc; the shell that ends workers whose host is gone is none of them. */
export function workersOf(pid: number): readonly number[] {
  return childrenOf(pid).filter((child) => commandOf(child).includes('worker'));
}

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

export function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const fields = statusOf(name);
      return fields !== undefined && Number(fields[1]) === pid && fields[0] !== 'Z';
    })
    .map(Number);
}

export function isAlive(pid: number): boolean {
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

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
