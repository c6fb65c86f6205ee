import { statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { fileProblem } from '../../files/fileProblem.ts';
import { createFile, openToRead } from '../../files/openRegular.ts';
import { makeTemporaryFolder, removeTemporary } from '../../files/temporary.ts';

/**
 * Rows in any order, of which there may be more than the memory has room for: they are written into a temporary file once, with where
 * each begins in another, and read from there. To be disposed of.
 */
export class RowSpool {
  readonly count: number;
  private readonly folder: string;
  private readonly rows: FileHandle;
  private readonly begins: FileHandle;

  private constructor(folder: string, { count }: Written, rows: FileHandle, begins: FileHandle) {
    this.folder = folder;
    this.count = count;
    this.rows = rows;
    this.begins = begins;
  }

  /**
   * @param batches rows, many at a time
   * @param cacheFolder where there is room; without one the system's folder for temporary files
   * @throws EspalierError `io/write`, and what the rows throw
   */
  static async write(batches: AsyncIterable<readonly string[]>, cacheFolder: string | undefined): Promise<RowSpool> {
    const parent = cacheFolder ?? os.tmpdir();
    let folder: string | undefined;
    try {
      folder = await makeTemporaryFolder(parent, 'espalier-rows');
      const written = await writeRows(batches, folder);
      const rows = await openToRead(path.join(folder, ROWS));
      const begins = await openToRead(path.join(folder, BEGINS)).catch(async (thrown: unknown) => {
        await rows.close();
        throw thrown;
      });
      return new RowSpool(folder, written, rows, begins);
    } catch (thrown) {
      if (folder !== undefined) await removeTemporary(folder);
      throw thrown instanceof EspalierError ? thrown : notWritten(parent, fileProblem(thrown).message);
    }
  }

  /** @param index from 0 */
  async row(index: number): Promise<string> {
    const bounds = new Float64Array(2);
    await readAll(this.begins, new Uint8Array(bounds.buffer), 8 * index);
    const bytes = Buffer.allocUnsafeSlow(bounds[1]! - bounds[0]!);
    await readAll(this.rows, bytes, bounds[0]!);
    return bytes.toString('utf8');
  }

  async dispose(): Promise<void> {
    await Promise.all([this.rows.close(), this.begins.close()]);
    await removeTemporary(this.folder);
  }
}

const ROWS = 'rows';
const BEGINS = 'begins';

interface Written {
  readonly count: number;
}

async function writeRows(batches: AsyncIterable<readonly string[]>, folder: string): Promise<Written> {
  const rows = new Writer(folder, await createFile(path.join(folder, ROWS)));
  try {
    const begins = new Writer(folder, await createFile(path.join(folder, BEGINS)));
    try {
      let count = 0;
      for await (const batch of batches) {
        for (const row of batch) {
          begins.add(eightBytes(rows.bytes));
          rows.add(Buffer.from(row));
          if (rows.isFull) await rows.flush();
          if (begins.isFull) await begins.flush();
        }
        count += batch.length;
      }
      begins.add(eightBytes(rows.bytes));
      await rows.flush();
      await begins.flush();
      return { count };
    } finally {
      await begins.close();
    }
  } finally {
    await rows.close();
  }
}

function eightBytes(value: number): Uint8Array {
  return new Uint8Array(Float64Array.of(value).buffer);
}

/** Bytes that are written at a time. */
const PORTION = 1 << 20;
/** Bytes between two looks at how much room is left, and that are left to others. */
const LOOK = 256 << 20;

class Writer {
  private readonly folder: string;
  private readonly handle: FileHandle;
  private parts: Uint8Array[] = [];
  private pending = 0;
  private looked = -LOOK;
  /** Added so far. */
  bytes = 0;

  constructor(folder: string, handle: FileHandle) {
    this.folder = folder;
    this.handle = handle;
  }

  get isFull(): boolean {
    return this.pending >= PORTION;
  }

  add(bytes: Uint8Array): void {
    this.parts.push(bytes);
    this.pending += bytes.length;
    this.bytes += bytes.length;
  }

  async flush(): Promise<void> {
    if (this.bytes - this.looked >= LOOK) await this.look();
    const bytes = Buffer.concat(this.parts);
    this.parts = [];
    this.pending = 0;
    await this.handle.writeFile(bytes);
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  private async look(): Promise<void> {
    const { bavail, bsize } = await statfs(this.folder);
    if (bavail * bsize < LOOK + this.pending) throw notWritten(this.folder, `${bavail * bsize} bytes of free disk`);
    this.looked = this.bytes;
  }
}

async function readAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, position + at);
    if (bytesRead === 0) throw notWritten('the temporary rows', 'a file that was cut off meanwhile');
    at += bytesRead;
  }
}

function notWritten(folder: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'io/write',
    operation: `keeping the rows of a data set in ${folder}`,
    expected: 'room for the texts of all rows, unpacked, while samples are drawn',
    actual,
    remedy: 'Free some space, choose another cache folder, or take fewer rows (`first`).',
  });
}
