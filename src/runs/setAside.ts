import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { copyFile } from '../files/copyFile.ts';
import { createFile, openToRead } from '../files/openRegular.ts';
import { CARRIAGE_RETURN } from './journalLines.ts';
import { fileOfRun } from './runPath.ts';

/**
 * Keeps a copy of a damaged journal beside it, byte for byte, before anything of it is cut off.
 *
 * @returns the copy
 */
export async function setAside(file: string, at: Date): Promise<string> {
  const time = at.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const aside = `${file}.damaged-${time}-${randomUUID().slice(0, 6)}`;
  try {
    await copyFile(file, aside, fileOfRun(file));
    return aside;
  } catch (error) {
    // Half a copy is no help.
    await rm(aside, { force: true }).catch(() => undefined);
    throw error;
  }
}

/**
 * Gives the first lines of a journal their ends back, where those were changed to CR LF; what stands behind them is left out.
 *
 * @param length bytes of these lines
 * @returns their bytes now
 */
export async function restoreLineEnds(file: string, length: number): Promise<number> {
  const restored = `${file}.${randomUUID()}.tmp`;
  try {
    const written = await copyWithoutReturns(file, restored, length);
    await rename(restored, file);
    return written;
  } catch (error) {
    await rm(restored, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** In the lines of a journal JSON has escaped every carriage return that was theirs. @returns the bytes written */
async function copyWithoutReturns(from: string, to: string, length: number): Promise<number> {
  const source = await openToRead(from, fileOfRun(from));
  try {
    const target = await createFile(to);
    try {
      let written = 0;
      const buffer = Buffer.alloc(PORTION);
      for (let at = 0; at < length;) {
        const { bytesRead } = await source.read(buffer, 0, Math.min(PORTION, length - at), at);
        if (bytesRead === 0) throw new Error('it became shorter meanwhile');
        const kept = buffer.subarray(0, bytesRead).filter((byte) => byte !== CARRIAGE_RETURN);
        await target.writeFile(kept);
        written += kept.length;
        at += bytesRead;
      }
      await target.sync();
      return written;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

const PORTION = 1 << 20;
