import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { readText } from './readBytes.ts';

/** Folder in which Python's hub library keeps what it has downloaded. */
function cacheFolder(): string {
  const home = said('HF_HOME') ?? path.join(said('XDG_CACHE_HOME') ?? path.join(homedir(), '.cache'), 'huggingface');
  return said('HF_HUB_CACHE') ?? said('HUGGINGFACE_HUB_CACHE') ?? path.join(home, 'hub');
}

/** A variable that is set to nothing is none. */
function said(variable: string): string | undefined {
  return process.env[variable] === '' ? undefined : process.env[variable];
}

/** Folder of a model's snapshot in that cache: what `revision` is there. Undefined where it was not downloaded. */
export function cachedSnapshot(id: string, revision = 'main'): Promise<string | undefined> {
  return snapshotOf(path.join(cacheFolder(), `models--${id.replace('/', '--')}`), revision);
}

/**
 * The snapshot that a folder of the cache (`models--OWNER--NAME`, or `snapshots` in it) means: the one that the branch `main` was at when it was
 * downloaded, which is what Python's `from_pretrained("OWNER/NAME")` reads. Undefined of any other folder, and where that one is missing.
 */
export async function snapshotBelow(folder: string): Promise<string | undefined> {
  const repository = path.basename(folder) === 'snapshots' ? path.dirname(folder) : folder;
  return path.basename(repository).startsWith('models--') ? snapshotOf(repository, 'main') : undefined;
}

async function snapshotOf(repository: string, revision: string): Promise<string | undefined> {
  if (!/^[\w.-]+$/.test(revision) || revision.startsWith('.')) return undefined;
  const text = await readText(path.join(repository, 'refs', revision), { maxBytes: 1024 }).catch(() => revision);
  const commit = text.trim();
  // A name of one folder: what the file says leads nowhere else.
  if (!/^[0-9a-zA-Z]{1,64}$/.test(commit)) return undefined;
  const snapshot = path.join(repository, 'snapshots', commit);
  const names = await readdir(snapshot).catch((): string[] => []);
  return names.length > 0 ? snapshot : undefined;
}
