import type { BigIntStats } from 'node:fs';

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
