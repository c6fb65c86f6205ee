import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { type GgufTensor, type GgufValue, writeGguf } from '../../bench/gguf/ggufFile.ts';

const folder = mkdtempSync(join(tmpdir(), 'espalier-test-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const METADATA = new Map<string, GgufValue>([
  ['a', { kind: 'uint32', value: 7 }],
  ['b', { kind: 'float32', value: 0.5 }],
  ['c', { kind: 'boolean', value: true }],
  ['d', { kind: 'string', value: 'größer' }],
  ['e', { kind: 'strings', value: ['x', 'Ġy'] }],
  ['f', { kind: 'int32s', value: [-1, 3] }],
]);
const tensor = (name: string, dtype: GgufTensor['dtype'], shape: readonly number[], values: readonly number[]) => ({
  ...{ name, dtype, shape },
  read: () => Float32Array.from(values),
});

it('a file is read back as its format says', async () => {
  const file = join(folder, 'model.gguf');
  const matrix = tensor('m', 'BF16', [3, 2], [1, 2, 3, 4, 5, 1.00390625]);
  await writeGguf(file, METADATA, [matrix, tensor('v', 'F32', [3], [1, -2, 0.1])]);
  const { version, metadata, tensors, data, length } = read(readFileSync(file));
  expect(version).toBe(3);
  expect(metadata).toEqual({ a: 7, b: 0.5, c: 1, d: 'größer', e: ['x', 'Ġy'], f: [-1, 3] });
  expect(tensors).toEqual([
    { name: 'm', extents: [2, 3], type: 30, offset: 0 },
    { name: 'v', extents: [3], type: 0, offset: 32 },
  ]);
  // Of bfloat16 the upper half of float32, the last one rounded to even.
  expect([...new Uint16Array(data.slice(0, 12))]).toEqual([0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x3f80]);
  expect([...new Float32Array(data.slice(32, 44))]).toEqual([1, -2, Math.fround(0.1)]);
  expect(length).toBe(64);
});

it('as many values as the shape has', async () => {
  const wrong = tensor('m', 'F32', [2, 2], [1]);
  await expect(writeGguf(join(folder, 'wrong.gguf'), new Map(), [wrong])).rejects.toThrow('m: 1 values');
});

/** As ggml's gguf.h describes it. */
function read(bytes: Buffer) {
  let at = 4;
  expect(bytes.toString('latin1', 0, 4)).toBe('GGUF');
  const uint32 = (): number => bytes.readUInt32LE((at += 4) - 4);
  const uint64 = (): number => Number(bytes.readBigUInt64LE((at += 8) - 8));
  const string = (): string => {
    const length = uint64();
    return bytes.toString('utf8', at, (at += length));
  };
  const value = (type: number): unknown => {
    if (type === 4) return uint32();
    if (type === 5) return bytes.readInt32LE((at += 4) - 4);
    if (type === 6) return bytes.readFloatLE((at += 4) - 4);
    if (type === 7) return bytes[at++];
    if (type === 8) return string();
    const element = uint32();
    return Array.from({ length: uint64() }, () => value(element));
  };
  const [version, count, pairs] = [uint32(), uint64(), uint64()];
  const metadata = Object.fromEntries(Array.from({ length: pairs }, () => [string(), value(uint32())]));
  const tensors = Array.from({ length: count }, () => ({
    name: string(),
    extents: Array.from({ length: uint32() }, uint64),
    type: uint32(),
    offset: uint64(),
  }));
  const begin = Math.ceil(at / 32) * 32;
  const data = Uint8Array.from(bytes.subarray(begin)).buffer;
  return { version, metadata, tensors, data, length: data.byteLength };
}
