import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { createFile } from './openRegular.ts';

/**
 * Writes a file beside its place, flushes it and moves it there, so that no reader, and no crash, ever sees half of one. Makes
 * the folder where there is none. Rejects with what the file system says.
 */
export async function writeWhole(file: string, data: string | Uint8Array): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeNew(temporary, data);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Writes a new file and flushes it to the disk; whatever is in its place already is refused (EEXIST). */
export async function writeNew(file: string, data: string | Uint8Array): Promise<void> {
  const handle = await createFile(file);
  try {
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
