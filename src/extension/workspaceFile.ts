import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { isInside } from '../files/inside.ts';

/**
 * The file that a record of the workspace names, as far as it is one of its folder: by its name, before anything is touched, and, where links
 * lead, by where it really is. A repository that one clones must not have other files shown, or written to.
 *
 * @param root workspace folder, absolute
 * @param name relative to it, as the record has it
 * @returns absolute; undefined where it is outside, not there, or no file
 */
export async function fileInside(root: string, name: string): Promise<string | undefined> {
  const file = pathInside(root, name);
  if (file === undefined) return undefined;
  try {
    const [folder, real] = await Promise.all([realpath(root), realpath(file)]);
    // A link to a file of another kind is none of this one.
    return isInside(folder, real) && path.extname(real) === path.extname(file) && (await stat(real)).isFile()
      ? file
      : undefined;
  } catch {
    return undefined;
  }
}

/** The same by the name alone. */
export function pathInside(root: string, name: string): string | undefined {
  // Names of both systems: a record may have been made for another than this one.
  if (name.includes('\0') || path.posix.isAbsolute(name) || path.win32.parse(name).root !== '') return undefined;
  const relative = path.relative(root, path.resolve(root, name));
  const [first] = relative.split(path.sep);
  return relative === '' || first === '..' || path.isAbsolute(relative) ? undefined : path.join(root, relative);
}
