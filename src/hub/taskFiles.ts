import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../base/errors.ts';
import { isHubReference, parseHubText, printReference } from '../experiment/hubReference.ts';
import type { HubText } from '../experiment/hubReference.ts';
import type { PlannedTask } from '../experiment/taskSchema.ts';
import { TASKS } from '../experiment/tasks.ts';
import { dataSetsFolder } from '../files/hubFolder.ts';
import { findCached } from './cachedReference.ts';
import type { HubEnvironment } from './hubEnvironment.ts';
import { locate } from './locate.ts';
import type { HubSession } from './locate.ts';
import { namesBeside, namesInFolder, taskDataOf, taskReferences } from './taskPlaces.ts';
import type { TaskPart } from './taskPlaces.ts';

/** Paths of a task's documents and, where it has shots, of what its examples are drawn of. */
export interface TaskFiles {
  readonly documents: string;
  readonly examples?: string;
}

type Wanted = Pick<PlannedTask, 'task' | 'documents' | 'examples' | 'shots' | 'template'>;

/** Where is looked, and who may be asked. */
interface Places {
  readonly cache: string;
  readonly dataSets: string;
  /** Makes a path of a reference that no cache has. @throws where that cannot be */
  readonly fetch: (reference: string) => Promise<string>;
}

/**
 * The files of a task: those that are named, by path (of a file, or of a folder with `piqa.jsonl` and `piqa.train.jsonl` or the authors' files in it) or
 * by `hf:`; else by the task's name in the cache of the hub, in that of `datasets`, or fetched, where that is agreed to.
 *
 * @throws EspalierError `tasks/not-found`, `hub/…`, `cancelled`
 */
export async function findTaskFiles(
  wanted: Wanted,
  session: HubSession,
  dataSets = dataSetsFolder(),
): Promise<TaskFiles> {
  return filesOf(wanted, {
    cache: session.environment.cache,
    dataSets,
    fetch: (reference) => locate(reference, 'text', session),
  });
}

/** The same without asking anybody. @returns undefined where something is missing */
export async function cachedTaskFiles(
  wanted: Wanted,
  { cache }: Pick<HubEnvironment, 'cache'>,
  dataSets = dataSetsFolder(),
): Promise<TaskFiles | undefined> {
  const fetch = (): Promise<never> => Promise.reject(notFound(wanted.task, 'documents', []));
  try {
    return await filesOf(wanted, { cache, dataSets, fetch });
  } catch (thrown) {
    if (thrown instanceof EspalierError) return undefined;
    throw thrown;
  }
}

async function filesOf(wanted: Wanted, places: Places): Promise<TaskFiles> {
  const said = wanted.documents;
  const documents =
    said === undefined ? await byName(wanted, 'documents', places) : await byPath(wanted, 'documents', said, places);
  if (wanted.shots === 0) return { documents };
  if (wanted.examples !== undefined)
    return { documents, examples: await byPath(wanted, 'examples', wanted.examples, places) };
  if (said === undefined) return { documents, examples: await byName(wanted, 'examples', places) };
  const beside = (await otherSplit(wanted, said, places)) ?? (await besideFile(wanted, said, documents));
  if (beside !== undefined) return { documents, examples: beside };
  // A task of one's own draws of its documents then.
  if (wanted.template) return { documents };
  throw notFound(wanted.task, 'examples', namesBeside(wanted.task, path.basename(documents)));
}

/** A part of a known task in the caches, or fetched. */
async function byName({ task, template }: Wanted, part: TaskPart, places: Places): Promise<string> {
  const data = template ? undefined : taskDataOf(task);
  if (!data) throw notFound(task, part, []);
  const references = taskReferences(data, part);
  for (const reference of references) {
    const found = await findCached(places, reference);
    if ('path' in found) return found.path;
  }
  for (const reference of references) {
    const found = await inDataSets(places.dataSets, reference);
    if (found !== undefined) return found;
  }
  return places.fetch(printReference(references[0]!));
}

