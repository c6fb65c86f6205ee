import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { CompressionCodec } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import type { ErrorCode } from '../../../src/base/errors.ts';
import { decompressPage } from '../../../src/engine/corpus/parquetCodecs.ts';
import { endOfStruct } from '../../../src/engine/corpus/thrift.ts';
import { failureOf, failureOrNone } from '../../support/expectCoded.ts';
import { generateText } from '../../support/generate/text.ts';
import { loadRows } from '../../support/loadCorpus.ts';
import { mutateBytes, pick } from '../../support/mutate.ts';
import { parquetFixture, parquetOf } from '../../support/parquet.ts';
import { replaceFile } from '../../support/replaceFile.ts';

/** All of them where there is time (`npm run test:slow`). */
const TIMES = process.env['ESPALIER_SLOW'] ? 4_000 : 400;

const folder = mkdtempSync(join(tmpdir(), 'espalier-hostile-'));
const file = join(folder, 'data');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const CODES: readonly ErrorCode[] = [
  ...(['corpus/damaged', 'corpus/format', 'corpus/field', 'corpus/row'] as const),
  ...(['corpus/encoding', 'corpus/too-short', 'corpus/not-found', 'evaluation/too-large'] as const),
];

/** Twelve rows, as zstd 1.5 packs them. */
const ZSTD_LINES =
  'KLUv/QRgjQMAxAR7InRleHQiOiJTb21lIHRleHQgb2Ygcm93IDAsIGFnYWluIGFuZC4iLCJ1cmwiOiJ1MCJ9CjExMjIzMzQ0NTU2Njc3ODg5OT' +
  'ExMSJ9F6ggfP/YDqDTwvIQFOH/EYHWHVQip2wp4E1lGHXG05UusCk6vV7q';

const rows = Array.from({ length: 40 }, (_, i) => ({ text: generateText(i, i), url: `u${i}`, n: i }));
const lines = rows.map((row) => JSON.stringify(row)).join('\n');

const BOMBS: readonly [what: string, bytes: () => Uint8Array, words: string][] = [
  ['one line', () => gzipSync(`{"text": "${'a'.repeat(2 ** 27)}"}\n{"text": "b"}`), 'row 1'],
  ['brackets', () => gzipSync(`["a",${'['.repeat(2 ** 27)}`), 'row 2'],
];

describe('damaged data ends in a coded error or in rows', () => {
  it.each<[string, Uint8Array]>([
    ['JSON lines', Buffer.from(lines)],
    ['a list of JSON', Buffer.from(JSON.stringify(rows, undefined, 1))],
    ['an object of JSON', Buffer.from(JSON.stringify({ version: 1, data: rows }))],
    ['gzip', gzipSync(lines)],
    ['gzip of several members', Buffer.concat([gzipSync(lines), gzipSync(`\n${lines}`)])],
    ['zstd', Buffer.from(ZSTD_LINES, 'base64')],
    ['Parquet of the hub', parquetOf(rows, { rowGroupSize: 15 })],
    ['Parquet by differences', parquetOf(rows, { encoding: 'DELTA_BYTE_ARRAY', codec: 'UNCOMPRESSED' })],
    ...[
      'arrow-rs-snappy',
      'arrow-rs-zstd',
      'arrow-rs-lz4_raw',
      'duckdb-v2',
      'duckdb-brotli',
      'polars-gzip',
      'duckdb-nested',
    ].map((name): [string, Uint8Array] => [name, parquetFixture(name)]),
  ])(`%s, ${TIMES} times`, async (name, whole) => {
    const rng = new Rng(name.length);
    const field = name === 'duckdb-nested' ? 'meta.title' : '';
    let refusals = 0;
    for (let i = 0; i < TIMES; i++) {
      replaceFile(file, mutateBytes(rng, whole));
      if (await failureOrNone(() => loadRows(file, { field }), CODES)) refusals++;
    }
    expect(refusals).toBeGreaterThan(TIMES / 8);
  });

  it(`Parquet whose metadata say something else, ${TIMES} times`, async () => {
    const whole = parquetOf(rows, { rowGroupSize: 15 });
    const length = new DataView(whole.buffer).getUint32(whole.length - 8, true);
    const begin = whole.length - 8 - length;
    const rng = new Rng(5);
    for (let i = 0; i < TIMES; i++) {
      const bytes = whole.slice();
      // Numbers and lengths of what is in it: most of its bytes.
      for (let n = 0; n <= rng.integer(3); n++)
        bytes[begin + rng.integer(length)] = pick(rng, [0, 1, 2, 0x0f, 0x7f, 0x80, 0xfe, 0xff, 0x19, 0xf9, 0x2c]);
      replaceFile(file, bytes);
      await failureOrNone(() => loadRows(file), CODES);
    }
  });
});

describe('what is made to fill the memory is refused', () => {
  it.each<[string, () => Uint8Array, string, string]>([
    [
      'a list of lists of lists',
      () => Buffer.from(`[${'['.repeat(2 ** 20)}"a"${']'.repeat(2 ** 20)}]`),
      'corpus/damaged',
      'deep',
    ],
    [
      'a deep row',
      () => Buffer.from(`{"text": "a"}\n{"text": ${'{"a":'.repeat(2 ** 18)}1${'}'.repeat(2 ** 18)}}`),
      'corpus/damaged',
      'deep',
    ],
  ])('%s', async (_, bytes, code, words) => {
    replaceFile(file, bytes());
    const failure = await failureOf(() => loadRows(file));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(words);
  });

  // Half a gigabyte each: only in `npm run test:slow`.
  it.each(process.env['ESPALIER_SLOW'] ? BOMBS : [])('a bomb of %s, in gzip', async (_, bytes, words) => {
    replaceFile(file, bytes());
    const failure = await failureOf(() => loadRows(file));
    expect(failure.code).toBe('evaluation/too-large');
    expect(failure.message).toContain(words);
  });

  it.each<[CompressionCodec, (bytes: Uint8Array) => Uint8Array]>([
    ['GZIP', (bytes) => gzipSync(bytes)],
    ['BROTLI', (bytes) => brotliCompressSync(bytes)],
  ])('a page that holds more than it says: %s', (codec, compress) => {
    const packed = compress(Buffer.alloc(2 ** 20));
    expect(decompressPage(codec, packed, 2 ** 20)).toHaveLength(2 ** 20);
    expect(() => decompressPage(codec, packed, 1000)).toThrow(/larger than 1000 bytes/);
  });

  it.each<[string, number[], string]>([
    ['a list that is longer than its bytes', [0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07], 'a list of'],
    ['lists in lists', [0x19, 0xf9, 0x10], 'a list of lists'],
    ['structs in structs', Array<number>(100).fill(0x1c), 'without end'],
    ['a number without end', [0x16, ...Array<number>(100).fill(0xff)], 'more than 64 bits'],
    ['a text behind the end', [0x18, 0x7f, 0], 'its end too early'],
    ['a type of its own', [0x1d, 0], 'a field of type 13'],
  ])('in what describes Parquet: %s', (_, bytes, words) => {
    expect(() => endOfStruct(Uint8Array.from(bytes), 0)).toThrow(words);
  });
});
