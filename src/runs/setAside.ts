import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { copyFile } from '../files/copyFile.ts';
import { createFile, openToRead } from '../files/openRegular.ts';
import { CARRIAGE_RETURN } from './journalLines.ts';
import type { JournalReader } from './journalReader.ts';
import { fileOfRun } from './runPath.ts';

/**
 * Keeps a copy of a damaged journal beside it, byte for byte, and gives the lines that were read their ends back where those were
 * changed to CR LF. What stands behind these lines is left for the caller to cut off.
 *
 * @param reader has read it
 * @returns the copy, and how many bytes of the journal are good now
 */
export async function setAside(
  file: string,
  { length, hasReturns }: JournalReader,
  at: Date,
): Promise<{ readonly aside: string; readonly length: number }> {
  const time = at.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const aside = `${file}.damaged-${time}-${randomUUID().slice(0, 6)}`;
  const restored = `${file}.${randomUUID()}.tmp`;
  try {
    await copyFile(file, aside, fileOfRun(file));
    if (!hasReturns) return { aside, length };
    const written = await copyWithoutReturns(aside, restored, length);
    await rename(restored, file);
    return { aside, length: written };
  } catch (error) {
    // The journal is as it was: half a copy of it is no help.
    for (const each of [aside, restored]) await rm(each, { force: true }).catch(() => undefined);
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
