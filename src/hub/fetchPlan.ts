import { stat } from 'node:fs/promises';
import path from 'node:path';
import { toErrorData } from '../base/errors.ts';
import type { HubModel, HubReference, HubText } from '../experiment/hubReference.ts';
import { hubPage } from '../experiment/hubReference.ts';
import { convertedSplit, LONGEST_INDEX, PARQUET_BRANCH, textFile } from './cachedReference.ts';
import type { HubFileEntry } from './fetchBlob.ts';
import { blobFile, isCommit, repositoryFolder, snapshotFolder } from '../files/hubCache.ts';
import { ask, wholeBody, withTries } from './hubClient.ts';
import type { HubClient } from './hubClient.ts';
import { endpointText } from './hubEnvironment.ts';
import { badReplyError, hubError } from './hubErrors.ts';
import { INDEX, modelFiles, offeredParts, shardsOf, TOKENIZER } from './neededFiles.ts';
import { fileAddress, listRepository, repositoryInfo } from './repository.ts';
import type { RepositoryInfo } from './repository.ts';

/** What of a repository is needed, and what of that is not in the cache: nothing has been fetched yet but lists. */
export interface FetchPlan {
  readonly reference: HubReference;
  readonly info: RepositoryInfo;
  /** Absolute: `…/models--OWNER--NAME`. */
  readonly repository: string;
  /** Branch or tag that is at the commit; undefined where the commit was said. */
  readonly revision?: string;
  readonly files: readonly HubFileEntry[];
  readonly missing: readonly HubFileEntry[];
  /** Of what is missing. */
  readonly bytes: number;
  /** Files that this commit has not. */
  readonly absent: readonly string[];
  /** The path to work with once all is there. */
  readonly path: string;
}

/** @throws EspalierError `hub/…` for what the hub has not, or may not be read, or is no model and no text */
export function planFetch(client: HubClient): Promise<FetchPlan> {
  const { reference } = client;
  return reference.kind === 'model' ? planModel(client, reference) : planText(client, reference);
}

async function planModel(client: HubClient, reference: HubModel): Promise<FetchPlan> {
  const revision = reference.revision ?? 'main';
  const info = await repositoryInfo(client, revision);
  const all = await listRepository(client, info.commit, { recursive: false });
  const needed = modelFiles(all, await listedShards(client, info, all));
  if ('problem' in needed) {
    throw hubError(client, {
      code: 'hub/files',
      expected: 'config.json with safetensors',
      actual: needed.problem,
      remedy: `Look at ${hubPage(reference, endpointText(client.endpoint))}: another revision, or a converted copy, may have them.`,
    });
  }
  const files = entriesOf(all, needed.files);
  const absent = needed.files.includes(TOKENIZER) ? [] : [TOKENIZER];
  const repository = repositoryFolder(client.environment.cache, reference);
  const place = snapshotFolder(repository, info.commit);
  return planOf(reference, info, revision, { repository, files, absent, path: place });
}

/** The shards by the index itself: their names may be others than usual. */
async function listedShards(
  client: HubClient,
  { commit }: RepositoryInfo,
  all: readonly HubFileEntry[],
): Promise<readonly string[] | undefined> {
  const names = new Set(all.map(({ path: name }) => name));
  if (names.has('model.safetensors') || !names.has(INDEX)) return undefined;
  const bytes = await withTries(client, async () =>
    wholeBody(client, await ask(client, fileAddress(client, commit, INDEX), {}, 'follow'), LONGEST_INDEX),
  );
  try {
    const shards = shardsOf(JSON.parse(new TextDecoder().decode(bytes)));
    if (shards !== undefined) return shards;
  } catch {
    // Told below.
  }
  throw badReplyError(client, `${INDEX} with the names of its shards`, 'none of them, or some that lead elsewhere');
}

