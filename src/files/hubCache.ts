import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { hubCacheFolder } from './hubFolder.ts';
import { isInside } from './inside.ts';
import { readText } from './readBytes.ts';

/**
 * The cache that Python's huggingface_hub keeps, and shares with us:
 *
 *     models--OWNER--NAME/blobs/ETAG                  a file by its hash
 *     models--OWNER--NAME/refs/REVISION               the commit that a branch or tag was at
 *     models--OWNER--NAME/snapshots/COMMIT/NAME       a link to its blob, or the file itself where links cannot be made
 *     models--OWNER--NAME/.no_exist/COMMIT/NAME       an empty file: that commit has none of that name
 */
export interface CachedFile {
  /** In the repository, names parted by /. */
  readonly path: string;
  /** Where its bytes are, links followed. */
  readonly blob: string;
  readonly bytes: number;
}

/** A repository of the hub. */
export interface Repository {
  readonly kind: 'model' | 'dataset';
  /** OWNER/NAME, or NAME alone. */
  readonly id: string;
}

export function repositoryFolder(cache: string, { kind, id }: Repository): string {
  return path.join(cache, `${kind}s--${id.replace('/', '--')}`);
}

export function snapshotFolder(repository: string, commit: string): string {
  return path.join(repository, 'snapshots', commit);
}

export function blobFile(repository: string, etag: string): string {
  return path.join(repository, 'blobs', etag);
}

export function refFile(repository: string, revision: string): string {
  return path.join(repository, 'refs', ...revision.split('/'));
}

/** Marks that a commit has no file of this name, as Python's library remembers it. */
export function missingMark(repository: string, commit: string, file: string): string {
  return path.join(repository, '.no_exist', commit, ...file.split('/'));
}

export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/**
 * The commit that a revision was at when somebody last asked the hub, or that it is.
 *
 * @returns undefined where the cache knows none
 */
export async function cachedCommit(repository: string, revision = 'main'): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  if (/^[0-9a-f]{7,39}$/.test(revision)) {
    const commits = await readdir(path.join(repository, 'snapshots')).catch((): string[] => []);
    const meant = commits.filter((commit) => isCommit(commit) && commit.startsWith(revision));
    if (meant.length === 1) return meant[0];
  }
  try {
    const file = refFile(repository, revision);
    const commit = (await readText(file, { maxBytes: 256, links: 'refuse', below: repository })).trim();
    return isCommit(commit) ? commit : undefined;
  } catch {
    return undefined;
  }
}

/** Files of a snapshot are few; a folder with more is none of the hub's. */
const MOST_FILES = 100_000;
const DEEPEST = 16;

/**
 * What of a commit is in the cache, by path. Links count where they lead to a file inside the cache (blobs of one repository can be links to
 * those that all share) and are nothing elsewhere: whoever put one there does not say what is read.
 */
export async function snapshotFiles(
  cache: string,
  repository: string,
  commit: string,
): Promise<ReadonlyMap<string, CachedFile>> {
  const files = new Map<string, CachedFile>();
  const root = await realpath(cache).catch(() => undefined);
  if (root !== undefined) await collect(root, snapshotFolder(repository, commit), [], files);
  return files;
}

async function collect(
  root: string,
  folder: string,
  names: readonly string[],
  files: Map<string, CachedFile>,
): Promise<void> {
  if (names.length > DEEPEST) return;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (files.size >= MOST_FILES) return;
    const inside = [...names, entry.name];
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) await collect(root, place, inside, files);
    else {
      const found = await cachedFile(root, place, inside.join('/'));
      if (found) files.set(found.path, found);
    }
  }
}

async function cachedFile(root: string, place: string, name: string): Promise<CachedFile | undefined> {
  try {
    const blob = await realpath(place);
    if (!isInside(root, blob)) return undefined;
    const found = await stat(blob);
    return found.isFile() ? { path: name, blob, bytes: found.size } : undefined;
  } catch {
    // A link to a blob that is gone: as good as no file.
    return undefined;
  }
}

/** Whether the cache remembers that a commit has no such file. */
export async function isKnownMissing(repository: string, commit: string, file: string): Promise<boolean> {
  return stat(missingMark(repository, commit, file)).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** Folder of a model's snapshot in the cache: what `revision` is there. Undefined where it was not downloaded. */
export function cachedSnapshot(id: string, revision?: string): Promise<string | undefined> {
  return snapshotOf(repositoryFolder(hubCacheFolder(), { kind: 'model', id }), revision);
}

/**
 * The snapshot that a folder of the cache (`models--OWNER--NAME`, or `snapshots` in it) means: the one that the branch `main` was at when it was
 * downloaded, which is what Python's `from_pretrained("OWNER/NAME")` reads. Undefined of any other folder, and where that one is missing.
 */
export async function snapshotBelow(folder: string): Promise<string | undefined> {
  const repository = path.basename(folder) === 'snapshots' ? path.dirname(folder) : folder;
  return path.basename(repository).startsWith('models--') ? snapshotOf(repository) : undefined;
}

async function snapshotOf(repository: string, revision?: string): Promise<string | undefined> {
  const commit = await cachedCommit(repository, revision);
  if (commit === undefined) return undefined;
  const snapshot = snapshotFolder(repository, commit);
  const names = await readdir(snapshot).catch((): string[] => []);
  return names.length > 0 ? snapshot : undefined;
}
