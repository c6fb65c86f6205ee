import { rm } from 'node:fs/promises';
import { elementCount } from '../../src/engine/checkpoint/elementTypes.ts';
import { NARROW } from '../../src/engine/checkpoint/narrow.ts';
import { createFile } from '../../src/files/openRegular.ts';

/** A value of a GGUF file's metadata. */
export type GgufValue =
  | { readonly kind: 'uint32' | 'float32'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'int32s'; readonly value: readonly number[] };

/** The element types that are written. */
export type GgufType = 'F32' | 'BF16';

export interface GgufTensor {
  readonly name: string;
  readonly dtype: GgufType;
  /** Row-major, [rows, columns]: the file has it the other way round. */
  readonly shape: readonly number[];
  /** Values in float32, asked for when they are written: no second copy of a model is in memory. */
  readonly read: () => Float32Array;
}

/**
 * Writes a GGUF file of version 3: header, metadata, tensor infos, data, each tensor aligned to 32 bytes.
 *
 * Layout: ggml's `docs/gguf.md` and `ggml/include/gguf.h`.
 */
export async function writeGguf(
  file: string,
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly GgufTensor[],
): Promise<void> {
  const head = [Buffer.from('GGUF'), uint32(VERSION), uint64(tensors.length), uint64(metadata.size)];
  for (const [key, value] of metadata) head.push(string(key), ...encode(value));
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    head.push(string(name), uint32(shape.length), ...shape.toReversed().map(uint64));
    head.push(uint32(ELEMENT[dtype].id), uint64(offset));
    offset = aligned(offset + elementCount(shape)! * ELEMENT[dtype].width);
  }
  await rm(file, { force: true });
  const handle = await createFile(file);
  try {
    await handle.writeFile(padded(Buffer.concat(head)));
    for (const { name, dtype, shape, read } of tensors) {
      const values = read();
      if (values.length !== elementCount(shape)) throw new RangeError(`${name}: ${values.length} values`);
      const end = values.length * ELEMENT[dtype].width;
      for (let at = 0; at < values.length; at += CHUNK) {
        await handle.writeFile(NARROW[dtype](values.subarray(at, at + CHUNK)));
      }
      await handle.writeFile(Buffer.alloc(aligned(end) - end));
    }
  } finally {
    await handle.close();
  }
}

const VERSION = 3;
const ALIGNMENT = 32;

/** Elements that are narrowed and written at a time. */
const CHUNK = 2 ** 21;

/** `enum ggml_type` of ggml.h, with bytes of an element. */
const ELEMENT: Readonly<Record<GgufType, { readonly id: number; readonly width: number }>> = {
  F32: { id: 0, width: 4 },
  BF16: { id: 30, width: 2 },
};

/** `enum gguf_type` of gguf.h. */
const VALUE = { uint32: 4, int32: 5, float32: 6, boolean: 7, string: 8, array: 9 } as const;

function encode(value: GgufValue): Buffer[] {
  switch (value.kind) {
    case 'uint32':
      return [uint32(VALUE.uint32), uint32(value.value)];
    case 'float32':
      return [uint32(VALUE.float32), float32(value.value)];
    case 'boolean':
      return [uint32(VALUE.boolean), Buffer.from([Number(value.value)])];
    case 'string':
      return [uint32(VALUE.string), string(value.value)];
    case 'strings':
      return [uint32(VALUE.array), uint32(VALUE.string), uint64(value.value.length), ...value.value.map(string)];
    case 'int32s':
      return [
        ...[uint32(VALUE.array), uint32(VALUE.int32), uint64(value.value.length)],
        Buffer.from(Int32Array.from(value.value).buffer),
      ];
  }
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function float32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]);
}

function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}
