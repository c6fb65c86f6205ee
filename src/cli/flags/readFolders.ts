import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { isInside } from '../../files/inside.ts';

/**
 * What of the files that a queue names a worker opens: those in given folders, wherever links lead; all where none are given.
 *
 * @param base that relative folders start from
 * @returns rejects with `queue/refused` for others
 */
export function pathCheck(folders: readonly string[] | undefined, base: string): (file: string) => Promise<void> {
  if (!folders) return () => Promise.resolve();
  return async (file) => {
    for (const folder of folders) if (await isWithin(path.resolve(base, folder), file)) return;
    throw new EspalierError({
      code: 'queue/refused',
      operation: 'reading what a run of the queue names',
      expected: `a file or folder in ${folders.join(', ')}, as this worker was told by --read`,
      actual: file,
      remedy: 'Put it there, or start the worker with one more --read.',
      file,
    });
  };
}

/** Of what is not there by its name alone: that it is not there is then said. */
async function isWithin(folder: string, file: string): Promise<boolean> {
  const real = await realpath(file).catch(() => undefined);
  if (real === undefined) return isInside(folder, file);
  const within = await realpath(folder).catch(() => undefined);
  return within !== undefined && isInside(within, real);
}
