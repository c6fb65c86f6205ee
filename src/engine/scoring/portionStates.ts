import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { fileProblem } from '../../files/fileProblem.ts';
import { createFile, openToUpdate } from '../../files/openRegular.ts';
import { makeTemporaryFolder, removeTemporary } from '../../files/temporary.ts';
import { HiddenStream } from '../forward/hiddenStream.ts';
import type { Device } from '../runtime/device.ts';
import type { PackedBatch, PackedSequences } from './packedSequences.ts';
import { portionsOf, type Portion } from './portions.ts';

/** Hidden states of packed rows between two blocks, by their portions. */
export interface PortionStates {
  /** Takes over a portion's states. */
  keep(portion: number, stream: HiddenStream): Promise<void>;
  /** Lends the states as they were kept last. */
  read(portion: number, use: (stream: HiddenStream) => Promise<void>): Promise<void>;
  /** The same, and keeps what has become of them. */
  update(portion: number, use: (stream: HiddenStream) => Promise<void>): Promise<void>;
  dispose(): Promise<void>;
}

/** @throws EspalierError `io/write` where they lie in a file and there is none to be had */
export function openPortionStates(packed: PackedSequences, hidden: number, device: Device): Promise<PortionStates> {
  return packed.scratchFolder === undefined
    ? Promise.resolve(new HeldStates())
    : ScratchStates.open(packed.scratchFolder, packed, hidden, device);
}

class HeldStates implements PortionStates {
  private readonly streams: HiddenStream[] = [];

  keep(portion: number, stream: HiddenStream): Promise<void> {
    this.streams[portion] = stream;
    return Promise.resolve();
  }

  read(portion: number, use: (stream: HiddenStream) => Promise<void>): Promise<void> {
    return use(this.streams[portion]!);
  }

  update(portion: number, use: (stream: HiddenStream) => Promise<void>): Promise<void> {
    return use(this.streams[portion]!);
  }

  dispose(): Promise<void> {
    for (const stream of this.streams) stream.dispose();
    return Promise.resolve();
  }
}

/** In a temporary file, as the float32 that they are: what goes through a model is the same to the last bit. */
class ScratchStates implements PortionStates {
  private readonly folder: string;
  private readonly handle: FileHandle;
  private readonly portions: readonly Portion[];
  private readonly hidden: number;
  private readonly device: Device;

  private constructor(
    { folder, handle }: { readonly folder: string; readonly handle: FileHandle },
    portions: readonly Portion[],
    hidden: number,
    device: Device,
  ) {
    this.folder = folder;
    this.handle = handle;
    this.portions = portions;
    this.hidden = hidden;
    this.device = device;
  }

  static async open(parent: string, packed: PackedSequences, hidden: number, device: Device): Promise<ScratchStates> {
    try {
      const folder = await makeTemporaryFolder(parent, 'espalier-states');
      try {
        const file = path.join(folder, 'states');
        await (await createFile(file)).close();
        const opened = { folder, handle: await openToUpdate(file) };
        return new ScratchStates(opened, portionsOf(packed, hidden), hidden, device);
      } catch (error) {
        await removeTemporary(folder);
        throw error;
      }
    } catch (error) {
      throw notKept(parent, error);
    }
  }

  async keep(portion: number, stream: HiddenStream): Promise<void> {
    try {
      await this.write(portion, stream);
    } finally {
      stream.dispose();
    }
  }

  async read(portion: number, use: (stream: HiddenStream) => Promise<void>): Promise<void> {
    const stream = await this.load(portion);
    try {
      await use(stream);
    } finally {
      stream.dispose();
    }
  }

  update(portion: number, use: (stream: HiddenStream) => Promise<void>): Promise<void> {
    return this.read(portion, async (stream) => {
      await use(stream);
      await this.write(portion, stream);
    });
  }

  async dispose(): Promise<void> {
    await this.handle.close();
    await removeTemporary(this.folder);
  }

  private async load(portion: number): Promise<HiddenStream> {
    const { programs, batches, first } = this.portions[portion]!;
    let at = this.bytesOf(first);
    const read = [];
    for (const { rows, places } of batches) {
      const data = new Float32Array(this.elementsOf(rows));
      await this.transfer(new Uint8Array(data.buffer), at, (...part) => this.readPart(...part));
      at += data.byteLength;
      const x = await this.device.upload(data, [data.length / this.hidden, this.hidden], 'float32');
      read.push({ batch: rows.length, ids: rows.map(({ ids }) => ids), places, x });
    }
    return new HiddenStream(this.device, programs, read);
  }

  private async write(portion: number, stream: HiddenStream): Promise<void> {
    let at = this.bytesOf(this.portions[portion]!.first);
    for (const { x } of stream.batches) {
      const { buffer, byteOffset, byteLength } = await this.device.download(x);
      await this.transfer(new Uint8Array(buffer, byteOffset, byteLength), at, (...part) => this.writePart(...part));
      at += byteLength;
    }
  }

  private bytesOf(tokens: number): number {
    return 4 * this.hidden * tokens;
  }

  private elementsOf(rows: PackedBatch['rows']): number {
    return rows.reduce((sum, { ids }) => sum + ids.length, 0) * this.hidden;
  }

  /** One call need not move all of it. */
  private async transfer(
    bytes: Uint8Array,
    begin: number,
    move: (part: Uint8Array, position: number) => Promise<number>,
  ): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await move(bytes.subarray(at), begin + at);
    } catch (error) {
      throw notKept(this.folder, error);
    }
  }

  private async readPart(part: Uint8Array, position: number): Promise<number> {
    const { bytesRead } = await this.handle.read(part, 0, part.length, position);
    if (bytesRead === 0) throw new Error('a file that was cut off meanwhile');
    return bytesRead;
  }

  private async writePart(part: Uint8Array, position: number): Promise<number> {
    const { bytesWritten } = await this.handle.write(part, 0, part.length, position);
    return bytesWritten;
  }
}

function notKept(folder: string, error: unknown): EspalierError {
  return new EspalierError({
    code: 'io/write',
    operation: `keeping the hidden states of tasks in ${folder}`,
    expected: 'room for all of them: 4 bytes for each feature of each token, for each model that is asked',
    actual: fileProblem(error).message,
    remedy: 'Free some space, choose another cache folder, or ask fewer documents (`limit`).',
  });
}
