import { rm } from 'node:fs/promises';
import { byteLength, elementCount, type ElementType } from './elementTypes.ts';
import { NARROW, type NarrowType } from './narrow.ts';
import { EspalierError } from '../../base/errors.ts';
import { createFile } from '../../files/openRegular.ts';

/** A tensor to write: its values in float32 and the type that they are stored in, rounded to nearest even. */
export interface TensorToWrite {
  readonly dtype: NarrowType;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * Writes a safetensors file: header padded to 8 bytes, data in the order of the map without holes. The values pass through
 * a buffer of bounded size, so that writing needs no second copy of a checkpoint.
 */
export async function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, TensorToWrite>,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Promise<void> {
  for (const [name, { shape, data }] of tensors) {
    if (elementCount(shape) !== data.length) throw wrongLength(file, name, shape, data.length);
  }
  const { head } = layOut(tensors, metadata);
  // A link in its place goes, and not what it leads to.
  await rm(file, { force: true });
  const handle = await createFile(file);
  try {
    await writeFully(handle, head);
    for (const { dtype, data } of tensors.values()) {
      for (let at = 0; at < data.length; at += CHUNK) {
        await writeFully(handle, NARROW[dtype](data.subarray(at, at + CHUNK)));
      }
    }
  } finally {
    await handle.close();
  }
}

/** A safetensors file before its data are there. */
export interface SafetensorsLayout {
  /** Length and header: what the file begins with. */
  readonly head: Buffer;
  /** Absolute position of each tensor's first byte. */
  readonly begins: ReadonlyMap<string, number>;
  /** Bytes of the whole file. */
  readonly size: number;
}

/** Where tensors of these types and shapes lie in a file, in the order of the map without holes. */
export function layOut(
  tensors: ReadonlyMap<string, { readonly dtype: ElementType; readonly shape: readonly number[] }>,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): SafetensorsLayout {
  const header: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  header['__metadata__'] = metadata;
  const offsets = new Map<string, number>();
  let end = 0;
  for (const [name, { dtype, shape }] of tensors) {
    const begin = end;
    end += byteLength(dtype, elementCount(shape)!)!;
    offsets.set(name, begin);
    header[name] = { dtype, shape, data_offsets: [begin, end] };
  }
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const size = Math.ceil(json.length / 8) * 8;
  const head = Buffer.alloc(8 + size, ' ');
  head.writeBigUInt64LE(BigInt(size));
  json.copy(head, 8);
  const begins = new Map([...offsets].map(([name, offset]) => [name, head.length + offset]));
  return { head, begins, size: head.length + end };
}

/** Elements that are narrowed and written at a time. */
const CHUNK = 2 ** 21;

async function writeFully(handle: Awaited<ReturnType<typeof createFile>>, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten;
}

function wrongLength(file: string, name: string, shape: readonly number[], length: number): EspalierError {
  return new EspalierError({
    code: 'engine/invariant',
    operation: `writing ${name}`,
    expected: `as many values as the shape [${shape.join(', ')}] holds`,
    actual: `${length} values`,
    remedy: 'This is a defect of Espalier: please report it.',
    file,
  });
}
