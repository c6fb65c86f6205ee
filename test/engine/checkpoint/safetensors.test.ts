import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSafetensorsHeader } from '../../../src/engine/checkpoint/safetensors.ts';
import { TensorFile } from '../../../src/engine/checkpoint/tensorFile.ts';
import { Rng } from '../../../src/base/rng.ts';
import { failureOf, failureOrNone } from '../../support/expectCoded.ts';
import { mutateBytes, mutateJson } from '../../support/mutate.ts';
import { replaceFile } from '../../support/replaceFile.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-safetensors-'));
const file = path.join(folder, 'model.safetensors');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A file from a header (an object, or the text itself) and its data. */
function encode(header: object | string, data: Uint8Array, length?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

async function read(bytes: Uint8Array): Promise<Map<string, number[]>> {
  replaceFile(file, bytes);
  const opened = await readSafetensorsHeader(file);
  const reader = new TensorFile(opened);
  try {
    return new Map(
      [...opened.tensors].map(([name, entry]) => {
        const values = new Float32Array(entry.shape.reduce((a, b) => a * b, 1));
        reader.read(name, entry, 0, values);
        return [name, Array.from(values)];
      }),
    );
  } finally {
    reader.close();
  }
}

const a = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
const b = { dtype: 'BF16', shape: [1, 2], data_offsets: [8, 12] };
const data = new Uint8Array(new Float32Array([1, -2, 0]).buffer);
data.set([0x80, 0x3f, 0x00, 0xc0], 8);

describe('safetensors', () => {
  it('reads what is there, whatever the order in the header, with padding and metadata', async () => {
    const values = { a: [1, -2], b: [1, -2] };
    expect(Object.fromEntries(await read(encode({ b, a, __metadata__: { format: 'pt' } }, data)))).toEqual(values);
    expect(Object.fromEntries(await read(encode(`${JSON.stringify({ a, b })}   `, data)))).toEqual(values);
  });

  it('knows scalars, empty tensors and files without tensors', async () => {
    const scalar = { dtype: 'F32', shape: [], data_offsets: [0, 4] };
    const empty = { dtype: 'F32', shape: [0, 3], data_offsets: [4, 4] };
    expect(Object.fromEntries(await read(encode({ scalar, empty }, data.slice(0, 4))))).toEqual({
      scalar: [1],
      empty: [],
    });
    expect((await read(encode({}, new Uint8Array()))).size).toBe(0);
  });

  it('takes names as they are', async () => {
    const names = ['__proto__', 'constructor', '', 'a"b\\', 'ß\u0000'];
    const header = names.map(
      (name, i) => `${JSON.stringify(name)}:{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`,
    );
    replaceFile(file, encode(`{${header.join(',')}}`, new Uint8Array(names.length)));
    expect([...(await readSafetensorsHeader(file)).tensors.keys()]).toEqual(names);
  });

  const refused: [name: string, bytes: Uint8Array, says: RegExp][] = [
    ['an empty file', new Uint8Array(), /0 bytes/],
    ['a file of 9 bytes', new Uint8Array(9), /9 bytes/],
    ['a header longer than the file', encode({ a }, data, 1000n), /cut off/],
    ['a header of 2⁶³ bytes', encode({ a }, data, 2n ** 63n), /9223372036854775808 bytes/],
    ['a header of 100 000 001 bytes', encode({ a }, data, 100_000_001n), /100000001 bytes/],
    ['a header of no bytes', encode('', data), /0 bytes/],
    ['a header that is a list', encode('[1]', data), /starts with \{/],
    ['a header that starts with a space', encode(` ${JSON.stringify({ a, b })}`, data), /starts with \{/],
    ['a header that is not JSON', encode('{"a":}', data), /JSON/],
    ['a header that is not UTF-8', encode({ a, b }, data).map((byte) => (byte === 0x61 ? 0xff : byte)), /UTF-8/],
    ['a page of HTML', new TextEncoder().encode('<!DOCTYPE html><html><body>404</body></html>'), /header/],
    [
      'a Git LFS pointer',
      new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:1'),
      /Git LFS pointer.*git lfs pull/,
    ],
    ['an entry that is no object', encode({ a: 3 }, data), /entry of "a".*an object/],
    ['an entry that is null', encode({ a: null }, data), /entry of "a".*an object/],
    ['an unknown type', encode({ a: { ...a, dtype: 'F31' }, b }, data), /dtype of "a".*"F31"/],
    ['no type', encode({ a: { ...a, dtype: undefined }, b }, data), /dtype of "a".*nothing/],
    ['an inherited name as type', encode({ a: { ...a, dtype: 'toString' }, b }, data), /dtype/],
    ['a shape that is no list', encode({ a: { ...a, shape: 2 }, b }, data), /shape of "a"/],
    ['a negative extent', encode({ a: { ...a, shape: [-2] }, b }, data), /shape of "a"/],
    ['two negative extents', encode({ a: { ...a, shape: [-1, -2] }, b }, data), /shape of "a"/],
    ['a broken extent', encode({ a: { ...a, shape: [0.5, 4] }, b }, data), /shape of "a"/],
    ['a shape whose product overflows', encode({ a: { ...a, shape: [2 ** 52, 2 ** 52] }, b }, data), /no file has/],
    [
      'a shape that overflows to zero',
      encode({ a: { ...a, shape: [2 ** 53 - 1, 2 ** 53 - 1, 0] }, b }, data),
      /no file has/,
    ],
    ['a shape that is too large', encode({ a: { ...a, shape: [3] }, b }, data), /12 bytes apart/],
    ['no offsets', encode({ a: { ...a, data_offsets: undefined }, b }, data), /data_offsets of "a"/],
    ['one offset', encode({ a: { ...a, data_offsets: [8] }, b }, data), /data_offsets of "a"/],
    ['offsets that are texts', encode({ a: { ...a, data_offsets: ['0', '8'] }, b }, data), /data_offsets of "a"/],
    ['offsets that descend', encode({ a: { ...a, data_offsets: [8, 0] }, b }, data), /ascending/],
    ['offsets outside of the file', encode({ a: { ...a, data_offsets: [8, 16] } }, data), /inside the 12 bytes/],
    [
      'offsets far outside',
      encode({ a: { ...a, data_offsets: [2 ** 53 - 9, 2 ** 53 - 1] } }, data),
      /inside the 12 bytes/,
    ],
    ['tensors that overlap', encode({ a, b: { ...b, data_offsets: [4, 8] } }, data), /overlap/],
    ['a hole between tensors', encode({ a: { ...a, shape: [1], data_offsets: [0, 4] }, b }, data), /hole/],
    ['a hole at the start', encode({ b }, data), /hole/],
    ['data after the last tensor', encode({ a }, data), /data of 8 bytes.*12 bytes/],
    ['data that are cut off', encode({ a, b }, data.slice(0, 11)), /inside the 11 bytes/],
    [
      'a tensor twice',
      encode(`{"a":${JSON.stringify(a)},"b":${JSON.stringify(b)},"a":${JSON.stringify(a)}}`, data),
      /"a" twice/,
    ],
    [
      'a tensor twice, spelled differently',
      encode(`{"a":${JSON.stringify(a)},"b":${JSON.stringify(b)},"\\u0061":${JSON.stringify(a)}}`, data),
      /"a" twice/,
    ],
    ['metadata that are no texts', encode({ a, b, __metadata__: { x: 1 } }, data), /__metadata__/],
    ['metadata that are a list', encode({ a, b, __metadata__: [] }, data), /__metadata__/],
    [
      'packed elements that fill no byte',
      encode({ a: { dtype: 'F4', shape: [3], data_offsets: [0, 2] } }, data.slice(0, 2)),
      /no file has/,
    ],
  ];
  it.each(refused)('refuses %s', async (_, bytes, says) => {
    const failure = await failureOf(() => read(bytes));
    expect(failure.code).toBe('checkpoint/safetensors');
    expect(failure.data.file).toBe(file);
    expect(failure.message).toMatch(says);
  });

  it('leaves types that nobody reads alone, and names them when somebody does', async () => {
    const quantised = { dtype: 'F8_E8M0', shape: [4], data_offsets: [8, 12] };
    const failure = await failureOf(() => read(encode({ a, quantised }, data)));
    expect(failure.code).toBe('checkpoint/tensor');
    expect(failure.message).toMatch(/quantised.*F8_E8M0.*bfloat16/);
  });

  it('refuses a folder and a missing file', async () => {
    expect((await failureOf(() => readSafetensorsHeader(folder))).message).toMatch(/a folder/);
    expect((await failureOf(() => readSafetensorsHeader(`${file}.x`))).message).toMatch(/no such file/);
  });

  /** A damaged file is refused, or every tensor in it is still one that the bytes spell out: nothing is read from elsewhere. */
  it('survives 3 000 damaged files and 3 000 lying headers', async () => {
    const rng = new Rng(20);
    const header = { a, b, __metadata__: { format: 'pt' } };
    const whole = encode(header, data);
    let survivors = 0;
    for (let i = 0; i < 6000; i++) {
      const bytes = i % 2 === 0 ? mutateBytes(rng, whole) : encode(mutateJson(rng, header) as object, data);
      const failure = await failureOrNone(() => read(bytes), ['checkpoint/safetensors', 'checkpoint/tensor']);
      if (failure) continue;
      survivors++;
      const dataBegin = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
      const { tensors } = await readSafetensorsHeader(file);
      const ends = [...tensors.values()].sort((x, y) => x.begin - y.begin || x.end - y.end);
      expect(ends.reduce((reached, { begin, end }) => (begin === reached ? end : NaN), dataBegin)).toBe(bytes.length);
    }
    // Flips in the data and in names are no damage that a file could tell.
    expect(survivors).toBeGreaterThan(100);
    expect(survivors).toBeLessThan(3000);
  });
});
