import path from 'node:path';
import { EspalierError } from '../base/errors.ts';
import { FileProblem } from '../files/fileProblem.ts';
import type { OpenOptions } from '../files/openRegular.ts';
import { checkRealFolders } from '../files/realFolders.ts';

/**
 * A repository that one clones can bring a run whose files, or folders down from `.espalier`, lead elsewhere. Nothing of a run is opened,
 * made or deleted through a link, whatever it is for.
 */
export const NO_LINKS =
  'Put a real folder or file in its place; to have runs on another disk, mount it there or work in a folder on that disk.';

/** Workspace folder of a run: it lies in ROOT/.espalier/runs/ID. */
export function rootOf(folder: string): string {
  return path.resolve(folder, '..', '..', '..');
}

/** How a file that lies in a run's folder is opened. */
export function fileOfRun(file: string): OpenOptions {
  return { links: 'refuse', below: rootOf(path.dirname(file)) };
}

/**
 * Refuses a run's folder that is reached through a link: before anything in it is made or deleted.
 *
 * @param operation what is about to be done
 * @throws EspalierError `io/write` for a link, `runs/not-found` where there is no such folder
 */
export async function checkRunFolder(folder: string, operation: string): Promise<void> {
  try {
    await checkRealFolders(rootOf(folder), folder);
  } catch (error) {
    const problem = error instanceof FileProblem ? error : undefined;
    throw new EspalierError(
      {
        code: problem?.missing ? 'runs/not-found' : 'io/write',
        operation,
        expected: 'a folder of its own in .espalier/runs',
        actual: problem?.message ?? String(error),
        remedy: problem?.missing ? 'Check the folder; `espalier runs` lists the runs of the current one.' : NO_LINKS,
        file: folder,
      },
      { cause: error },
    );
  }
}
