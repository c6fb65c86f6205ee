import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ElementType } from '../../../src/engine/checkpoint/elementTypes.ts';
import { layOut } from '../../../src/engine/checkpoint/safetensorsWriter.ts';

/** A tensor as a file holds it, of any type. */
export interface RawTensor {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export type RawTensors = Map<string, RawTensor>;

/** All tensors of the safetensors files of a folder, in the order of their names. */
export function readRaw(folder: string): RawTensors {
  const tensors: [string, RawTensor][] = [];
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.safetensors'))) {
    const bytes = readFileSync(join(folder, name));
    const begin = 8 + Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.toString('utf8', 8, begin)) as Record<string, HeaderEntry>;
    for (const [tensor, entry] of Object.entries(header)) {
      if (tensor === '__metadata__') continue;
      const { dtype, shape, data_offsets: range } = entry;
      tensors.push([tensor, { dtype, shape, bytes: bytes.subarray(begin + range[0], begin + range[1]) }]);
    }
  }
  return new Map(tensors.sort(([a], [b]) => (a < b ? -1 : 1)));
}

interface HeaderEntry {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Writes a safetensors file of any types. */
export function writeRaw(file: string, tensors: ReadonlyMap<string, RawTensor>): void {
  const { head } = layOut(tensors);
  // What is mapped or linked elsewhere stays as it is.
  rmSync(file, { force: true });
  writeFileSync(file, Buffer.concat([head, ...[...tensors.values()].map(({ bytes }) => bytes)]));
}

/** Puts other tensors into a checkpoint folder, in one file. */
export function rewriteWeights(folder: string, change: (tensors: RawTensors) => void): void {
  const tensors = readRaw(folder);
  change(tensors);
  for (const name of readdirSync(folder)) {
    if (name.includes('.safetensors')) rmSync(join(folder, name));
  }
  writeRaw(join(folder, 'model.safetensors'), tensors);
}

export function raw32(shape: readonly number[], values: ArrayLike<number>): RawTensor {
  return { dtype: 'F32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** The values of a tensor of F32, F16 or BF16. */
export function valuesOf({ dtype, bytes }: RawTensor): Float64Array {
  const view = Buffer.from(bytes);
  const width = dtype === 'F32' ? 4 : 2;
  return Float64Array.from({ length: view.length / width }, (_, i) => {
    if (dtype === 'F32') return view.readFloatLE(4 * i);
    const bits = view.readUInt16LE(2 * i);
    if (dtype === 'F16') return float16(bits);
    const word = Buffer.alloc(4);
    word.writeUInt16LE(bits, 2);
    return word.readFloatLE(0);
  });
}

function float16(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** Values as bfloat16, the nearest (ties to even); plain steps, for finite numbers. */
export function rawBfloat16(shape: readonly number[], values: ArrayLike<number>): RawTensor {
  const bytes = Buffer.alloc(2 * values.length);
  for (let i = 0; i < values.length; i++) {
    const word = Buffer.alloc(4);
    word.writeFloatLE(values[i]!);
    const [bits, lower] = [word.readUInt16LE(2), word.readUInt16LE(0)];
    const up = lower > 0x8000 || (lower === 0x8000 && bits % 2 === 1);
    bytes.writeUInt16LE(bits + Number(up), 2 * i);
  }
  return { dtype: 'BF16', shape, bytes };
}

/** Values in the type of another tensor, BF16 or F32. */
export function storedLike({ dtype, shape }: RawTensor, values: ArrayLike<number>): RawTensor {
  if (dtype === 'F16') throw new TypeError('values are rounded to BF16 and F32 alone');
  return dtype === 'BF16' ? rawBfloat16(shape, values) : raw32(shape, values);
}
