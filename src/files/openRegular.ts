import { closeSync, constants, fstatSync, lstatSync, openSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { lstat, open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { FileProblem, fileProblem } from './fileProblem.ts';
import { checkRealFolders, checkRealFoldersSync } from './realFolders.ts';

export interface OpenOptions {
  /** `refuse` where others may have put the file there: a repository that one clones must not make us read or write elsewhere. */
  readonly links?: 'follow' | 'refuse';
  /** No folder between this one and the file may be a link either. Absolute; goes with `refuse`. */
  readonly below?: string;
}

/**
 * Opens a regular file for reading: no folder, no pipe, no device, which could wait for ever or never end. What it is is looked at
 * before (opening a device can do something) and after (another may have been put in its place), and opening never waits.
 *
 * @throws FileProblem
 */
export function openToRead(file: string, options?: OpenOptions): Promise<FileHandle> {
  return openRegular(file, constants.O_RDONLY, options);
}

/** The same for reading and writing; the file must be there. */
export function openToUpdate(file: string, options?: OpenOptions): Promise<FileHandle> {
  return openRegular(file, constants.O_RDWR, options);
}

/** As {@link openToRead}, for code that cannot wait. @returns a descriptor, to be closed */
export function openToReadSync(file: string, options?: OpenOptions): number {
  return openRegularSync(file, constants.O_RDONLY, options);
}

/** Opens a regular file to write at its end, and makes it where there is none. @returns a descriptor, to be closed */
export function openToAppendSync(file: string, options?: OpenOptions): number {
  return openRegularSync(file, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, options);
}

/** Makes a new file for writing; a link, a pipe or anything else in its place is refused (EEXIST). */
export function createFile(file: string): Promise<FileHandle> {
  return open(file, 'wx');
}

/** As {@link createFile}. @returns a descriptor, to be closed */
export function createFileSync(file: string): number {
  return openSync(file, 'wx');
}

async function openRegular(
  file: string,
  access: number,
  { links = 'follow', below }: OpenOptions = {},
): Promise<FileHandle> {
  try {
    if (below !== undefined) await checkRealFolders(below, path.dirname(file));
    const before = await (links === 'follow' ? stat(file, { bigint: true }) : lstat(file, { bigint: true }));
    checkRegular(before);
    const handle = await open(file, access | flagsFor(links));
    try {
      const after = await handle.stat({ bigint: true });
      checkSame(before, after, links);
      if (below !== undefined) {
        await checkRealFolders(below, path.dirname(file));
        checkSame(await lstat(file, { bigint: true }), after, links);
      }
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw fileProblem(error);
  }
}

function openRegularSync(file: string, access: number, { links = 'follow', below }: OpenOptions = {}): number {
  try {
    if (below !== undefined) checkRealFoldersSync(below, path.dirname(file));
    const look = links === 'follow' ? statSync : lstatSync;
    const before = look(file, { bigint: true, throwIfNoEntry: false });
    if (before) checkRegular(before);
    const descriptor = openSync(file, access | flagsFor(links));
    try {
      const after = fstatSync(descriptor, { bigint: true });
      checkSame(before, after, links);
      if (below !== undefined) {
        checkRealFoldersSync(below, path.dirname(file));
        checkSame(lstatSync(file, { bigint: true }), after, links);
      }
      return descriptor;
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  } catch (error) {
    throw fileProblem(error);
  }
}

/** Windows knows neither flag: it has no pipes among its files, and {@link checkSame} sees a link that came in between. */
function flagsFor(links: 'follow' | 'refuse'): number {
  const { O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants as Partial<typeof constants>;
  return O_NONBLOCK | (links === 'refuse' ? O_NOFOLLOW : 0);
}

function checkRegular(found: BigIntStats): void {
  if (found.isSymbolicLink()) throw new FileProblem('link', 'a link');
  if (found.isDirectory()) throw new FileProblem('folder', 'a folder');
  if (!found.isFile()) throw new FileProblem('special', 'a pipe or a device');
}

function checkSame(before: BigIntStats | undefined, after: BigIntStats, links: 'follow' | 'refuse'): void {
  checkRegular(after);
  if (links === 'follow' || before === undefined || (before.ino === after.ino && before.dev === after.dev)) return;
  throw new FileProblem('changed', 'another file, put in its place meanwhile');
}
