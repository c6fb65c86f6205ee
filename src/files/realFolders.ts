import { lstatSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { lstat, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { FileProblem, fileProblem } from './fileProblem.ts';
import { isInside } from './inside.ts';
import { makeFolders } from './makeFolders.ts';

/**
 * Refuses a folder that is reached through a link. Whoever made the folders below `base` (a repository that one clones) could lead
 * elsewhere with one of them, where reading, writing and deleting are none of our business; that `base` itself is one is up to the user.
 *
 * @param folder absolute, inside `base` or `base` itself
 * @throws FileProblem that names the folder at fault; `missing` where one is not there
 */
export async function checkRealFolders(base: string, folder: string): Promise<void> {
  for (const each of foldersBelow(base, folder)) check(each, await look(each));
}

/** As {@link checkRealFolders}, for code that cannot wait. */
export function checkRealFoldersSync(base: string, folder: string): void {
  for (const each of foldersBelow(base, folder)) {
    try {
      check(each, lstatSync(each));
    } catch (error) {
      throw fileProblem(error);
    }
  }
}

/**
 * Makes a folder, and those between it and `base` that are not there, without following a link on the way.
 *
 * @throws FileProblem as {@link checkRealFolders}; what the file system says where it makes none
 */
export async function makeRealFolders(base: string, folder: string): Promise<void> {
  await makeFolders(base);
  for (const each of foldersBelow(base, folder)) {
    await mkdir(each).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
    check(each, await look(each));
  }
}

/** From the one in `base` down to `folder`. */
function foldersBelow(base: string, folder: string): readonly string[] {
  if (!isInside(base, folder)) throw new FileProblem('link', `${folder}, which is not in ${base}`);
  const names = path.relative(base, folder).split(path.sep);
  return names[0] === '' ? [] : names.map((_, i) => path.join(base, ...names.slice(0, i + 1)));
}

async function look(folder: string): Promise<Stats> {
  try {
    return await lstat(folder);
  } catch (error) {
    throw fileProblem(error);
  }
}

function check(folder: string, found: Stats): void {
  // A junction of Windows is a link, too.
  if (found.isSymbolicLink()) throw new FileProblem('link', `${folder}, which is a link`);
  if (!found.isDirectory()) throw new FileProblem('missing', `${folder}, which is no folder`);
}
