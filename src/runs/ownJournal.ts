import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { createFile, openToRead } from '../files/openRegular.ts';
import { removeTemporary, sweepTemporaries, temporaryBeside } from '../files/temporary.ts';
import { moveInPlace } from '../files/writeWhole.ts';
import { CARRIAGE_RETURN } from './journalLines.ts';
import type { JournalReader } from './journalReader.ts';
import { LOCK_FILE } from './runLock.ts';
import { fileOfRun } from './runPath.ts';

/** Version control leaves out what begins like the lock. */
const COPY = `${LOCK_FILE}.journal`;
/** Bytes that are copied at a time. */
const PORTION = 1 << 20;

/**
 * A journal as its driver has it: a copy that takes the journal's place before anything is added. Whoever drove the run before, and is
 * not gone but only slept, has the file open that was there before; what it still writes comes to nothing, however unfortunate the moment.
 *
 * Nor can one that slept in here put an old copy in the place of a newer journal: whoever takes a run over removes its copy before it reads
 * the journal, and without it there is nothing to move.
 */
export class OwnJournal {
  readonly copy: string;
  /** Bytes. */
  readonly length: number;
  private readonly file: string;

  private constructor(file: string, copy: string, length: number) {
    this.file = file;
    this.copy = copy;
    this.length = length;
  }

  /** Removes copies that others have begun, whether they live or not. Called with the lock in hand, before the journal is read. */
  static async removeOthers(file: string): Promise<void> {
    const folder = path.dirname(file);
    for (const name of await readdir(folder).catch(() => [])) {
      if (name.startsWith(COPY)) await rm(path.join(folder, name), { force: true });
    }
    await sweepTemporaries(folder);
  }

  /**
   * Copies the lines that were read, with the ends that they were written with; where there is no journal yet, none. Rejects with what the file system
   * says.
   *
   * @param from the journal, or what it is kept as
   */
  static async make(file: string, from: string, { length, hasReturns }: JournalReader): Promise<OwnJournal> {
    const copy = temporaryBeside(path.join(path.dirname(file), COPY));
    try {
      const target = await createFile(copy);
      try {
        const written = length === 0 ? 0 : await copyLines(from, target, length, hasReturns);
        await target.sync();
        return new OwnJournal(file, copy, written);
      } finally {
        await target.close();
      }
    } catch (error) {
      await removeTemporary(copy);
      throw error;
    }
  }

  /** @param check throws where the run is another's by now */
  async takePlace(check: () => Promise<void>): Promise<void> {
    await check();
    await moveInPlace(this.copy, this.file);
    await this.discard();
  }

  async discard(): Promise<void> {
    await removeTemporary(this.copy);
  }
}

/** In the lines of a journal JSON has escaped every carriage return that was theirs. @returns the bytes written */
async function copyLines(
  from: string,
  target: Awaited<ReturnType<typeof createFile>>,
  length: number,
  hasReturns: boolean,
): Promise<number> {
  const source = await openToRead(from, fileOfRun(from));
  try {
    let written = 0;
    const buffer = Buffer.alloc(PORTION);
    for (let at = 0; at < length;) {
      const { bytesRead } = await source.read(buffer, 0, Math.min(PORTION, length - at), at);
      if (bytesRead === 0) throw new Error('it became shorter meanwhile');
      const portion = buffer.subarray(0, bytesRead);
      const kept = hasReturns ? portion.filter((byte) => byte !== CARRIAGE_RETURN) : portion;
      await target.writeFile(kept);
      written += kept.length;
      at += bytesRead;
    }
    return written;
  } finally {
    await source.close();
  }
}
