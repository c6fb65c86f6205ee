import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { copyFile } from '../files/copyFile.ts';
import { fileOfRun } from './runPath.ts';

/** Keeps a copy of a damaged journal beside it, byte for byte. @returns the copy */
export async function setAside(file: string, at: Date): Promise<string> {
  const time = at.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const aside = `${file}.damaged-${time}-${randomUUID().slice(0, 6)}`;
  try {
    await copyFile(file, aside, fileOfRun(file));
    return aside;
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw error;
  }
}
