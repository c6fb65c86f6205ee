import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import { FileProblem, fileProblem } from '../../files/fileProblem.ts';
import { isSettled, sameVersion, versionOf } from '../../files/fileVersion.ts';
import type { FileVersion } from '../../files/fileVersion.ts';
import { openToRead } from '../../files/openRegular.ts';
import { readText, refuseHidden } from '../../files/readBytes.ts';
import { writeWhole } from '../../files/writeWhole.ts';

/**
 * sha-256, hex, of a file, streamed. With a cache folder the hash of an unchanged file (real path and {@link FileVersion}) is
 * looked up instead: hashing tens of gigabytes takes minutes. The cache can only save time: what is damaged, foreign or not
 * writable in it is left aside, and a file that was written to a moment ago is not remembered, since a second write could look
 * like the first.
 *
 * @throws EspalierError `io/read`, `cancelled`
 */
export async function hashFile(file: string, cacheFolder?: string, signal?: AbortSignal): Promise<string> {
  return (await hashVersion(file, cacheFolder, signal)).hash;
}

/** As {@link hashFile}, with the version of the file that has this hash. */
export async function hashVersion(file: string, cacheFolder?: string, signal?: AbortSignal): Promise<HashedVersion> {
  try {
    if (cacheFolder === undefined) return await streamHash(file, signal);
    const real = await realpath(file);
    const version = versionOf(await stat(real, { bigint: true }));
    const known = await readEntry(cacheFolder, keyOf(real, version));
    if (known !== undefined) return { hash: known, version };
    const began = Date.now();
    const hashed = await streamHash(real, signal);
    if (isSettled(hashed.version, began)) await writeEntry(cacheFolder, keyOf(real, hashed.version), hashed.hash);
    return hashed;
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown;
    throw new EspalierError({
      code: 'io/read',
      operation: `hashing ${file}`,
      expected: 'a readable file that stays as it is',
      actual: fileProblem(thrown).message,
      remedy: 'Check that the file exists, that you may read it, and that nobody is writing to it.',
      file,
    });
  }
}

/** sha-256, hex, of a text (as UTF-8) or of bytes. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

export interface HashedVersion {
  readonly hash: string;
  /** The file's before the first byte was read and after the last. */
  readonly version: FileVersion;
}

/** Reads what the file held when it was opened: something that is written to without end would never be done. */
async function streamHash(file: string, signal: AbortSignal | undefined): Promise<HashedVersion> {
  const handle = await openToRead(file);
  try {
    const found = await handle.stat({ bigint: true });
    const [version, size] = [versionOf(found), Number(found.size)];
    if (size === 0) await refuseHidden(handle);
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(Math.min(PORTION, Math.max(size, 1)));
    for (let at = 0; at < size;) {
      throwIfCancelled(signal, `hashing ${file}`);
      const { bytesRead } = await handle.read(buffer, 0, Math.min(PORTION, size - at), at);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    if (sameVersion(version, versionOf(await handle.stat({ bigint: true }))))
      return { hash: hash.digest('hex'), version };
    throw new FileProblem('changed', 'one that was written to meanwhile');
  } finally {
    await handle.close();
  }
}

/** Bytes read at a time. */
const PORTION = 1 << 20;

function keyOf(real: string, { device, inode, size, modified, changed }: FileVersion): string {
  return JSON.stringify([real, ...[device, inode, size, modified, changed].map(String)]);
}

function entryOf(cacheFolder: string, key: string): string {
  return path.join(cacheFolder, `${sha256(key)}.json`);
}

/** The remembered hash, if the entry is whole and about this very file. */
async function readEntry(cacheFolder: string, key: string): Promise<string | undefined> {
  try {
    const text = await readText(entryOf(cacheFolder, key), { maxBytes: MAX_ENTRY });
    const {
      key: about,
      sha256: hash,
      check,
    } = JSON.parse(text) as { key?: unknown; sha256?: unknown; check?: unknown };
    if (about !== key || typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
    return check === sha256(key + hash) ? hash : undefined;
  } catch {
    return undefined;
  }
}

/** Bytes: a path and a few numbers. */
const MAX_ENTRY = 64 << 10;

async function writeEntry(cacheFolder: string, key: string, hash: string): Promise<void> {
  const entry = JSON.stringify({ key, sha256: hash, check: sha256(key + hash) });
  // What cannot be remembered is hashed again.
  await writeWhole(entryOf(cacheFolder, key), entry).catch(() => undefined);
}
