import { lstat, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { HubReference } from '../experiment/hubReference.ts';
import { idOfFolder } from '../experiment/hubName.ts';
import { findCached } from './cachedReference.ts';
import { cachedCommit, isCommit, snapshotFiles } from '../files/hubCache.ts';
import { isIncomplete } from './incompleteFile.ts';

/** A model or data set in the cache. */
export interface CachedRepository {
  readonly kind: HubReference['kind'];
  readonly id: string;
  /** Absolute. */
  readonly folder: string;
  /** Those that there are files of, the one that `main` is at first. */
  readonly commits: readonly string[];
  /** Branches and tags by the commit that they were at. */
  readonly refs: Readonly<Record<string, string>>;
  /** On the disk, each blob once, what is half fetched too. */
  readonly bytes: number;
  /** Milliseconds since 1970. When a file was last read, as far as the disk keeps that, and when one was last written. */
  readonly used: number;
  readonly modified: number;
  /** Of a model whether it could be pruned as it is; of a data set whether there is any file of it. */
  readonly isComplete: boolean;
  /** Files that were begun. */
  readonly unfinished: number;
}

/** Of a folder with more in it, the rest is not looked at. */
const MOST_REPOSITORIES = 10_000;
const MOST_REFS = 1000;

/**
 * What the cache holds, what was used last first. Nobody is asked, nothing is written, and no link is followed out of the cache. What is no
 * repository is passed over; a cache that is not there is an empty one.
 */
export async function listCache(cache: string): Promise<readonly CachedRepository[]> {
  const names = await readdir(cache).catch((): string[] => []);
  const found: CachedRepository[] = [];
  for (const name of names.slice(0, MOST_REPOSITORIES)) {
    const [, kind, folder = ''] = /^(model|dataset)s--(.+)$/.exec(name) ?? [];
    const id = idOfFolder(folder);
    if (kind === undefined || id === undefined || !/^[\w.-]+(\/[\w.-]+)?$/.test(id)) continue;
    found.push(await describe(cache, path.join(cache, name), kind as HubReference['kind'], id));
  }
  return found.sort((a, b) => b.used - a.used || (a.id < b.id ? -1 : 1));
}

async function describe(
  cache: string,
  folder: string,
  kind: HubReference['kind'],
  id: string,
): Promise<CachedRepository> {
  const refs = await refsOf(folder);
  const commits = (await readdir(path.join(folder, 'snapshots')).catch((): string[] => [])).filter(isCommit).sort();
  commits.sort((a, b) => Number(b === refs['main']) - Number(a === refs['main']));
  const blobs = new Map<string, number>();
  for (const commit of commits) {
    for (const { blob, bytes } of (await snapshotFiles(cache, folder, commit)).values()) blobs.set(blob, bytes);
  }
  const begun = await unfinishedIn(path.join(folder, 'blobs'));
  const times = await timesOf(folder, [...blobs.keys()]);
  return {
    ...{ kind, id, folder, commits, refs, ...times },
    bytes: [...blobs.values(), ...begun].reduce((sum, bytes) => sum + bytes, 0),
    isComplete: kind === 'model' ? await isWhole(cache, id, commits) : blobs.size > 0,
    unfinished: begun.length,
  };
}

async function isWhole(cache: string, id: string, commits: readonly string[]): Promise<boolean> {
  for (const revision of commits)
    if ('path' in (await findCached({ cache }, { kind: 'model', id, revision }))) return true;
  return false;
}

/** Sizes of what is half fetched. */
async function unfinishedIn(blobs: string): Promise<readonly number[]> {
  const names = (await readdir(blobs).catch((): string[] => [])).filter(isIncomplete);
  const found = await Promise.all(names.map((name) => lstat(path.join(blobs, name)).catch(() => undefined)));
  return found.flatMap((each) => (each?.isFile() === true ? [each.size] : []));
}

async function timesOf(folder: string, blobs: readonly string[]): Promise<{ used: number; modified: number }> {
  const found = await Promise.all([folder, ...blobs].map((file) => stat(file).catch(() => undefined)));
  const [own, ...files] = found.flatMap((each) => each ?? []);
  const all = files.length > 0 ? files : own ? [own] : [];
  return {
    used: Math.max(0, ...all.map(({ atimeMs, mtimeMs }) => Math.max(atimeMs, mtimeMs))),
    modified: Math.max(0, ...all.map(({ mtimeMs }) => mtimeMs)),
  };
}

async function refsOf(repository: string): Promise<Readonly<Record<string, string>>> {
  const root = path.join(repository, 'refs');
  const entries = await readdir(root, { withFileTypes: true, recursive: true }).catch(() => []);
  const refs: Record<string, string> = {};
  for (const entry of entries.slice(0, MOST_REFS)) {
    if (!entry.isFile()) continue;
    const name = path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/');
    const commit = await cachedCommit(repository, name);
    if (commit !== undefined) refs[name] = commit;
  }
  return refs;
}
