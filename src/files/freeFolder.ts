import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../base/errors.ts';
import { fileProblem } from './fileProblem.ts';

/**
 * Looks whether something can be written to a folder: before work begins whose result is to lie there. What is written looks again.
 *
 * @throws EspalierError `export/exists`
 */
export async function checkFreeFolder(folder: string): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    const { missing, message } = fileProblem(error);
    if (missing && (error as NodeJS.ErrnoException).code !== 'ENOTDIR') return;
    throw notFree(folder, (error as NodeJS.ErrnoException).code === 'ENOTDIR' ? 'a file' : message);
  }
  if (names.length > 0) throw notFree(folder, 'one that has files in it');
}

function notFree(folder: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'export/exists',
    operation: `looking whether ${path.basename(folder)} can be written`,
    expected: 'a folder that is not there yet, or empty',
    actual,
    remedy: 'Name another folder, or delete this one.',
    file: folder,
  });
}
