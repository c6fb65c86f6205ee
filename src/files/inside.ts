import { realpath } from 'node:fs/promises';
import path from 'node:path';

/** Whether a path lies in a folder, or is it, going by the names alone. Both absolute. */
export function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

/** Whether a file lies in a folder wherever links lead; false where one of them is not there. */
export async function isReallyInside(folder: string, file: string): Promise<boolean> {
  try {
    return isInside(await realpath(folder), await realpath(file));
  } catch {
    return false;
  }
}
