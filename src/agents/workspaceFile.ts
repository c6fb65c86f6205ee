import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../base/errors.ts';
import { plainLine } from '../base/plainText.ts';
import { isInside, isReallyInside } from '../files/inside.ts';
import { fileProblem } from '../files/fileProblem.ts';
import { readText } from '../files/readBytes.ts';

/** The longest file that the language reads, in bytes. */
const MAX_BYTES = 4 << 20;

/**
 * The `.prune` file that an agent names: a regular one in the workspace, wherever links lead.
 *
 * @param file from the workspace folder, or absolute
 * @returns its absolute path
 * @throws EspalierError `agents/outside` for any other
 */
export async function pruneFileIn(root: string, file: string): Promise<string> {
  const absolute = path.resolve(root, file);
  const isPlain = !file.includes('\0') && absolute.endsWith('.prune') && isInside(root, absolute);
  if (isPlain && (await isThere(absolute))) {
    if (await isReallyInside(root, absolute)) return absolute;
  } else if (isPlain) {
    throw new EspalierError({
      code: 'io/read',
      operation: `opening ${plainLine(file)}`,
      expected: 'a file of the workspace',
      actual: 'none of that name',
      remedy: 'Ask for the list of files.',
    });
  }
  throw outside(file, 'a .prune file inside the workspace folder');
}

/** @throws EspalierError `io/read`, `agents/outside` */
export async function readPruneFile(
  root: string,
  file: string,
): Promise<{ readonly path: string; readonly text: string }> {
  const absolute = await pruneFileIn(root, file);
  try {
    return { path: absolute, text: await readText(absolute, { maxBytes: MAX_BYTES, links: 'refuse', below: root }) };
  } catch (error) {
    throw new EspalierError(
      {
        code: 'io/read',
        operation: `reading ${plainLine(file)}`,
        expected: 'a .prune file in UTF-8',
        actual: fileProblem(error).message,
        remedy: 'Check the file.',
      },
      { cause: error },
    );
  }
}

export function outside(file: string, expected: string): EspalierError {
  return new EspalierError({
    code: 'agents/outside',
    operation: `opening ${plainLine(file)} for an agent`,
    expected,
    actual: 'another one',
    remedy:
      'Only what lies in the workspace folder is opened; a person may name more folders (espalier mcp --read FOLDER).',
  });
}

async function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}
