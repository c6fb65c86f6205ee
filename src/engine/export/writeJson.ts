import { writeNew } from '../../files/writeWhole.ts';

/** Writes a new file and flushes it to the disk. */
export function writeJson(file: string, value: unknown): Promise<void> {
  return writeNew(file, `${JSON.stringify(value, undefined, 2)}\n`);
}