async function byPath({ task }: Wanted, part: TaskPart, said: string, { cache, fetch }: Places): Promise<string> {
  if (isHubReference(said)) {
    const parsed = parseHubText(said);
    const found = 'reference' in parsed ? await findCached({ cache }, parsed.reference) : { missing: '' };
    return 'path' in found ? found.path : fetch(said);
  }
  if (!(await isFolder(said))) return said;
  const names = namesInFolder(task, part);
  const found = await firstOf(said, names);
  if (found !== undefined) return found;
  // The authors' folders test and dev of MMLU: a file for each subject.
  if (taskDataOf(task)?.known === 'mmlu') return said;
  throw notFound(task, part, names, said);
}

/** Of documents that are a split of the hub, the other one of the same configuration. */
async function otherSplit({ task }: Wanted, said: string, { cache, fetch }: Places): Promise<string | undefined> {
  const parsed = isHubReference(said) ? parseHubText(said) : undefined;
  if (!parsed || !('reference' in parsed) || 'file' in parsed.reference.part) return undefined;
  const data = taskDataOf(task);
  const split = data ? TASKS[data.known].examples : 'train';
  const reference: HubText = { ...parsed.reference, part: { ...parsed.reference.part, split } };
  const found = await findCached({ cache }, reference);
  return 'path' in found ? found.path : fetch(printReference(reference));
}

async function besideFile({ task }: Wanted, said: string, documents: string): Promise<string | undefined> {
  const inFolder =
    !isHubReference(said) && (await isFolder(said)) ? await firstOf(said, namesInFolder(task, 'examples')) : undefined;
  if (inFolder !== undefined) return inFolder;
  // Links into the blobs of the hub's cache are left where they are: beside the blob there is nothing.
  return firstOf(path.dirname(documents), namesBeside(task, path.basename(documents)));
}

/** `OWNER___NAME/CONFIG/VERSION/HASH/NAME-SPLIT.arrow`, that which was written last. */
async function inDataSets(root: string, { id, part }: HubText): Promise<string | undefined> {
  if ('file' in part) return undefined;
  const name = id.slice(id.indexOf('/') + 1);
  const folder = path.join(root, id.replace('/', '___'), part.config ?? 'default');
  const found: { readonly file: string; readonly written: number }[] = [];
  for (const version of await namesIn(folder)) {
    for (const hash of await namesIn(path.join(folder, version))) {
      const file = path.join(folder, version, hash, `${name}-${part.split}.arrow`);
      const written = await writtenAt(file);
      if (written !== undefined) found.push({ file, written });
    }
  }
  return found.sort((a, b) => b.written - a.written || (a.file < b.file ? -1 : 1))[0]?.file;
}

/** Folders of a data set are few. */
const MOST_NAMES = 1000;

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch((): string[] => [])).slice(0, MOST_NAMES);
}

async function firstOf(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const place = path.join(folder, ...name.split('/'));
    if ((await stat(place).catch(() => undefined)) !== undefined) return place;
  }
  return undefined;
}

async function isFolder(place: string): Promise<boolean> {
  return stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function writtenAt(file: string): Promise<number | undefined> {
  return stat(file).then(
    (found) => (found.isFile() ? found.mtimeMs : undefined),
    () => undefined,
  );
}

function notFound(task: string, part: TaskPart, names: readonly string[], folder?: string): EspalierError {
  const looked = names.slice(0, 4).join(', ');
  return new EspalierError({
    code: 'tasks/not-found',
    operation: `looking for the ${part} of ${task}`,
    expected: names.length === 0 ? 'the name of a file' : `one of ${looked}${names.length > 4 ? ', …' : ''}`,
    actual: folder === undefined ? 'none' : `none of them in ${folder}`,
    remedy:
      part === 'documents'
        ? 'Name the file: `documents`, or on the command line --tasks NAME=FILE.'
        : `Name the file of examples: \`examples\`; beside the documents it is found as ${task}.train.jsonl.`,
    ...(folder !== undefined && { file: folder }),
  });
}
