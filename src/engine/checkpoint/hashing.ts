import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { reasonOf } from './jsonFile.ts';
import { EspalierError, cancelledError } from '../../base/errors.ts';

/**
 * sha-256, hex, of a file, streamed. With a cache folder the hash of an unchanged file (real path, size, modification time
 * in nanoseconds, inode) is looked up instead: hashing tens of gigabytes takes minutes. The cache can only save time: what
 * is damaged, foreign or not writable in it is left aside.
 *
 * @throws EspalierError `io/read`, `cancelled`
 */
export async function hashFile(file: string, cacheFolder?: string, signal?: AbortSignal): Promise<string> {
  try {
    const key = await cacheKey(file);
    const entry = cacheFolder === undefined ? undefined : path.join(cacheFolder, `${sha256(key)}.json`);
    const known = entry === undefined ? undefined : await readEntry(entry, key);
    if (known !== undefined) return known;
    const hash = await streamHash(file, signal);
    // A file that was written to meanwhile has no hash worth remembering.
    if (entry !== undefined && (await cacheKey(file)) === key) await writeEntry(entry, key, hash);
    return hash;
  } catch (thrown) {
    if (signal?.aborted) throw cancelledError(`hashing ${file}`);
    throw new EspalierError({
      code: 'io/read',
      operation: `hashing ${file}`,
      expected: 'a readable file',
      actual: reasonOf(thrown),
      remedy: 'Check that the file exists and that you may read it.',
      file,
    });
  }
}

/** sha-256, hex, of a text (as UTF-8) or of bytes. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

async function streamHash(file: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  const stream = createReadStream(file, { highWaterMark: 2 ** 20, ...(signal && { signal }) });
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function cacheKey(file: string): Promise<string> {
  const real = await realpath(file);
  const found = await stat(real, { bigint: true });
  if (!found.isFile()) throw new Error('it is a folder, a pipe or a device');
  const { size, mtimeNs, ino } = found;
  return JSON.stringify([real, `${size}`, `${mtimeNs}`, `${ino}`]);
}

/** The remembered hash, if the entry is whole and about this very file. */
async function readEntry(entry: string, key: string): Promise<string | undefined> {
  try {
    const value = JSON.parse(await readFile(entry, 'utf8')) as { key?: unknown; sha256?: unknown; check?: unknown };
    const { key: about, sha256: hash, check } = value;
    if (about !== key || typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
    return check === sha256(key + hash) ? hash : undefined;
  } catch {
    return undefined;
  }
}

/** Written beside and moved in place, so that no reader ever sees half an entry. */
async function writeEntry(entry: string, key: string, hash: string): Promise<void> {
  const temporary = `${entry}.${randomUUID()}.tmp`;
  try {
    await mkdir(path.dirname(entry), { recursive: true });
    await writeFile(temporary, JSON.stringify({ key, sha256: hash, check: sha256(key + hash) }));
    await rename(temporary, entry);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}
