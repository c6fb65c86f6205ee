import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { hashFile, hashVersion } from '../checkpoint/hashing.ts';
import { reasonOf } from '../../files/fileProblem.ts';
import { sameVersion } from '../../files/fileVersion.ts';
import { makeFolders } from '../../files/makeFolders.ts';
import { readText } from '../../files/readBytes.ts';
import { removeTemporary, temporaryBeside } from '../../files/temporary.ts';
import { readSafetensorsHeader, type SafetensorsFile } from '../checkpoint/safetensors.ts';
import { writeSafetensors } from '../checkpoint/safetensorsWriter.ts';
import { TensorFile } from '../checkpoint/tensorFile.ts';

/** A tensor's values, row-major. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Bytes: a hash for each block. */
const MAX_MANIFEST = 16 << 20;

/** What a folder of gradients holds; written last, so that a folder that has one is whole. */
interface Manifest {
  readonly fingerprint: string;
  /** sha-256 of each block's file. */
  readonly blocks: readonly string[];
}

/** Its time of modification says when the folder was last used. */
export const USED = 'used';
const MANIFEST = 'manifest.json';

/** The gradients of one model on one calibration in a folder: a safetensors file for each block, under the layers' own names. */
export class StoredGradients {
  readonly folder: string;
  private readonly blocks: readonly OpenBlock[];

  private constructor(folder: string, blocks: readonly OpenBlock[]) {
    this.folder = folder;
    this.blocks = blocks;
  }

  /** What lies in the folder, if it is about this and every byte is as it was written; undefined otherwise. */
  static async open(folder: string, fingerprint: string, depth: number): Promise<StoredGradients | undefined> {
    const blocks: OpenBlock[] = [];
    try {
      const manifest = JSON.parse(await readText(path.join(folder, MANIFEST), { maxBytes: MAX_MANIFEST })) as Manifest;
      if (manifest.fingerprint !== fingerprint || manifest.blocks.length !== depth) return undefined;
      for (const [index, hash] of manifest.blocks.entries()) {
        const file = path.join(folder, blockFile(index));
        const header = await readSafetensorsHeader(file);
        const reader = new TensorFile(header);
        blocks.push({ header, reader });
        // Opened before it is hashed: what is read later are these bytes, even when another process drops the folder.
        // A block of which no linear layer is left has an empty file.
        const [first] = header.tensors;
        if (first) reader.read(...first, 0, new Float32Array(1));
        const found = await hashVersion(file);
        if (found.hash !== hash || !sameVersion(found.version, header.version))
          throw new RangeError(`${file} has changed`);
      }
      await writeFile(path.join(folder, USED), '').catch(() => undefined);
      return new StoredGradients(folder, blocks);
    } catch {
      for (const { reader } of blocks) reader.close();
      return undefined;
    }
  }

  /**
   * Reads one tensor of a block.
   *
   * @throws EspalierError `checkpoint/…` when the file is not what it was
   */
  read(block: number, name: string, into: Float32Array): void {
    const { header, reader } = this.blocks[block]!;
    const entry = header.tensors.get(name);
    if (entry?.dtype !== 'F32' || entry.end - entry.begin !== into.byteLength) throw foreign(header.file, name);
    reader.read(name, entry, 0, into);
  }

  close(): void {
    for (const { reader } of this.blocks) reader.close();
  }
}

interface OpenBlock {
  readonly header: SafetensorsFile;
  readonly reader: TensorFile;
}

/** Writes a folder of gradients beside its place, block by block in any order, and moves it there when it is whole. */
export class GradientWriter {
  private readonly target: string;
  private readonly temporary: string;
  private readonly fingerprint: string;
  private readonly hashes: string[] = [];

  private constructor(target: string, temporary: string, fingerprint: string) {
    this.target = target;
    this.temporary = temporary;
    this.fingerprint = fingerprint;
  }

  /** @throws EspalierError `io/write` */
  static async create(target: string, fingerprint: string): Promise<GradientWriter> {
    const temporary = temporaryBeside(target);
    await writing(temporary, () => makeFolders(temporary));
    return new GradientWriter(target, temporary, fingerprint);
  }

  /** @throws EspalierError `io/write` */
  async add(block: number, tensors: ReadonlyMap<string, StoredTensor>): Promise<void> {
    const file = path.join(this.temporary, blockFile(block));
    const entries = [...tensors].map(([name, { shape, data }]) => [name, { dtype: 'F32', shape, data }] as const);
    await writing(file, () => writeSafetensors(file, new Map(entries), { format: 'espalier-gradients' }));
    this.hashes[block] = await hashFile(file);
  }

  /**
   * Moves the folder in its place. Where another process was faster, its folder stays: it holds the same.
   *
   * @throws EspalierError `io/write`
   */
  async commit(): Promise<void> {
    const manifest: Manifest = { fingerprint: this.fingerprint, blocks: this.hashes };
    await writing(this.temporary, async () => {
      await writeFile(path.join(this.temporary, USED), '');
      await writeFile(path.join(this.temporary, MANIFEST), JSON.stringify(manifest));
    });
    try {
      await rename(this.temporary, this.target);
    } catch {
      // The other's is as good.
    } finally {
      await this.discard();
    }
  }

  /** Removes what was written, as far as it was not committed. */
  async discard(): Promise<void> {
    await removeTemporary(this.temporary);
  }
}

function blockFile(index: number): string {
  return `block-${index}.safetensors`;
}

async function writing<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown;
    throw new EspalierError({
      code: 'io/write',
      operation: 'keeping the gradients',
      expected: 'a folder with room that can be written to',
      actual: reasonOf(thrown),
      remedy: 'Free some space, or give more memory: gradients are kept on disk where they do not fit into it.',
      file,
    });
  }
}

function foreign(file: string, name: string): EspalierError {
  return new EspalierError({
    code: 'checkpoint/safetensors',
    operation: `reading the gradient of ${name}`,
    expected: 'a tensor like the layer’s weight, in float32',
    actual: 'none',
    remedy: 'Delete the file: gradients are computed again.',
    file,
  });
}
