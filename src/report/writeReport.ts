import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../base/errors.ts';
import { fileProblem } from '../files/fileProblem.ts';
import { readText } from '../files/readBytes.ts';
import { writeWhole } from '../files/writeWhole.ts';
import { filesOfMarker, REPORT_MARKER } from './reportFiles.ts';
import type { ReportFiles } from './reportFiles.ts';

/** No marker is nearly as long. */
const MAX_MARKER = 1 << 20;

/**
 * Looks whether a report can be written to a folder: one that is not there yet, empty, or one of ours.
 *
 * @returns the files of the report that stands there
 * @throws EspalierError `export/exists`
 */
export async function checkReportFolder(folder: string): Promise<readonly string[]> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    const { missing, message } = fileProblem(error);
    if (missing && (error as NodeJS.ErrnoException).code !== 'ENOTDIR') return [];
    throw notFree(folder, message);
  }
  if (names.length === 0) return [];
  const files = names.includes(REPORT_MARKER) ? await markerIn(folder) : undefined;
  if (files === undefined) throw notFree(folder, 'one that has files of something else in it');
  return files;
}

async function markerIn(folder: string): Promise<readonly string[] | undefined> {
  try {
    const text = await readText(path.join(folder, REPORT_MARKER), {
      maxBytes: MAX_MARKER,
      links: 'refuse',
      below: folder,
    });
    return filesOfMarker(text);
  } catch {
    return undefined;
  }
}

/**
 * Writes a report, in the place of the one before: what that had and this has not goes, and nothing else. No link is followed.
 *
 * @returns the files, in the order of their names
 * @throws EspalierError `export/exists`, `io/write`
 */
export async function writeReport(folder: string, files: ReportFiles): Promise<readonly string[]> {
  const before = await checkReportFolder(folder);
  try {
    for (const [name, data] of files) await writeWhole(path.join(folder, name), data, path.dirname(folder));
    for (const name of before) if (!files.has(name)) await rm(path.join(folder, name), { force: true });
  } catch (error) {
    throw new EspalierError(
      {
        code: 'io/write',
        operation: `writing a report to ${folder}`,
        expected: 'a folder that can be written to',
        actual: fileProblem(error).message,
        remedy: 'Make the folder writable, or make room, and write the report again.',
        file: folder,
      },
      { cause: error },
    );
  }
  return [...files.keys()].sort();
}

function notFree(folder: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'export/exists',
    operation: `looking whether a report can be written to ${path.basename(folder)}`,
    expected: 'a folder that is not there yet, empty, or one with a report of Espalier',
    actual,
    remedy: 'Name another folder, or delete this one.',
    file: folder,
  });
}
