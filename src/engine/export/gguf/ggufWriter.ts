import { closeSync, fsyncSync, writeSync } from 'node:fs';
import { createFileSync } from '../../../files/openRegular.ts';
import { elementCount } from '../../checkpoint/elementTypes.ts';
import { ELEMENT_FORMS, encodedBytes } from './elements.ts';
import { aligned, type GgufMetadata, type GgufValue, MAGIC, type TensorInfo, VALUE_TYPES, VERSION } from './layout.ts';

/**
 * A GGUF file of version 3: header, metadata, what the tensors are; then their data, handed over one after the other and piece by piece, so
 * that nothing is ever held. Each tensor begins at a multiple of 32 bytes.
 *
 * Layout: ggml's `docs/gguf.md` and `ggml/include/gguf.h`.
 */
export class GgufWriter {
  private readonly tensors: readonly TensorInfo[];
  private descriptor: number | undefined;
  /** Tensor that is being written, and what of it is still to come. */
  private current = -1;
  private left = 0;

  /** @param file that is not there yet */
  constructor(file: string, metadata: GgufMetadata, tensors: readonly TensorInfo[]) {
    this.tensors = tensors;
    const head = headOf(metadata, tensors);
    this.descriptor = createFileSync(file);
    this.append(head);
    this.append(Buffer.alloc(aligned(head.length) - head.length));
  }

  /**
   * The next values of the tensors, in their order, row by row.
   *
   * @param values whole blocks of the tensor's type, none beyond its end
   */
  write(name: string, values: Float32Array): void {
    if (this.left === 0) this.begin(name);
    const { type } = this.tensors[this.current]!;
    if (this.tensors[this.current]!.name !== name || values.length > this.left) {
      throw new RangeError(`${name}: ${values.length} values, where ${this.left} are to come`);
    }
    this.append(ELEMENT_FORMS[type].encode(values));
    this.left -= values.length;
    if (this.left === 0) this.pad();
  }

  /** Flushes everything to the disk. */
  finish(): void {
    if (this.left > 0 || this.current !== this.tensors.length - 1) throw new RangeError('tensors are missing');
    fsyncSync(this.descriptor!);
    this.close();
  }

  /** Closes the file, be it whole or not. */
  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  private begin(name: string): void {
    const next = this.tensors[++this.current];
    if (next?.name !== name) throw new RangeError(`${name} instead of ${next?.name ?? 'nothing'}`);
    this.left = elementCount(next.shape)!;
  }

  private pad(): void {
    const bytes = bytesOf(this.tensors[this.current]!);
    this.append(Buffer.alloc(aligned(bytes) - bytes));
  }

  private append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.descriptor!, bytes, at, bytes.length - at);
  }
}

function headOf(metadata: GgufMetadata, tensors: readonly TensorInfo[]): Buffer {
  const parts = [Buffer.from(MAGIC), uint32(VERSION), uint64(tensors.length), uint64(metadata.size)];
  for (const [key, value] of metadata) parts.push(string(key), ...encode(value));
  let offset = 0;
  for (const tensor of tensors) {
    parts.push(string(tensor.name), uint32(tensor.shape.length), ...tensor.shape.toReversed().map(uint64));
    parts.push(uint32(ELEMENT_FORMS[tensor.type].id), uint64(offset));
    offset = aligned(offset + bytesOf(tensor));
  }
  return Buffer.concat(parts);
}

function bytesOf({ type, shape }: TensorInfo): number {
  return encodedBytes(type, elementCount(shape)!);
}

function encode(value: GgufValue): Buffer[] {
  switch (value.kind) {
    case 'uint32':
      return [uint32(VALUE_TYPES.uint32), uint32(value.value)];
    case 'float32':
      return [uint32(VALUE_TYPES.float32), bytes(Float32Array.of(value.value))];
    case 'boolean':
      return [uint32(VALUE_TYPES.boolean), Buffer.from([Number(value.value)])];
    case 'string':
      return [uint32(VALUE_TYPES.string), string(value.value)];
    case 'strings':
      return [...list(VALUE_TYPES.string, value.value.length), ...value.value.map(string)];
    case 'int32s':
      return [...list(VALUE_TYPES.int32, value.value.length), bytes(Int32Array.from(value.value))];
    case 'uint32s':
      return [...list(VALUE_TYPES.uint32, value.value.length), bytes(Uint32Array.from(value.value))];
    case 'float32s':
      return [...list(VALUE_TYPES.float32, value.value.length), bytes(Float32Array.from(value.value))];
  }
}

function list(type: number, length: number): Buffer[] {
  return [uint32(VALUE_TYPES.array), uint32(type), uint64(length)];
}

function string(text: string): Buffer {
  const encoded = Buffer.from(text, 'utf8');
  return Buffer.concat([uint64(encoded.length), encoded]);
}

function uint32(value: number): Buffer {
  return bytes(Uint32Array.of(value));
}

function uint64(value: number): Buffer {
  return bytes(BigUint64Array.of(BigInt(value)));
}

/** Machines that this runs on are little-endian, as the file is. */
function bytes({ buffer }: Uint32Array | Int32Array | Float32Array | BigUint64Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer);
}