async function planText(client: HubClient, reference: HubText): Promise<FetchPlan> {
  const revision = reference.revision ?? 'main';
  const info = await repositoryInfo(client, revision);
  const found = await listedText(client, info, reference);
  if (found.file !== undefined) return planFile(client, reference, info, revision, found.file);
  const { part } = reference;
  if (reference.revision === undefined && !('file' in part)) {
    const converted = await convertedText(client, convertedSplit(reference, part));
    if (converted) return planFile(client, reference, converted.info, PARQUET_BRANCH, converted.file);
  }
  const offered = offeredParts(found.all).map((each) => `hf:${reference.id}${each}`);
  throw hubError(client, {
    code: 'hub/files',
    expected: 'file' in part ? `a file ${part.file}` : `a file of the split ${part.split}`,
    actual: offered.length === 0 ? 'no file of rows' : `a data set with ${offered.slice(0, 8).join(', ')}`,
    remedy: `Name one that it has: ${hubPage(reference, endpointText(client.endpoint))}/tree/main lists its files.`,
  });
}

interface FoundText {
  readonly file?: HubFileEntry;
  /** What was looked through. */
  readonly all: readonly HubFileEntry[];
}

/** First where it should be: data sets have tens of thousands of files. */
async function listedText(client: HubClient, { commit }: RepositoryInfo, reference: HubText): Promise<FoundText> {
  const { part } = reference;
  const likely =
    'file' in part
      ? { folder: path.posix.dirname(part.file), recursive: false }
      : { folder: part.config ?? 'data', recursive: true };
  const { folder, ...how } = likely;
  const near = await listRepository(client, commit, folder === '.' ? how : likely).catch(ifAbsent);
  const found = entryIn(near, reference);
  if (found) return { file: found, all: near };
  const all = await listRepository(client, commit, { recursive: true });
  const file = entryIn(all, reference);
  return { all, ...(file && { file }) };
}

function entryIn(all: readonly HubFileEntry[], reference: HubText): HubFileEntry | undefined {
  const file = textFile(all, reference);
  return file === undefined ? undefined : all.find(({ path: each }) => each === file);
}

async function convertedText(
  client: HubClient,
  reference: HubText,
): Promise<{ readonly info: RepositoryInfo; readonly file: HubFileEntry } | undefined> {
  const info = await repositoryInfo(client, PARQUET_BRANCH).catch(ifAbsentAtAll);
  if (info === undefined) return undefined;
  const { file } = await listedText(client, info, reference);
  return file && { info, file };
}

function ifAbsent(thrown: unknown): readonly HubFileEntry[] {
  if (isAbsence(thrown)) return [];
  throw thrown;
}

function ifAbsentAtAll(thrown: unknown): undefined {
  if (!isAbsence(thrown)) throw thrown;
}

function isAbsence(thrown: unknown): boolean {
  return toErrorData(thrown, '').code === 'hub/not-found';
}

function planFile(
  client: HubClient,
  reference: HubText,
  info: RepositoryInfo,
  revision: string,
  file: HubFileEntry,
): Promise<FetchPlan> {
  const repository = repositoryFolder(client.environment.cache, reference);
  const place = path.join(snapshotFolder(repository, info.commit), ...file.path.split('/'));
  return planOf(reference, info, revision, { repository, files: [file], absent: [], path: place });
}

async function planOf(
  reference: HubReference,
  info: RepositoryInfo,
  revision: string,
  rest: Pick<FetchPlan, 'repository' | 'files' | 'absent' | 'path'>,
): Promise<FetchPlan> {
  const missing: HubFileEntry[] = [];
  for (const file of rest.files) if (!(await isThere(rest.repository, info.commit, file))) missing.push(file);
  return {
    reference,
    info,
    ...(!isCommit(revision) && { revision }),
    ...rest,
    missing,
    bytes: missing.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function entriesOf(all: readonly HubFileEntry[], names: readonly string[]): readonly HubFileEntry[] {
  const byPath = new Map(all.map((entry) => [entry.path, entry]));
  return names.map((name) => byPath.get(name)!);
}

/** Whether its bytes are in the cache, under this commit or another. */
async function isThere(
  repository: string,
  commit: string,
  { path: name, etag, bytes }: HubFileEntry,
): Promise<boolean> {
  const places = [path.join(snapshotFolder(repository, commit), ...name.split('/')), blobFile(repository, etag)];
  for (const place of places) {
    const found = await stat(place).catch(() => undefined);
    if (found?.isFile() === true && found.size === bytes) return true;
  }
  return false;
}
