import { randomInt, randomUUID } from 'node:crypto';
import { lstat, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFile } from '../files/openRegular.ts';
import { livenessOfMark, processMark } from '../files/temporary.ts';

/** A blob that is being fetched, by this process alone. */
export interface IncompleteFile {
  readonly path: string;
  /** How much of it there is already. */
  readonly bytes: number;
}

/**
 * `ETAG.MARK.XXXXXXXX.incomplete`, as Python's library ends such names: who is at it says the mark, `free` where nobody is. The name is the
 * lock: only whoever it names writes to the file, and who takes over what another has left gives it a name of its own first, which only one
 * can. Python's own lock is `flock`, which Node does not have; as its downloads, too, are files of their own that are put in their place
 * whole, neither harms the other, and at worst both fetch.
 */
const NAME = /^(?<etag>[0-9A-Za-z_-]+)\.(?<mark>free|\d{1,10}-\d{0,20}-[0-9a-f]{8})\.[0-9a-f]{8}\.incomplete$/;
const FREE = 'free';
/** Milliseconds without a byte after which another machine's counts as given up: no try waits as long. */
const GIVEN_UP = 600_000;
/** Milliseconds between two looks at what another process is at. */
const LOOK = 200;

/**
 * Becomes the one who fetches a blob, and goes on with what another has left of it.
 *
 * @param isThere whether somebody has fetched it meanwhile
 * @returns undefined where it is there. Rejects with what the file system says, or with the signal's reason
 */
export async function takeIncomplete(
  blobs: string,
  etag: string,
  { isThere, signal }: { readonly isThere: () => Promise<boolean>; readonly signal?: AbortSignal | undefined },
): Promise<IncompleteFile | undefined> {
  for (;;) {
    signal?.throwIfAborted();
    if (await isThere()) return undefined;
    if ((await othersAt(blobs, etag)).isHeld) {
      await sleep(LOOK);
      continue;
    }
    const mine = path.join(blobs, nameFor(etag, processMark()));
    await (await createFile(mine)).close();
    // Of two who come at once at least one sees the other; both may, and both step back then.
    const { isHeld, left } = await othersAt(blobs, etag, path.basename(mine));
    if (!isHeld) return { path: mine, bytes: await takeOver(blobs, left, mine) };
    await rm(mine, { force: true });
    await sleep(randomInt(LOOK));
  }
}

/** Removes what others have left of a blob that is there. */
export async function removeLeft(blobs: string, etag: string): Promise<void> {
  const { left } = await othersAt(blobs, etag);
  for (const name of left) await rm(path.join(blobs, name), { force: true }).catch(() => undefined);
}

/** Leaves what there is for whoever comes next. */
export async function leaveIncomplete({ path: file }: IncompleteFile): Promise<void> {
  const name = path.basename(file);
  const { etag } = NAME.exec(name)!.groups!;
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  if (size === 0) await rm(file, { force: true }).catch(() => undefined);
  else await rename(file, path.join(path.dirname(file), nameFor(etag!, FREE))).catch(() => undefined);
}

export function isIncomplete(name: string): boolean {
  return name.endsWith('.incomplete');
}

function nameFor(etag: string, mark: string): string {
  return `${etag}.${mark}.${randomUUID().slice(0, 8)}.incomplete`;
}

interface Others {
  /** Whether somebody is at it. */
  readonly isHeld: boolean;
  /** Names of what has been left. */
  readonly left: readonly string[];
}

async function othersAt(blobs: string, etag: string, mine?: string): Promise<Others> {
  const left: string[] = [];
  let isHeld = false;
  for (const name of await readdir(blobs)) {
    const groups = NAME.exec(name)?.groups;
    if (groups?.['etag'] !== etag || name === mine) continue;
    if (await isLeft(path.join(blobs, name), groups['mark']!)) left.push(name);
    else isHeld = true;
  }
  return { isHeld, left };
}

async function isLeft(file: string, mark: string): Promise<boolean> {
  const liveness = mark === FREE ? 'gone' : livenessOfMark(mark);
  if (liveness !== 'unknown') return liveness === 'gone';
  const found = await lstat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > GIVEN_UP;
}

/** @returns bytes of the longest that was left, which is at `mine` now */
async function takeOver(blobs: string, left: readonly string[], mine: string): Promise<number> {
  const files = await Promise.all(
    left.map(async (name) => {
      const file = path.join(blobs, name);
      const found = await lstat(file).catch(() => undefined);
      return { file, bytes: found?.isFile() === true ? found.size : -1 };
    }),
  );
  const [longest] = files.sort((a, b) => b.bytes - a.bytes);
  if (longest === undefined || longest.bytes <= 0) return 0;
  return rename(longest.file, mine).then(
    () => longest.bytes,
    () => 0,
  );
}
