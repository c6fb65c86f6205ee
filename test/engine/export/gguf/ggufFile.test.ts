import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../../src/base/rng.ts';
import { ELEMENT_FORMS, type GgmlType } from '../../../../src/engine/export/gguf/elements.ts';
import { GgufReader } from '../../../../src/engine/export/gguf/ggufReader.ts';
import { GgufWriter } from '../../../../src/engine/export/gguf/ggufWriter.ts';
import type { GgufValue, TensorInfo } from '../../../../src/engine/export/gguf/layout.ts';
import { toHalves, toPairs } from '../../../../src/engine/export/gguf/rotationOrder.ts';
import { failureOf } from '../../../support/expectCoded.ts';
import { llamaCppMissing, llamaCppQ8 } from '../../../support/llamaCpp/llamaModel.ts';

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
  ['g', { kind: 'uint32s', value: [4, 0] }],
  ['h', { kind: 'float32s', value: [0.25, -3] }],
]);
const TENSORS: readonly TensorInfo[] = [
  { name: 'm', type: 'BF16', shape: [3, 2] },
  { name: 'v', type: 'F32', shape: [3] },
];

/** The file of these two, the matrix in two pieces. */
function written(name: string): string {
  const file = join(folder, name);
  const writer = new GgufWriter(file, METADATA, TENSORS);
  writer.write('m', Float32Array.of(1, 2, 3, 4));
  writer.write('m', Float32Array.of(5, 1.00390625));
  writer.write('v', Float32Array.of(1, -2, 0.1));
  writer.finish();
  return file;
}

describe('a file', () => {
  it('is one as its format says', () => {
    const { version, metadata, tensors, data, length } = read(readFileSync(written('format.gguf')));
    expect(version).toBe(3);
    expect(metadata).toEqual({
      ...{ a: 7, b: 0.5, c: 1, d: 'größer', e: ['x', 'Ġy'] },
      ...{ f: [-1, 3], g: [4, 0], h: [0.25, -3] },
    });
    expect(tensors).toEqual([
      { name: 'm', extents: [2, 3], type: 30, offset: 0 },
      { name: 'v', extents: [3], type: 0, offset: 32 },
    ]);
    // Of bfloat16 the upper half of float32, the last one rounded to even.
    expect([...new Uint16Array(data.slice(0, 12))]).toEqual([0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x3f80]);
    expect([...new Float32Array(data.slice(32, 44))]).toEqual([1, -2, Math.fround(0.1)]);
    expect(length).toBe(64);
  });

  it('is read back, whole or by rows', () => {
    const reader = new GgufReader(written('back.gguf'));
    expect(reader.metadata).toEqual(METADATA);
    expect([...reader.tensors.values()]).toMatchObject(TENSORS);
    expect([...reader.read('m', 1, 2)]).toEqual([3, 4, 5, 1]);
    expect([...reader.read('v')]).toEqual([1, -2, Math.fround(0.1)]);
    reader.close();
  });

  it('is written in the order that was said, to its end', () => {
    const begun = new GgufWriter(join(folder, 'begun.gguf'), new Map(), TENSORS);
    expect(() => {
      begun.write('v', Float32Array.of(1, 2, 3));
    }).toThrow('v instead of m');
    const full = new GgufWriter(join(folder, 'full.gguf'), new Map(), TENSORS);
    expect(() => {
      full.write('m', new Float32Array(7));
    }).toThrow('7 values, where 6 are to come');
    expect(() => {
      full.finish();
    }).toThrow('missing');
    begun.close();
    full.close();
  });

  it.each([
    ['of another format', (bytes: Buffer) => bytes.fill(0, 0, 4), 'another format or version'],
    ['cut in its head', (bytes: Buffer) => bytes.subarray(0, 60), 'an end in its head'],
    ['cut in a tensor', (bytes: Buffer) => bytes.subarray(0, -32), 'an end in its tensors'],
  ])('that is %s is refused', async (name, damage, why) => {
    const file = join(folder, `${name}.gguf`);
    writeFileSync(file, damage(readFileSync(written(`whole, before it is ${name}.gguf`))));
    const failure = await failureOf(() => Promise.resolve().then(() => new GgufReader(file).read('v')));
    expect(failure.code).toBe('export/mismatch');
    expect(failure.data.actual).toBe(why);
  });
});

describe('elements', () => {
  const values = Float32Array.from(
    { length: 96 },
    (
      (rng) => () =>
        rng.normal()
    )(new Rng(1)),
  );

  /** Largest error, in units of the largest value of the same block of 32. */
  it.each<[GgmlType, number]>([
    ['F32', 0],
    ['F16', 2 ** -11],
    ['BF16', 2 ** -8],
    ['Q8_0', 0.5 / 127 + 2 ** -11],
  ])('%s holds a value within %d', (type, bound) => {
    const { encode, decode, elements, bytes } = ELEMENT_FORMS[type];
    const stored = encode(values);
    expect(stored.length).toBe((values.length / elements) * bytes);
    const back = decode(stored);
    for (let block = 0; block < 3; block++) {
      const part = values.subarray(32 * block, 32 * (block + 1));
      const largest = part.reduce((found, value) => Math.max(found, Math.abs(value)), 0);
      const error = part.reduce((found, value, i) => Math.max(found, Math.abs(value - back[32 * block + i]!)), 0);
      expect(error).toBeLessThanOrEqual(bound * largest);
    }
  });

  it.skipIf(llamaCppMissing !== '')(`Q8_0 has the bytes of llama.cpp's own converter${llamaCppMissing}`, async () => {
    const rng = new Rng(2);
    const wide = Float32Array.from({ length: 3200 }, () => rng.normal() * 10 ** rng.integer(6));
    expect(ELEMENT_FORMS.Q8_0.encode(wide)).toEqual(await llamaCppQ8(wide));
  });

  it('Q8_0 rounds halves away from zero, and of nothing but zeros makes zeros', () => {
    // The scale is 1: the largest is 127.
    const block = Float32Array.from({ length: 64 }, (_, i) => [127, 0.5, -0.5, 2.5, -2.5, 3.4][i] ?? 0);
    const stored = ELEMENT_FORMS.Q8_0.encode(block);
    expect([...new Int8Array(stored.buffer, 2, 6)]).toEqual([127, 1, -1, 3, -3, 3]);
    expect([...stored.subarray(0, 2)]).toEqual([0x00, 0x3c]);
    expect([...stored.subarray(34)]).toEqual(new Array(34).fill(0));
  });
});

it('rows of two heads in pairs, and back', () => {
  const halves = Float32Array.of(...[0, 1, 2, 3], ...[4, 5, 6, 7]);
  expect([...toPairs(halves, 4, 1)]).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
  const wide = Float32Array.from({ length: 24 }, (_, i) => i);
  expect(toHalves(toPairs(wide, 6, 2), 6, 2)).toEqual(wide);
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
