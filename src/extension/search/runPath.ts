import path from 'node:path';
import { RUNS_FOLDER } from '../../runs/runFolder.ts';

/** Whether a folder is one that a run may lie in: `…/.espalier/runs/ID`, absolute and without detours. Nothing else is opened as a run, or deleted. */
export function isRunPath(folder: string): boolean {
  const [parent, id] = [path.dirname(folder), path.basename(folder)];
  return (
    path.isAbsolute(folder) &&
    path.normalize(folder) === folder &&
    id !== '' &&
    parent.endsWith(`${path.sep}${RUNS_FOLDER}`)
  );
}
