import { readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../base/errors.ts';
import { printReference } from '../experiment/hubReference.ts';
import { copyFile } from '../files/copyFile.ts';
import { reasonOf } from '../files/fileProblem.ts';
import { makeFolders } from '../files/makeFolders.ts';
import { createFile } from '../files/openRegular.ts';
import { makeRealFolders } from '../files/realFolders.ts';
import { removeTemporary, sweepTemporaries, temporaryBeside } from '../files/temporary.ts';
import { writeNew } from '../files/writeWhole.ts';
import { fetchBlob } from './fetchBlob.ts';
import type { HubFileEntry } from './fetchBlob.ts';
import { blobFile, missingMark, refFile, snapshotFolder } from '../files/hubCache.ts';
import { cancelled } from './hubClient.ts';
import type { HubClient } from './hubClient.ts';
import { leaveIncomplete, removeLeft, takeIncomplete } from './incompleteFile.ts';

/** A commit of a repository in the cache. */
export interface Snapshot {
  /** Absolute: `…/models--OWNER--NAME`. */
  readonly repository: string;
  readonly commit: string;
}

/**
 * Makes the folders that everything else needs. The snapshot's comes first: what reads the cache takes a repository without snapshots, or a
 * ref without its snapshot, for a damaged one.
 */
export async function openSnapshot(client: HubClient, { repository, commit }: Snapshot): Promise<void> {
  await written(client, async () => {
    await makeFolders(repository);
    await makeRealFolders(repository, snapshotFolder(repository, commit));
    await makeRealFolders(repository, path.join(repository, 'blobs'));
    await sweepTemporaries(path.join(repository, 'blobs'));
  });
}

/** A file of a snapshot is in its place when this is done: a link to its blob, or itself where no link can be made. */
export async function storeFile(
  client: HubClient,
  snapshot: Snapshot,
  entry: HubFileEntry,
  address: string,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const { repository, commit } = snapshot;
  const place = path.join(snapshotFolder(repository, commit), ...entry.path.split('/'));
  const blob = blobFile(repository, entry.etag);
  const isThere = async (): Promise<boolean> => (await isFile(place, entry)) || isFile(blob, entry);
  const blobs = path.dirname(blob);
  const mine = await written(client, () => takeIncomplete(blobs, entry.etag, { isThere, signal: client.signal }));
  if (mine !== undefined) {
    try {
      await fetchBlob(client, address, entry, mine, onBytes);
      await written(client, () => rename(mine.path, blob));
    } catch (thrown) {
      await leaveIncomplete(mine);
      throw thrown instanceof EspalierError ? thrown : writeError(client, thrown);
    }
  }
  onBytes(entry.bytes);
  await written(client, async () => {
    await removeLeft(blobs, entry.etag);
    await makeRealFolders(repository, path.dirname(place));
    if (!(await isFile(place, entry))) await putInPlace(blob, place, client.environment.mayLink, mine !== undefined);
  });
  return place;
}

/** Says which commit a branch or tag is at. Last of all: until then whoever reads the cache finds the one before, which is whole. */
export async function storeRef(client: HubClient, { repository, commit }: Snapshot, revision: string): Promise<void> {
  const place = refFile(repository, revision);
  await written(client, async () => {
    await makeRealFolders(repository, path.dirname(place));
    // Not beside it: every file among the refs counts as one.
    const temporary = temporaryBeside(path.join(repository, 'blobs', 'ref'));
    try {
      await writeNew(temporary, commit);
      await rename(temporary, place);
    } finally {
      await removeTemporary(temporary);
    }
  });
}

/** Remembers that a commit has no such file. */
export async function storeMissing(client: HubClient, { repository, commit }: Snapshot, file: string): Promise<void> {
  const place = missingMark(repository, commit, file);
  await written(client, async () => {
    await makeRealFolders(repository, path.dirname(place));
    if (await stat(place).catch(() => undefined)) return;
    await createFile(place).then((handle) => handle.close());
  });
}

/** A file that is as long as it has to be, wherever links lead. */
function isFile(place: string, { bytes }: HubFileEntry): Promise<boolean> {
  return stat(place).then(
    (found) => found.isFile() && found.size === bytes,
    () => false,
  );
}

/**
 * Links relatively, so that the cache can be moved. Where that cannot be, a new blob moves there, and one that others may link to is copied.
 */
async function putInPlace(blob: string, place: string, mayLink: boolean, isNew: boolean): Promise<void> {
  const target = path.relative(path.dirname(place), blob);
  if (mayLink) {
    try {
      await link(target, place);
      return;
    } catch (thrown) {
      if (!NO_LINKS.has((thrown as NodeJS.ErrnoException).code)) throw thrown;
    }
  }
  if (isNew) {
    await rename(blob, place);
    return;
  }
  const temporary = temporaryBeside(blob);
  try {
    await copyFile(blob, temporary);
    await rename(temporary, place);
  } finally {
    await removeTemporary(temporary);
  }
}

/** What systems and disks without links say; Windows where the person may make none. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'EACCES',
  'ENOSYS',
  'ENOTSUP',
  'EOPNOTSUPP',
  'EINVAL',
]);

async function link(target: string, place: string): Promise<void> {
  try {
    await symlink(target, place);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    if ((await readlink(place).catch(() => undefined)) === target) return;
    // One that leads nowhere, or what is left of a file: no good to anybody.
    await rm(place, { force: true });
    await symlink(target, place);
  }
}

async function written<Value>(client: HubClient, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown;
    throw writeError(client, thrown);
  }
}

function writeError(client: HubClient, thrown: unknown): EspalierError {
  if (client.signal?.aborted) return cancelled(client);
  const { cache } = client.environment;
  return new EspalierError(
    {
      code: 'io/write',
      operation: `fetching ${printReference(client.reference)}`,
      expected: `to write to the cache ${cache}`,
      actual: reasonOf(thrown),
      remedy: 'Make room or permissions there, or name another folder with HF_HUB_CACHE.',
      file: cache,
    },
    { cause: thrown },
  );
}
