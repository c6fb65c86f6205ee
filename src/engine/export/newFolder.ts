import { lstat, mkdir, readdir, realpath, rename, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { makeFolders } from '../../files/makeFolders.ts';
import { removeTemporary, sweepTemporaries, temporaryBeside } from '../../files/temporary.ts';

/**
 * Fills a folder that is not there yet, or empty, all or nothing: `write` works in one beside it, which takes the name when it is
 * complete and is deleted when anything fails. A process that is killed leaves at most that one, `NAME.….tmp`, and the next export to
 * the same place removes it. Of a link the folder that it leads to is filled.
 *
 * @throws EspalierError `export/exists`, `io/write`, and what `write` throws
 */
export async function writeNewFolder<Result>(
  folder: string,
  write: (temporary: string) => Promise<Result>,
): Promise<Result> {
  const place = await freePlace(folder);
  const temporary = temporaryBeside(place);
  try {
    await makeFolders(path.dirname(place));
    await sweepTemporaries(path.dirname(place));
    await mkdir(temporary);
    const result = await write(temporary);
    // Only an empty folder goes away: nobody has put anything there meanwhile.
    await rmdir(place).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
    await rename(temporary, place);
    return result;
  } catch (error) {
    if (codeOf(error) === 'ENOTEMPTY') throw notFree(folder);
    throw asWriteError(error, folder);
  } finally {
    await removeTemporary(temporary);
  }
}

/**
 * Where the folder really is, or will be.
 *
 * @throws EspalierError `export/exists` for what cannot become the folder that is written beside it
 */
async function freePlace(folder: string): Promise<string> {
  try {
    if ((await readdir(folder)).length > 0) throw notFree(folder);
    const place = await realpath(folder);
    const [inside, outside] = await Promise.all([stat(place), stat(path.dirname(place))]);
    if (inside.dev !== outside.dev)
      throw notFree(folder, 'the root of a file system, which no folder can take the place of');
    return place;
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') throw notFree(folder, 'a file');
    if (codeOf(error) !== 'ENOENT') throw asWriteError(error, folder);
  }
  if (await lstat(folder).catch(() => undefined)) throw notFree(folder, 'a link to what is not there');
  return folder;
}

function notFree(folder: string, actual = 'one that has files in it'): EspalierError {
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
