import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';

/**
 * Fills a folder that is not there yet, or empty, all or nothing: `write` works in one beside it, which takes the name when it is
 * complete and is deleted when anything fails. A process that is killed leaves at most that one, `NAME.….tmp`.
 *
 * @throws EspalierError `export/exists`, `io/write`, and what `write` throws
 */
export async function writeNewFolder<Result>(
  folder: string,
  write: (temporary: string) => Promise<Result>,
): Promise<Result> {
  await requireFree(folder);
  const temporary = `${folder}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await mkdir(temporary, { recursive: true });
    const result = await write(temporary);
    // Only an empty folder goes away: nobody has put anything there meanwhile.
    await rmdir(folder).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
    await rename(temporary, folder);
    return result;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    if (codeOf(error) === 'ENOTEMPTY') throw notEmpty(folder);
    throw asWriteError(error, folder);
  }
}

/** @throws EspalierError `export/exists` for a file or a folder with something in it */
export async function requireFree(folder: string): Promise<void> {
  try {
    if ((await readdir(folder)).length > 0) throw notEmpty(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    if (codeOf(error) === 'ENOTDIR') throw notEmpty(folder, 'a file');
    throw asWriteError(error, folder);
  }
}

function notEmpty(folder: string, actual = 'one that has files in it'): EspalierError {
  return new EspalierError({
    code: 'export/exists',
    operation: `exporting to ${path.basename(folder)}`,
    expected: 'a folder that is not there yet, or empty',
    actual,
    remedy: 'Name another folder, or delete this one.',
    file: folder,
  });
}

/** What the file system said: no space, no permission. */
function asWriteError(error: unknown, folder: string): unknown {
  if (codeOf(error) === undefined) return error;
  return new EspalierError(
    {
      code: 'io/write',
      operation: `exporting to ${path.basename(folder)}`,
      expected: 'a folder that can be written to, with room for the model',
      actual: (error as Error).message,
      remedy: 'Make room, or name another folder. Nothing was left behind.',
      file: folder,
    },
    { cause: error },
  );
}

/** Of a failed system call; undefined for anything else. */
function codeOf(error: unknown): string | undefined {
  const known = error instanceof Error && !(error instanceof EspalierError) && 'syscall' in error;
  return known ? (error as NodeJS.ErrnoException).code : undefined;
}
