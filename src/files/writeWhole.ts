import { open, rename } from 'node:fs/promises';
import path from 'node:path';
import { makeFolders } from './makeFolders.ts';
import { createFile } from './openRegular.ts';
import { checkRealFolders, makeRealFolders } from './realFolders.ts';
import { removeTemporary, sweepTemporaries, temporaryBeside } from './temporary.ts';

/** Folders that were looked through for what processes that were killed have left. */
const swept = new Set<string>();

/**
 * Writes a file beside its place, flushes it and moves it there, so that no reader, and no crash, ever sees half of one. Makes
 * the folder where there is none. Rejects with what the file system says.
 *
 * @param below folder below which no folder on the way to the file may be a link (FileProblem): see {@link checkRealFolders}
 */
export async function writeWhole(file: string, data: string | Uint8Array, below?: string): Promise<void> {
  const folder = path.dirname(file);
  await (below === undefined ? makeFolders(folder) : makeRealFolders(below, folder));
  if (!swept.has(folder)) await sweepTemporaries(folder);
  swept.add(folder);
  const temporary = temporaryBeside(file);
  try {
    await writeNew(temporary, data);
    if (below !== undefined) await checkRealFolders(below, folder);
    await rename(temporary, file);
  } finally {
    await removeTemporary(temporary);
  }
}

/** Writes a new file and flushes it to the disk; whatever is in its place already is refused (EEXIST). */
export async function writeNew(file: string, data: string | Uint8Array): Promise<void> {
  const handle = await createFile(file);
  try {
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Gives a flushed file another's name, which it has even after the power fails. */
export async function moveInPlace(from: string, to: string): Promise<void> {
  await rename(from, to);
  try {
    const folder = await open(path.dirname(to), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // Windows, and some network disks, flush no folders.
  }
}
