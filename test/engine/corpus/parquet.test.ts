import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { generateText } from '../../support/generate/text.ts';
import { loadCorpus, loadRows } from '../../support/loadCorpus.ts';
import { FIXTURE_TEXTS, parquetFixture, parquetOf, type ParquetShape } from '../../support/parquet.ts';

const folder = mkdtempSync(join(tmpdir(), 'espalier-parquet-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function write(bytes: Uint8Array): string {
  const file = join(folder, 'data.parquet');
  writeFileSync(file, bytes);
  return file;
}

describe('Parquet that others wrote is read', () => {
  it.each([
    ...['arrow-rs-plain', 'arrow-rs-snappy', 'arrow-rs-zstd', 'arrow-rs-lz4_raw'],
    ...['duckdb-snappy', 'duckdb-brotli', 'duckdb-v2', 'polars-gzip'],
  ])('%s', async (name) => {
    expect(await loadRows(write(parquetFixture(name)))).toEqual(FIXTURE_TEXTS);
  });

  it('with a field inside of another', async () => {
    const titles = await loadRows(write(parquetFixture('duckdb-nested')), { field: 'meta.title' });
    expect(titles).toEqual([0, 1, 2, 3, 4].map((i) => `Title ${i}`));
  });
});

describe('Parquet of the hub’s tables is read', () => {
  const rng = new Rng(11);
  const documents = Array.from({ length: 300 }, (_, i) => ({
    text: rng.integer(4) === 0 ? '' : generateText(i, rng.integer(200)),
    timestamp: '2019-04-25T12:57:54Z',
    url: `https://example.org/${i}`,
  }));
  const texts = documents.map(({ text }) => text);

  it.each<[string, ParquetShape]>([
    ['in one group', { rowGroupSize: 1000 }],
    ['in groups of seven rows', { rowGroupSize: 7 }],
    ['in pages of a few rows', { rowGroupSize: 1000, pageSize: 4000 }],
    ['packed by gzip', { codec: 'GZIP', rowGroupSize: 100 }],
    ['packed by Brotli', { codec: 'BROTLI', pageSize: 4000 }],
    ['not packed', { codec: 'UNCOMPRESSED' }],
    ['plain', { encoding: 'PLAIN' }],
    ['by lengths', { encoding: 'DELTA_LENGTH_BYTE_ARRAY' }],
    ['by what differs', { encoding: 'DELTA_BYTE_ARRAY' }],
  ])('%s', async (_, shape) => {
    const file = write(parquetOf(documents, shape));
    expect(await loadRows(file)).toEqual(texts);
    expect(await loadRows(file, { field: 'url', first: 150 })).toEqual(documents.slice(0, 150).map(({ url }) => url));
    expect((await loadCorpus(file, { join: 'space' })).text).toBe(texts.join(' '));
  });
});

describe('of Parquet is refused', () => {
  const rows = [1, 2].map((id) => ({ id, title: `t${id}`, body: `b${id}` }));
  it.each<[string, Uint8Array, string, string, string]>([
    ['two columns of texts', parquetOf(rows), '', 'corpus/field', 'columns of texts: "title", "body"'],
    ['another name', parquetOf(rows), 'text', 'corpus/field', 'columns of texts: "title", "body"'],
    ['a column of numbers', parquetOf(rows), 'id', 'corpus/field', '"id", which holds values of type DOUBLE'],
    [
      'a column of lists',
      parquetFixture('duckdb-nested'),
      'meta.tags.list.element',
      'corpus/field',
      'which holds lists',
    ],
    ['a row without a text', parquetFixture('duckdb-null'), '', 'corpus/row', 'null'],
    [
      'a row without a text behind others',
      parquetOf([{ text: 'a' }, { text: 'b' }, { text: null }]),
      '',
      'corpus/row',
      'null',
    ],
  ])('%s', async (_, bytes, field, code, actual) => {
    const failure = await failureOf(() => loadRows(write(bytes), { field }));
    expect(failure.data).toMatchObject({ code, actual: expect.stringContaining(actual) as string });
  });
});
