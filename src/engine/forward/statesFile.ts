import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { fileProblem } from '../../files/fileProblem.ts';
import { createFile, openToUpdate } from '../../files/openRegular.ts';
import { makeTemporaryFolder, removeTemporary } from '../../files/temporary.ts';

/**
 * A file of hidden states while they wait: as the float32 that they are, so that what goes through a model is the same to the last bit. Where an open file
 * may be deleted its name goes at once, and its bytes with the process, however that ends; elsewhere (Windows) with {@link close}.
 */
export class StatesFile {
  private readonly folder: string;
  private readonly handle: FileHandle;

  private constructor(folder: string, handle: FileHandle) {
    this.folder = folder;
    this.handle = handle;
  }

  /** @throws EspalierError `io/write` where there is none to be had in `parent` */
  static async open(parent: string): Promise<StatesFile> {
    try {
      const folder = await makeTemporaryFolder(parent, 'espalier-states');
      try {
        const file = path.join(folder, 'states');
        await (await createFile(file)).close();
        const handle = await openToUpdate(file);
        if (process.platform !== 'win32') await removeTemporary(folder);
        return new StatesFile(folder, handle);
      } catch (error) {
        await removeTemporary(folder);
        throw error;
      }
    } catch (error) {
      throw notKept(parent, error);
    }
  }

  /** Values from place `first` on. @throws EspalierError `io/write` */
  async read(first: number, into: Float32Array): Promise<void> {
    await this.transfer(first, into, async (part, position) => {
      const { bytesRead } = await this.handle.read(part, 0, part.length, position);
      if (bytesRead === 0) throw new Error('a file that was cut off meanwhile');
      return bytesRead;
    });
  }

  /** @throws EspalierError `io/write` where there is no room for them */
  async write(first: number, values: Float32Array): Promise<void> {
    await this.transfer(first, values, async (part, position) => {
      const { bytesWritten } = await this.handle.write(part, 0, part.length, position);
      return bytesWritten;
    });
  }

  async close(): Promise<void> {
    await this.handle.close();
    await removeTemporary(this.folder);
  }

  /** One call need not move all of it. */
  private async transfer(
    first: number,
    { buffer, byteOffset, byteLength }: Float32Array,
    move: (part: Uint8Array, position: number) => Promise<number>,
  ): Promise<void> {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    try {
      for (let at = 0; at < byteLength;) at += await move(bytes.subarray(at), 4 * first + at);
    } catch (error) {
      throw notKept(path.dirname(this.folder), error);
    }
  }
}

function notKept(folder: string, error: unknown): EspalierError {
  return new EspalierError({
    code: 'io/write',
    operation: `keeping hidden states in ${folder}`,
    expected: 'room for all of them: 4 bytes for each feature of each token, for each model that is evaluated',
    actual: fileProblem(error).message,
    remedy: 'Free some space, choose another cache folder, or evaluate fewer or shorter blocks, samples or documents.',
  });
}
