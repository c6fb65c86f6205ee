import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { readTable } from '../../../src/engine/corpus/readTable.ts';
import { failureOf, failureOrNone } from '../../support/expectCoded.ts';
import { parquetFixture } from '../../support/parquet.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-tables-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function rowsOf(name: string, content: Uint8Array | string): Promise<unknown> {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return JSON.parse(JSON.stringify((await readTable(file)).rows));
}

/** Streams that another implementation wrote (flechette 2.7). */
const arrow = (name: string): Uint8Array => readFileSync(new URL(`../../support/arrow/${name}.arrow`, import.meta.url));

const QUESTIONS = [
  { question: 'Why?', choices: { text: ['a', 'b', 'ü'], label: ['A', 'B', 'C'] }, label: 2, score: 0.5, is: true },
  { question: '', choices: { text: [], label: [] }, label: -1, score: -1e300, is: false },
  { question: '語\n😀', choices: { text: ['x'], label: ['1'] }, label: 0, score: 3, is: true },
];

type Schema = NonNullable<Parameters<typeof parquetWriteBuffer>[0]['schema']>;

const list = (name: string): Schema => [
  { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
];

/** As pyarrow writes the data sets of the hub: structs of lists in three levels, everything optional. */
const SCHEMA: Schema = [
  { name: 'schema', num_children: 5 },
  { name: 'question', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'choices', repetition_type: 'OPTIONAL', num_children: 2 },
  ...list('text'),
  ...list('label'),
  { name: 'label', type: 'INT64', repetition_type: 'OPTIONAL' },
  { name: 'score', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
  { name: 'is', type: 'BOOLEAN', repetition_type: 'OPTIONAL' },
];

const parquet = (rowGroupSize: number): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      schema: SCHEMA,
      rowGroupSize,
      columnData: Object.keys(QUESTIONS[0]!).map((name) => ({
        name,
        data: QUESTIONS.map((row) => {
          const value = row[name as keyof typeof row];
          return name === 'label' ? BigInt(value as number) : value;
        }),
      })),
    }),
  );

const LINES = QUESTIONS.map((row) => JSON.stringify(row)).join('\n');

describe('a table is read', () => {
  it.each<[string, string, Uint8Array | string]>([
    ['JSON lines', 'a.jsonl', LINES],
    ['JSON lines, packed', 'a.jsonl.gz', gzipSync(LINES)],
    ['a JSON list', 'a.json', JSON.stringify(QUESTIONS, undefined, 1)],
    ['Parquet with structs and lists', 'a.parquet', parquet(1000)],
    ['Parquet in groups of a row', 'b.parquet', parquet(1)],
  ])('of %s', async (_, name, content) => {
    expect(await rowsOf(name, content)).toEqual(QUESTIONS);
  });

  it('of Parquet that DuckDB wrote', async () => {
    const rows = (await rowsOf('c.parquet', parquetFixture('duckdb-nested'))) as readonly { readonly meta: object }[];
    expect(rows[0]!.meta).toMatchObject({ title: 'Title 0' });
  });

  it('of an Arrow stream, structs of lists and scalars with nulls', async () => {
    expect(await rowsOf('arc.arrow', arrow('arc'))).toEqual(
      expect.arrayContaining([
        {
          id: 'Mercury_417466',
          question: 'Which statement best explains why photosynthesis is the foundation of most food webs?',
          choices: {
            text: [
              'Sunlight is the source of energy for nearly all ecosystems.',
              'Most ecosystems are found on land instead of in water.',
              'Carbon dioxide is more available than other gases.',
              'The producers in all ecosystems are plants.',
            ],
            label: ['A', 'B', 'C', 'D'],
          },
          answerKey: 'A',
        },
      ]),
    );
    const file = path.join(folder, 'scalars.arrow');
    writeFileSync(file, arrow('scalars'));
    expect((await readTable(file)).rows).toEqual([
      { label: 1, long: 12345678901, is: true, half: 0.5, title: 'a' },
      { label: null, long: -1, is: false, half: -2.25, title: null },
      { label: 3, long: 2n ** 60n, is: true, half: 1e300, title: 'ü語😀' },
    ]);
  });

  it.each<[string, string, readonly (readonly string[])[]]>([
    ['a.csv', 'q,"a, b","say ""x""\nnow",\r\nlast', [['q', 'a, b', 'say "x"\nnow', ''], ['last']]],
    [
      'b.csv',
      '"",x\n\n1,2\n',
      [
        ['', 'x'],
        ['1', '2'],
      ],
    ],
    [
      'c.tsv',
      'a\t"b\r\n\n1\t2"\n',
      [
        ['a', '"b'],
        ['1', '2"'],
      ],
    ],
  ])('of separated values: %s', async (name, content, rows) => {
    expect(await rowsOf(name, content)).toEqual(rows);
  });
});

const CODES = ['corpus/damaged', 'corpus/format', 'corpus/encoding', 'corpus/row', 'tasks/too-large'] as const;

describe('a table is refused', () => {
  it.each<[string, string, Uint8Array | string, string, string]>([
    ['prose', 'a.txt', 'Once upon a time', 'corpus/format', 'plain text'],
    ['nothing', 'a.jsonl', '', 'corpus/format', 'an empty file'],
    ['a line that is cut off', 'a.jsonl', `${LINES}\n{"question": "w`, 'corpus/damaged', 'in row 4'],
    ['a label that is NaN', 'a.jsonl', `${LINES}\n{"label": NaN}\n`, 'corpus/damaged', 'in row 4: Unexpected token'],
    [
      'a first label that is NaN',
      'a.jsonl',
      `\ufeff{"label": NaN}\n${LINES}`,
      'corpus/damaged',
      'in row 1: Unexpected token',
    ],
    ['prose between rows', 'a.jsonl', `${LINES}\nOnce upon a time`, 'corpus/damaged', 'in row 4: Unexpected token'],
    ['zero bytes behind rows', 'a.jsonl', `${LINES}\n\0\0`, 'corpus/damaged', 'in row 4: Unexpected token'],
    ['a quote without an end', 'a.csv', 'a,"b\nc', 'corpus/damaged', 'a quote in row 1 that does not end'],
    ['text behind a quote', 'a.csv', 'a,"b"c\n', 'corpus/damaged', 'text behind a quote'],
    ['a dictionary of Arrow', 'a.arrow', arrow('dictionary'), 'corpus/format', 'a dictionary for column word'],
    ['Arrow that is cut off', 'a.arrow', arrow('arc').subarray(0, 2000), 'corpus/damaged', 'its end too early'],
  ])('%s', async (_, name, content, code, actual) => {
    const file = path.join(folder, name);
    writeFileSync(file, content);
    const { data } = await failureOf(() => readTable(file));
    expect(data.code).toBe(code);
    expect(data.actual).toContain(actual);
  });

  it.each([
    ['Arrow', 'a.arrow', arrow('arc')],
    ['Arrow with nulls', 'a.arrow', arrow('scalars')],
    ['Parquet with lists', 'a.parquet', parquet(2)],
  ])('or read, whatever bytes of %s are others, 400 times', async (_, name, bytes) => {
    const rng = new Rng(3);
    for (let i = 0; i < 400; i++) {
      const changed = bytes.slice(0, rng.integer(8) === 0 ? rng.integer(bytes.length) : bytes.length);
      for (let changes = rng.integer(4); changes >= 0; changes--)
        if (changed.length > 0) changed[rng.integer(changed.length)] = rng.integer(256);
      const file = path.join(folder, name);
      writeFileSync(file, changed);
      await failureOrNone(() => readTable(file), CODES);
    }
  });
});
