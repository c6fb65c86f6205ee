import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../base/errors.ts';
import type { RunKind, PlanOf, RunPlan } from '../search/kinds.ts';
import { JournalReader } from './journalReader.ts';
import { isRunning, lockRun } from './runLock.ts';
import type { LockOptions, RunLock } from './runLock.ts';
import { createRunRecord, newRunId, parseRunRecord } from './runRecord.ts';
import type { RunContext, RunRecord } from './runRecord.ts';
import { checkRunFolder, fileOfRun, NO_LINKS, rootOf } from './runPath.ts';
import { FileProblem, fileProblem } from '../files/fileProblem.ts';
import { readText } from '../files/readBytes.ts';
import { checkRealFolders } from '../files/realFolders.ts';
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
  readonly record: RunRecord<Plan>;
}

/**
 * Makes the folder of a new run; nothing of it is there, or all of it.
 *
 * @throws EspalierError `io/write`; `settings/invalid` for a plan that is too long to be read again
 */
export async function createRun<Plan extends RunPlan>(plan: Plan, context: RunContext): Promise<RunFolder<Plan>> {
  const run = createRunRecord(newRunId(plan.name, context.createdAt), plan, context);
  const folder = path.join(context.root, RUNS_FOLDER, run.id);
  const text = `${JSON.stringify(run, undefined, 2)}\n`;
  checkLength(text, folder);
  try {
    await writeWhole(path.join(folder, RUN_FILE), text, context.root);
    await writeGitFiles(path.dirname(folder));
  } catch (error) {
    const isLink = error instanceof FileProblem && error.kind === 'link';
    // Where a link leads is not ours to tidy.
    if (!isLink) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    throw new EspalierError(
      {
        code: 'io/write',
        operation: 'beginning a run',
        expected: 'a folder that can be written to',
        actual: error instanceof Error ? error.message : String(error),
        remedy: isLink ? NO_LINKS : 'Make the folder writable, or make room, and start the search again.',
        file: folder,
      },
      { cause: error },
    );
  }
  return { folder, root: context.root, record: run };
}

/**
 * @param folder of the run, absolute
 * @throws EspalierError `runs/not-found`, `runs/format`, `runs/changed`, `io/read`
 */
export async function openRun(folder: string): Promise<RunFolder> {
  const file = path.join(folder, RUN_FILE);
  const run = parseRunRecord(await readRunFile(file), file);
  return { folder, root: rootOf(folder), record: run };
}

/** What a person calls a run: the name of its folder. A copy has the id of the run that it was copied from. */
export function runName({ folder }: Pick<RunFolder, 'folder'>): string {
  return path.basename(folder);
}

export function isRunOf<Kind extends RunKind>(run: RunFolder, kind: Kind): run is RunFolder<PlanOf<Kind>> {
  return run.record.plan.kind === kind;
}

/** Reads what has happened in a run, and what happens while somebody drives it. */
export function journalOf({ folder, record: run }: RunFolder): JournalReader {
  return new JournalReader(path.join(folder, JOURNAL_FILE), run);
}

/**
 * Names of the folders that runs lie in, oldest first: what a person calls a run. A link in the place of one is among them, so that
 * whoever opens it hears that it is one.
 *
 * @throws EspalierError `io/read` where the folder of all runs is a link, or may not be read
 */
export async function runIds(root: string): Promise<readonly string[]> {
  const folder = path.join(root, RUNS_FOLDER);
  try {
    await checkRealFolders(root, folder);
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() || (entry.isSymbolicLink() && !entry.name.startsWith('.')))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    const { kind, missing, message } = fileProblem(error);
    if (missing) return [];
    throw new EspalierError(
      {
        code: 'io/read',
        operation: `listing the runs in ${folder}`,
        expected: 'a folder of its own',
        actual: kind === 'unreadable' ? 'one that may not be read' : message,
        remedy: kind === 'link' ? NO_LINKS : 'Check its permissions.',
        file: folder,
      },
      { cause: error },
    );
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
 * Deletes a run for good, and nothing that its links lead to.
 *
 * @throws EspalierError `runs/in-use` while somebody drives it, `runs/not-found`, `io/write`, `cancelled`
 */
export async function deleteRun(folder: string, options?: LockOptions): Promise<void> {
  const operation = `deleting ${folder}`;
  if (folder !== path.join(rootOf(folder), RUNS_FOLDER, path.basename(folder))) throw notOneRunError(folder);
  await checkRunFolder(folder, operation);
  // With the lock in hand nobody begins to drive it meanwhile.
  const lock = await lockToDelete(folder, options);
  try {
    await checkRunFolder(folder, operation);
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    if (error instanceof EspalierError) throw error;
    throw new EspalierError({
      code: 'io/write',
      operation,
      expected: 'a folder that can be deleted',
      actual: String(error),
      remedy: 'Close what has its files open and check the permissions.',
      file: folder,
    });
  } finally {
    await lock?.release();
  }
}

/** Undefined on a full disk: there is no room for a lock, for nobody, and to delete something is what makes room. */
async function lockToDelete(folder: string, options: LockOptions | undefined): Promise<RunLock | undefined> {
  try {
    return await lockRun(folder, options);
  } catch (error) {
    if (!isFullDisk(error) || (await isRunning(folder))) throw error;
    return undefined;
  }
}

function isFullDisk(error: unknown): boolean {
  const cause = error instanceof EspalierError ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause?.code === 'ENOSPC' || cause?.code === 'EDQUOT';
}

async function readRunFile(file: string): Promise<string> {
  try {
    return await readText(file, { ...fileOfRun(file), maxBytes: MAX_BYTES });
  } catch (error) {
    const { kind, missing, message } = fileProblem(error);
    throw new EspalierError(
      {
        code: missing ? 'runs/not-found' : 'io/read',
        operation: `reading ${file}`,
        expected: 'what a run was asked',
        actual: message,
        remedy: kind === 'link' ? NO_LINKS : 'Check the folder; `espalier runs` lists the runs of the current one.',
        file,
      },
      { cause: error },
    );
  }
}

function notOneRunError(folder: string): EspalierError {
  return new EspalierError({
    code: 'runs/not-found',
    operation: `deleting ${folder}`,
    expected: `a run, which lies in ${RUNS_FOLDER}`,
    actual: 'another folder',
    remedy: 'Delete it yourself if you mean it.',
    file: folder,
  });
}

function checkLength(text: string, folder: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_BYTES) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'beginning a run',
    expected: `a plan of at most ${MAX_BYTES} bytes`,
    actual: `one of ${bytes}`,
    remedy: 'Give it fewer or smaller seeds and baselines.',
    file: folder,
  });
}

/**
 * Runs are fit for version control, byte for byte: a journal with other line ends, or two that git has merged, is damaged. Who drives a
 * run now, what its processes were called, and the states of a recovery, which are large, is not. What lies there already is left as it is.
 */
const GIT_FILES = {
  '.gitignore': '*/running*\n*/log.txt\n*/state-*\n',
  '.gitattributes': '* -text\n*.jsonl -merge\n',
} as const;

async function writeGitFiles(folder: string): Promise<void> {
  for (const [name, text] of Object.entries(GIT_FILES)) {
    try {
      await writeNew(path.join(folder, name), text);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
