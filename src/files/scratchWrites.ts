import { EspalierError } from '../base/errors.ts';

/**
 * Does what writes into a temporary folder.
 *
 * @throws EspalierError `io/write` where the file system refuses (a full disk, no permission), and what `write` throws
 */
export async function scratchWrites<Result>(folder: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof EspalierError || !('syscall' in error)) throw error;
    throw new EspalierError(
      {
        code: 'io/write',
        operation: `writing to ${folder} meanwhile`,
        expected: 'a folder that can be written to, with room for the pruned model',
        actual: error.message,
        remedy: 'Make room, or set TMPDIR to a folder on another disk. Nothing was left behind.',
        file: folder,
      },
      { cause: error },
    );
  }
}
