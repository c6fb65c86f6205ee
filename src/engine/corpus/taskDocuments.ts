import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import type { PlannedTask } from '../../experiment/taskSchema.ts';
import { readText } from '../../files/readBytes.ts';
import type { TaskDocuments } from '../../tasks/arrange.ts';
import type { Document } from '../../tasks/document.ts';
import { documentError, isRecord } from '../../tasks/document.ts';
import { labelsField, withLabels } from '../../tasks/labels.ts';
import { taskOf } from '../../tasks/taskOf.ts';
import { sha256 } from '../checkpoint/hashing.ts';
import type { OpenHooks } from './dataFile.ts';
import { readTable } from './readTable.ts';
import { namedRows } from './separatedRows.ts';

/** The documents of a planned task and of its examples, with what identifies their files. */
export interface OpenedTask extends TaskDocuments {
  /** sha-256, hex: of the file's bytes, or of those of all files of a folder. */
  readonly hash: string;
  /** Absent without a file of examples. */
  readonly examplesHash?: string;
}

/**
 * Reads what a plan's task names. Examples are read only where there are shots.
 *
 * @throws EspalierError `corpus/…`, `tasks/…`, `cancelled`
 */
export async function openTask(planned: PlannedTask, hooks: OpenHooks = {}): Promise<OpenedTask> {
  const { documents: file, examples, shots, task } = planned;
  if (file === undefined) throw notNamed(task, 'documents');
  const { documents, hash } = await readPart(planned, 'documents', file, hooks);
  if (shots === 0) return { documents, pool: undefined, hash };
  if (examples === undefined && taskOf(planned).known !== undefined) throw notNamed(task, 'examples');
  if (examples === undefined || examples === file) return { documents, pool: documents, hash };
  const pool = await readPart(planned, 'examples', examples, hooks);
  return { documents, pool: pool.documents, hash, examplesHash: pool.hash };
}

type Part = 'documents' | 'examples';

async function readPart(planned: PlannedTask, part: Part, file: string, hooks: OpenHooks): Promise<ReadDocuments> {
  try {
    return await readDocuments(planned, file, hooks);
  } catch (thrown) {
    if (!(thrown instanceof EspalierError && thrown.code === 'corpus/not-found')) throw thrown;
    const { data } = thrown;
    throw new EspalierError({
      ...data,
      code: 'tasks/not-found',
      operation: `reading the ${part} of ${planned.task} (${data.file ?? file})`,
      expected: 'a readable file',
    });
  }
}

interface ReadDocuments {
  readonly documents: readonly Document[];
  readonly hash: string;
}

/** Documents of a file, of MMLU also of a folder with one for each subject; with the labels of a list beside it. @throws as {@link openTask} */
export async function readDocuments(planned: PlannedTask, file: string, hooks: OpenHooks = {}): Promise<ReadDocuments> {
  const files = await filesOf(planned, file);
  const parts: ReadDocuments[] = [];
  for (const each of files) parts.push(await readFile(planned, each, hooks));
  if (parts.length === 1) return parts[0]!;
  const documents = parts.flatMap((part) => part.documents).map((document, row) => ({ ...document, row }));
  const said = parts.map(({ hash }, i) => `${hash} ${path.basename(files[i]!)}\n`).join('');
  return { documents, hash: sha256(Buffer.from(said)) };
}

async function readFile(planned: PlannedTask, file: string, hooks: OpenHooks): Promise<ReadDocuments> {
  const { rows, hash } = await readTable(file, hooks);
  const records = isCells(rows) ? namedCells(planned, rows, file) : unlogged(rows);
  const documents = records.map((fields, row): Document => {
    if (isRecord(fields)) return { file, row, fields };
    throw documentError(
      { file, row },
      'an object with named fields',
      kindOf(fields),
      'Correct the row, or leave it out.',
    );
  });
  const field = labelsField(planned, documents);
  const list = field === undefined ? undefined : await labelsBeside(file);
  return { documents: list ? withLabels(documents, field!, list.labels, list.file) : documents, hash };
}

function isCells(rows: readonly unknown[]): rows is readonly (readonly string[])[] {
  return rows.length > 0 && rows.every((row) => Array.isArray(row) && row.every((cell) => typeof cell === 'string'));
}

const MMLU_COLUMNS = ['question', 'A', 'B', 'C', 'D', 'answer'];

/** The authors' files of MMLU have no line of names, and the subject in the name of the file. */
function namedCells(
  planned: PlannedTask,
  rows: readonly (readonly string[])[],
  file: string,
): readonly Readonly<Record<string, string>>[] {
  const isMmlu = taskOf(planned).known === 'mmlu';
  const [names, ...rest] = rows;
  if (!isMmlu || names!.includes('question')) return namedRows(rest, names!, file);
  const subject = /^(.+?)_(?:test|dev|val)\.csv/i.exec(path.basename(file))?.[1];
  return namedRows(rows, MMLU_COLUMNS, file).map((row) => (subject === undefined ? row : { ...row, subject }));
}

/**
 * The documents of a log of lm-evaluation-harness (`--log_samples`), in the order of its data set: GPUs log theirs one after the other, and every filter
 * of answers logs all of them again.
 */
function unlogged(rows: readonly unknown[]): readonly unknown[] {
  const logged = rows.filter(isLogged);
  if (logged.length === 0 || logged.length < rows.length) return rows;
  const documents = new Map<number, unknown>();
  for (const { doc_id: place, doc } of logged) if (!documents.has(place)) documents.set(place, doc);
  return [...documents].sort(([a], [b]) => a - b).map(([, doc]) => doc);
}

function isLogged(row: unknown): row is { readonly doc_id: number; readonly doc: unknown } {
  return isRecord(row) && Number.isSafeInteger(row['doc_id']) && isRecord(row['doc']) && 'arguments' in row;
}

/** Bytes of a list of labels: a hundred thousand of them have three. */
const LONGEST_LIST = 2 ** 22;

async function labelsBeside(
  file: string,
): Promise<{ readonly labels: readonly string[]; readonly file: string } | undefined> {
  const beside = file.replace(/(\.jsonl?)?$/i, '-labels.lst');
  const isThere = await stat(beside).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  const text = await readText(beside, { maxBytes: LONGEST_LIST });
  const labels = text.split('\n').map((line) => line.trim());
  return { labels: labels.at(-1) === '' ? labels.slice(0, -1) : labels, file: beside };
}

/** Files of MMLU's subjects are 57. */
const MOST_FILES = 256;

async function filesOf(planned: PlannedTask, file: string): Promise<readonly string[]> {
  if (taskOf(planned).known !== 'mmlu') return [file];
  const isFolder = await stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return [file];
  const names = (await readdir(file)).filter((name) => /\.(csv|jsonl|parquet)$/i.test(name)).sort();
  if (names.length > 0 && names.length <= MOST_FILES) return names.map((name) => path.join(file, name));
  throw new EspalierError({
    code: 'tasks/not-found',
    operation: `reading the documents of ${planned.task}`,
    expected: 'a folder with a .csv, .jsonl or .parquet file for each subject',
    actual: names.length === 0 ? 'none of them' : `${names.length}`,
    remedy: 'Name the folder test of the authors’ files, or one file.',
    file,
  });
}

function notNamed(task: string, what: Part): EspalierError {
  return new EspalierError({
    code: 'tasks/not-found',
    operation: `reading the ${what} of ${task}`,
    expected: 'a file',
    actual: 'none',
    remedy: `Name it: \`${what}\` of the task.`,
  });
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
