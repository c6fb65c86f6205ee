import { rm } from 'node:fs/promises';
import { byteLength, elementCount, type ElementType } from './elementTypes.ts';
import { bitsOf } from './widen.ts';
import { EspalierError } from '../../base/errors.ts';
import { createFile } from '../../files/openRegular.ts';

/** A tensor to write: its values in float32 and the type that they are stored in, rounded to nearest even. */
export interface TensorToWrite {
  readonly dtype: 'F32' | 'F16' | 'BF16';
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

const NARROW: Readonly<Record<TensorToWrite['dtype'], (values: Float32Array) => Uint8Array>> = {
  F32: (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  BF16: (values) => narrow(values, narrowToBfloat16),
  F16: (values) => narrow(values, narrowToFloat16),
};

function narrow(values: Float32Array, narrowBits: (bits: number) => number): Uint8Array {
  const bits = bitsOf(values);
  const halves = new Uint16Array(bits.length);
  // A loop: Uint16Array.from takes forty times as long.
  for (let i = 0; i < bits.length; i++) halves[i] = narrowBits(bits[i]!);
  return new Uint8Array(halves.buffer);
}

/** float32 bits → bfloat16 bits: the upper half, rounded to nearest even; a NaN stays one. */
function narrowToBfloat16(bits: number): number {
  if ((bits & 0x7fff_ffff) > 0x7f80_0000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** float32 bits → float16 bits, rounded to nearest even; what is too large becomes infinity, a NaN stays one. */
function narrowToFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  // Half-way between 65504, the largest float16, and 65536: from here on values round to infinity.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00;
  const exponent = (magnitude >>> 23) - 112;
  if (exponent > 0) return sign | roundShift(magnitude - (112 << 23), 13);
  // Subnormal: fraction · 2⁻²⁴, the hidden bit made explicit. Below half of the smallest one everything is zero.
  if (exponent < -10) return sign;
  return sign | roundShift((magnitude & 0x7f_ffff) | 0x80_0000, 14 - exponent);
}

/** `value / 2^shift`, rounded to nearest even. */
function roundShift(value: number, shift: number): number {
  const half = 1 << (shift - 1);
  const odd = (value >>> shift) & 1;
  return (value + half - 1 + odd) >>> shift;
}

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
