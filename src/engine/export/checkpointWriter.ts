import { closeSync, fsyncSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createFileSync } from '../../files/openRegular.ts';
import { byteLength, elementCount, type ElementType } from '../checkpoint/elementTypes.ts';
import { layOut } from '../checkpoint/safetensorsWriter.ts';
import { writeJson } from './writeJson.ts';

/** A tensor of a checkpoint before its values are there. */
export interface TensorForm {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
}

/** Bytes of weights in a file before another one is begun, as transformers has it. */
const SHARD_BYTES = 5e9;

/**
 * The weights of a checkpoint in a folder, one `model.safetensors` or several with an index. What each tensor is has to be known
 * before; its bytes come in any order, piece by piece, so that nothing is ever held.
 */
export class CheckpointWriter {
  /** Bytes of all tensors. */
  readonly bytes: number;
  private readonly folder: string;
  private readonly places = new Map<string, { readonly file: number; readonly begin: number; readonly end: number }>();
  private readonly names: string[];
  private readonly descriptors: number[] = [];

  constructor(folder: string, tensors: ReadonlyMap<string, TensorForm>, shardBytes: number = SHARD_BYTES) {
    this.folder = folder;
    const shards = dealOut(tensors, shardBytes);
    this.names = shards.map((_, index) => fileName(index, shards.length));
    this.bytes = [...tensors.values()].reduce((total, form) => total + bytesOf(form), 0);
    try {
      for (const [file, shard] of shards.entries()) {
        const { head, begins } = layOut(shard);
        for (const [name, form] of shard) {
          const begin = begins.get(name)!;
          this.places.set(name, { file, begin, end: begin + bytesOf(form) });
        }
        this.descriptors.push(createFileSync(join(folder, this.names[file]!)));
        this.writeAt(file, head, 0);
      }
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** @param at byte of the tensor's data that the bytes begin at */
  write(name: string, at: number, bytes: Uint8Array): void {
    const { file, begin, end } = this.places.get(name)!;
    if (begin + at + bytes.length > end) throw new RangeError(`${name}: ${at + bytes.length} bytes of ${end - begin}`);
    this.writeAt(file, bytes, begin + at);
  }

  /** Flushes everything to the disk, and writes the index where there are several files. */
  async finish(): Promise<void> {
    for (const descriptor of this.descriptors) fsyncSync(descriptor);
    this.abandon();
    if (this.names.length === 1) return;
    const weightMap = Object.fromEntries([...this.places].map(([name, { file }]) => [name, this.names[file]!]));
    const index = { metadata: { total_size: this.bytes }, weight_map: weightMap };
    await writeJson(join(this.folder, 'model.safetensors.index.json'), index);
  }

  /** Closes the files, be they whole or not. */
  abandon(): void {
    for (const descriptor of this.descriptors.splice(0)) closeSync(descriptor);
  }

  private writeAt(file: number, bytes: Uint8Array, position: number): void {
    for (let at = 0; at < bytes.length;) {
      at += writeSync(this.descriptors[file]!, bytes, at, bytes.length - at, position + at);
    }
  }
}

/**
 * Fills one file after the other; a tensor is never divided. In a file the widest elements stand first, as safetensors' own writers have it:
 * each tensor then begins at a multiple of its elements' width, and can be mapped.
 */
function dealOut(tensors: ReadonlyMap<string, TensorForm>, limit: number): Map<string, TensorForm>[] {
  const shards = [new Map<string, TensorForm>()];
  let filled = 0;
  for (const [name, form] of tensors) {
    const bytes = bytesOf(form);
    if (filled > 0 && filled + bytes > limit) {
      shards.push(new Map());
      filled = 0;
    }
    shards.at(-1)!.set(name, form);
    filled += bytes;
  }
  return shards.map((shard) => new Map([...shard].sort(([, a], [, b]) => widthOf(b) - widthOf(a))));
}

function fileName(index: number, count: number): string {
  const digits = (number: number): string => String(number).padStart(5, '0');
  return count === 1 ? 'model.safetensors' : `model-${digits(index + 1)}-of-${digits(count)}.safetensors`;
}

/** Bytes of an element: weights have whole ones. */
function widthOf({ dtype }: TensorForm): number {
  return byteLength(dtype, 1)!;
}

function bytesOf({ dtype, shape }: TensorForm): number {
  return byteLength(dtype, elementCount(shape)!)!;
}
