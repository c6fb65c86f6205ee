import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../base/errors.ts';
import { isMetricSearch } from '../experiment/runPlan.ts';
import type { RunPlan } from '../experiment/runPlan.ts';
import type { SearchPlan } from '../experiment/search.ts';
import { JournalReader } from './journalReader.ts';
import { lockRun } from './runLock.ts';
import { createRunRecord, newRunId, parseRunRecord } from './runRecord.ts';
import type { RunContext, RunRecord } from './runRecord.ts';
import { fileProblem } from '../files/fileProblem.ts';
import { readText } from '../files/readBytes.ts';
import { writeNew, writeWhole } from '../files/writeWhole.ts';

/** Where runs lie inside the workspace folder, one folder each. */
export const RUNS_FOLDER = path.join('.espalier', 'runs');
export const RUN_FILE = 'run.json';
export const JOURNAL_FILE = 'journal.jsonl';
/** When workers started and ended, and why: for a person who wonders. */
export const LOG_FILE = 'log.txt';

/** A plan with ten thousand seeds is not nearly as large. */
const MAX_BYTES = 64 << 20;

/** A run that lies on the disk. */
export interface RunFolder<Plan extends RunPlan = RunPlan> {
  /** Absolute. */
  readonly folder: string;
  /** Workspace folder that its paths start from. */
  readonly root: string;
  readonly run: RunRecord<Plan>;
}

/**
 * Makes the folder of a new run; nothing of it is there, or all of it.
 *
 * @throws EspalierError `io/write`
 */
export async function createRun<Plan extends RunPlan>(plan: Plan, context: RunContext): Promise<RunFolder<Plan>> {
  const run = createRunRecord(newRunId(plan.name, context.createdAt), plan, context);
  const folder = path.join(context.root, RUNS_FOLDER, run.id);
  try {
    await writeWhole(path.join(folder, RUN_FILE), `${JSON.stringify(run, undefined, 2)}\n`);
    await ignorePassing(path.dirname(folder));
  } catch (error) {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    throw new EspalierError(
      {
        code: 'io/write',
        operation: 'beginning a run',
        expected: 'a folder that can be written to',
        actual: error instanceof Error ? error.message : String(error),
        remedy: 'Make the folder writable, or make room, and start the search again.',
        file: folder,
      },
      { cause: error },
    );
  }
  return { folder, root: context.root, run };
}

/**
 * @param folder of the run, absolute
 * @throws EspalierError `runs/not-found`, `runs/format`, `runs/changed`, `io/read`
 */
export async function openRun(folder: string): Promise<RunFolder> {
  const file = path.join(folder, RUN_FILE);
  const run = parseRunRecord(await readRunFile(file), file);
  return { folder, root: rootOf(folder), run };
}

export function isMetricRun(run: RunFolder): run is RunFolder<SearchPlan> {
  return isMetricSearch(run.run.plan);
}

/** Reads what has happened in a run, and what happens while somebody drives it. */
export function journalOf({ folder, run }: RunFolder): JournalReader {
  return new JournalReader(path.join(folder, JOURNAL_FILE), run.id);
}

/** Ids of the runs of a workspace folder, oldest first. */
export async function runIds(root: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path.join(root, RUNS_FOLDER), { withFileTypes: true });
    // Links are not followed: a repository that one clones must not make the editor read elsewhere.
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}

/**
 * The folder of the run that a person means by an id, or by the beginning of one that no other has.
 *
 * @throws EspalierError `runs/not-found` that lists what there is
 */
export async function findRun(root: string, id: string): Promise<string> {
  const ids = await runIds(root);
  const meant = ids.includes(id) ? [id] : ids.filter((other) => id !== '' && other.startsWith(id));
  if (meant.length === 1) return path.join(root, RUNS_FOLDER, meant[0]!);
  throw new EspalierError({
    code: 'runs/not-found',
    operation: `looking for the run ${JSON.stringify(id)}`,
    expected: meant.length > 1 ? 'the id of one run' : `a run in ${path.join(root, RUNS_FOLDER)}`,
    actual:
      meant.length > 1 ? `the beginning of ${meant.length}` : ids.length === 0 ? 'no run at all' : 'none of that id',
    remedy:
      ids.length === 0
        ? 'Start a search, or go to the folder where it was started.'
        : `There are ${ids.slice(-5).reverse().join(', ')}; \`espalier runs\` lists all.`,
  });
}

/**
 * Deletes a run for good.
 *
 * @throws EspalierError `runs/in-use` while somebody drives it, `io/write`
 */
export async function deleteRun(folder: string): Promise<void> {
  // With the lock in hand nobody begins to drive it meanwhile.
  const lock = await lockRun(folder);
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    throw new EspalierError({
      code: 'io/write',
      operation: `deleting ${folder}`,
      expected: 'a folder that can be deleted',
      actual: String(error),
      remedy: 'Close what has its files open and check the permissions.',
      file: folder,
    });
  } finally {
    await lock.release();
  }
}

/** A run lies in ROOT/.espalier/runs/ID. */
function rootOf(folder: string): string {
  return path.resolve(folder, '..', '..', '..');
}

async function readRunFile(file: string): Promise<string> {
  try {
    return await readText(file, { maxBytes: MAX_BYTES, links: 'refuse' });
  } catch (error) {
    const { missing, message } = fileProblem(error);
    throw new EspalierError(
      {
        code: missing ? 'runs/not-found' : 'io/read',
        operation: `reading ${file}`,
        expected: 'what a run was asked',
        actual: message,
        remedy: 'Check the folder; `espalier runs` lists the runs of the current one.',
        file,
      },
      { cause: error },
    );
  }
}

/** Runs are fit for version control; who drives one now, and what its processes were called, is not. */
async function ignorePassing(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  try {
    await writeNew(path.join(folder, '.gitignore'), '*/running*\n*/log.txt\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
