import path from 'node:path';
import type { HubFile, HubReference, HubSplit, HubText } from '../experiment/hubReference.ts';
import { printReference } from '../experiment/hubReference.ts';
import { readText } from '../files/readBytes.ts';
import { hubError } from './hubErrors.ts';
import type { HubEnvironment } from './hubEnvironment.ts';
import { cachedCommit, isKnownMissing, repositoryFolder, snapshotFiles, snapshotFolder } from '../files/hubCache.ts';
import type { CachedFile } from '../files/hubCache.ts';
import { claimedFiles, INDEX, modelFiles, shardsOf, splitFiles, TOKENIZER } from './neededFiles.ts';

/** What the cache has of a reference: the path to work with, or what is missing of it. */
export type Cached = { readonly path: string } | { readonly missing: string };

/** The branch that the hub keeps every data set in as parquet, whatever its owner has. */
export const PARQUET_BRANCH = 'refs/convert/parquet';
/** Bytes; of the largest models some megabytes. */
export const LONGEST_INDEX = 32 << 20;

/**
 * Looks a reference up without asking anybody.
 *
 * @throws EspalierError `hub/files` for a split of several files
 */
export async function findCached({ cache }: Pick<HubEnvironment, 'cache'>, reference: HubReference): Promise<Cached> {
  const repository = repositoryFolder(cache, reference);
  const commit = await cachedCommit(repository, reference.revision);
  const files = commit === undefined ? NONE : await snapshotFiles(cache, repository, commit);
  if (reference.kind === 'model') {
    if (commit === undefined || files.size === 0) return { missing: 'nothing of it' };
    return findModel({ repository, commit, files });
  }
  const found = commit === undefined ? undefined : findText({ repository, commit, files }, reference);
  if (found !== undefined) return { path: found };
  const converted = await findConverted(cache, repository, reference);
  return converted === undefined
    ? { missing: files.size === 0 ? 'nothing of it' : 'other files of it' }
    : { path: converted };
}

const NONE: ReadonlyMap<string, CachedFile> = new Map();

interface CachedSnapshot {
  readonly repository: string;
  readonly commit: string;
  readonly files: ReadonlyMap<string, CachedFile>;
}

async function findModel({ repository, commit, files }: CachedSnapshot): Promise<Cached> {
  const needed = modelFiles([...files.values()], await cachedShards(files));
  if ('problem' in needed) return { missing: `a part of it: ${needed.problem}` };
  if (!files.has(TOKENIZER) && !(await isKnownMissing(repository, commit, TOKENIZER))) {
    return { missing: `it without ${TOKENIZER}` };
  }
  return { path: snapshotFolder(repository, commit) };
}

/** What the index in the cache names; none where it cannot be read, so that it is fetched again. */
async function cachedShards(files: ReadonlyMap<string, CachedFile>): Promise<readonly string[] | undefined> {
  const index = files.get(INDEX);
  if (index === undefined) return undefined;
  try {
    return shardsOf(JSON.parse(await readText(index.blob, { maxBytes: LONGEST_INDEX }))) ?? [];
  } catch {
    return [];
  }
}

function findText({ repository, commit, files }: CachedSnapshot, reference: HubText): string | undefined {
  const file = textFile([...files.values()], reference);
  return file === undefined || !files.has(file)
    ? undefined
    : path.join(snapshotFolder(repository, commit), ...file.split('/'));
}

async function findConverted(cache: string, repository: string, reference: HubText): Promise<string | undefined> {
  if (reference.revision !== undefined || 'file' in reference.part) return undefined;
  const commit = await cachedCommit(repository, PARQUET_BRANCH);
  if (commit === undefined) return undefined;
  const files = await snapshotFiles(cache, repository, commit);
  return findText({ repository, commit, files }, convertedSplit(reference, reference.part));
}

/** On that branch a configuration without a name is called `default`. */
export function convertedSplit(reference: HubText, { config = 'default', split }: HubSplit): HubText {
  return { ...reference, part: { config, split } };
}

/**
 * The file that a reference to a text means, among those of the repository.
 *
 * @returns undefined where there is none
 * @throws EspalierError `hub/files` for a split of several
 */
export function textFile(all: readonly { readonly path: string }[], reference: HubText): string | undefined {
  const { part } = reference;
  if (isFilePart(part)) return all.some(({ path: each }) => each === part.file) ? part.file : undefined;
  const files = splitFiles(all, part);
  const [first] = files;
  if (first === undefined) return undefined;
  const count = Math.max(files.length, claimedFiles(first));
  if (count === 1) return first;
  const one = printReference({ ...reference, part: { file: first } });
  throw hubError(
    { reference },
    {
      code: 'hub/files',
      expected: 'a split that is one file',
      actual: `${count} files, the first of them ${first}`,
      remedy: `Name the file that is meant: ${one}.`,
    },
  );
}

function isFilePart(part: HubFile | HubSplit): part is HubFile {
  return 'file' in part;
}
