import { open } from 'node:fs/promises';

/** Writes a new text file and flushes it to the disk. */
export async function writeText(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function writeJson(file: string, value: unknown): Promise<void> {
  return writeText(file, `${JSON.stringify(value, undefined, 2)}\n`);
}
