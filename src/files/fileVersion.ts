import type { BigIntStats } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/**
 * What a file looked like: changes whenever it is written to, replaced, or has its modification time set back (the change time
 * cannot be set). Two writes within one tick of the file system's clock look alike: see {@link isSettled}.
 */
export interface FileVersion {
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: bigint;
  /** Nanoseconds since 1970. */
  readonly modified: bigint;
  readonly changed: bigint;
}

export function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileVersion {
  return { device: dev, inode: ino, size, modified: mtimeNs, changed: ctimeNs };
}

export function sameVersion(a: FileVersion, b: FileVersion): boolean {
  return (
    a.device === b.device &&
    a.inode === b.inode &&
    a.size === b.size &&
    a.modified === b.modified &&
    a.changed === b.changed
  );
}

/** Coarser than the clock of any file system in use (FAT counts in two seconds). */
const GRAIN = 3_000_000_000n;

/**
 * Whether a later change would show: a file that was written to just now can be written to again within the same tick of the
 * file system's clock. @param now milliseconds since 1970
 */
export function isSettled({ modified, changed }: FileVersion, now: number): boolean {
  const latest = modified > changed ? modified : changed;
  return BigInt(Math.trunc(now)) * 1_000_000n - latest > GRAIN;
}

/** Longer than a tick of the clock that local file systems go by (of Linux 10 ms at most), in milliseconds. */
const TICK = 20;

/**
 * Waits until a change that comes after would show on a local file system: what is read then and what is read later under the same
 * version are the same bytes. It takes no time but right after the file was written.
 */
export async function untilChangesShow({ modified, changed }: FileVersion): Promise<void> {
  const latest = Number((modified > changed ? modified : changed) / 1_000_000n);
  const left = latest + TICK - Date.now();
  // A time in the future was set by somebody: waiting for it would not help.
  if (left > 0 && left <= TICK) await setTimeout(left);
}
