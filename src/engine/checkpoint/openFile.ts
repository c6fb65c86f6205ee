import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/**
 * Opens a file for reading without ever waiting: a pipe that somebody put in its place would otherwise hold a thread until a
 * writer came. Whether it is a file at all is for the caller to see from `stat`.
 */
export async function openFile(file: string): Promise<FileHandle> {
  // Windows knows no O_NONBLOCK, and has no pipes among its files.
  const nonBlocking = (constants as Partial<typeof constants>).O_NONBLOCK ?? 0;
  return open(file, constants.O_RDONLY | nonBlocking);
}
