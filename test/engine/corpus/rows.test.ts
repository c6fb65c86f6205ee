import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { JOINS, type RowsSettings } from '../../../src/experiment/corpusRows.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { generateText } from '../../support/generate/text.ts';
import { loadCorpus, loadRows } from '../../support/loadCorpus.ts';
import { pick } from '../../support/mutate.ts';
import { parquetOf } from '../../support/parquet.ts';
import { hasPython, python } from '../../support/python.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-rows-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function write(content: string | Uint8Array, name = 'data'): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

const shared = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../../shared');
const wikiTest = path.join(shared, 'data/wikitext-2/wiki.test.raw');
const hasShared = existsSync(wikiTest);

/** Rows as `datasets` makes them, by its scripts for WikiText and for PTB. */
const PYTHON_ROWS = `
def rows(file, kind):
    with open(file, encoding="utf-8") as lines:
        return [line.strip() if kind == "lines" else line if line.strip() else "" for line in lines]
`;

describe('rows of a plain text', () => {
  it.each<[RowsSettings['rows'], string, readonly string[]]>([
    ['whole', ' a \n\nb\r\n', [' a \n\nb\r\n']],
    ['wikitext', ' \n = A = \n \n\nb', ['', ' = A = \n', '', '', 'b']],
    ['wikitext', 'a\r\n\r\nb\rc\n', ['a\n', '', 'b\n', 'c\n']],
    // Rows that somebody joined by a line feed: the empty line behind each with text is no row.
    ['wikitext', '\n = A = \n\n\n b \n\n c \n\n', ['', ' = A = \n', '', ' b \n', ' c \n', '']],
    ['wikitext', '\n = A = \n\n\n b \n\n c \n', ['', ' = A = \n', '', ' b \n', ' c \n']],
    // As published, and without the blanks of its empty lines: text stands behind text.
    ['wikitext', '\n = A = \n\n b \n c \n', ['', ' = A = \n', '', ' b \n', ' c \n']],
    ['lines', " no it was n't \n\n two \n", ["no it was n't", '', 'two']],
    ['lines', '\ufeff a\u00a0\x85\n\x1c\n\ufeffb\n', ['a', '', '\ufeffb']],
  ])('%s of %j', async (rows, text, expected) => {
    expect(await loadRows(write(text), { rows })).toEqual(expected);
  });

  it.skipIf(!hasPython).each(['wikitext', 'lines'] as const)(
    '%s are those that Python makes (skipped where there is none), 200 awkward texts',
    async (kind) => {
      const rng = new Rng(kind.length);
      const PIECES = ['\n', '\n', '\n\n', '\r', '\r\n', ' ', ' \n', '\t', '\v', '\f', '\x1c', '\x1f', '\x85', '\xa0'];
      const MORE = ['\u2028', '\u2029', '\u3000', '\u200b', '\ufeff', '\0', 'a', 'word', 'ß', '語', '🌲', '"', '\\'];
      // A mark at the very start is no part of a text to us, and one to Python.
      const texts = Array.from(
        { length: 200 },
        () => `x${Array.from({ length: rng.integer(60) }, () => pick(rng, [...PIECES, ...MORE])).join('')}`,
      );
      const files = texts.map((text, i) => write(text, `text-${i}`));
      const ours = [];
      for (const file of files) ours.push(await loadRows(file, { rows: kind }));
      expect(ours).toEqual(
        python(`${PYTHON_ROWS}print(json.dumps([rows(file, input["kind"]) for file in input["files"]]))`, {
          files,
          kind,
        }),
      );
    },
  );

  it('are the same in any portions', async () => {
    // Longer than what is read at a time, with two carriage returns at its borders.
    const line = `${'語'.repeat(349_525)}\r\n`;
    expect(await loadRows(write(line.repeat(5)), { rows: 'wikitext' })).toEqual(
      Array(5).fill(`${'語'.repeat(349_525)}\n`),
    );
    expect(await loadRows(write(`${'a'.repeat(2 ** 20 - 1)}\r\nb\r`), { rows: 'lines' })).toEqual([
      'a'.repeat(2 ** 20 - 1),
      'b',
    ]);
  });
});

describe.skipIf(!hasShared)('WikiText-2’s test text (skipped without ../shared)', () => {
  const raw = hasShared ? readFileSync(wikiTest, 'utf8') : '';

  it.skipIf(!hasPython)(
    'is its rows joined, character for character as Python joins them (skipped where there is none)',
    async () => {
      // This copy is the hub's 4358 rows joined by a line feed, so that a line with text has an empty one behind it.
      const script = `
import re
text = open(input["file"], encoding="utf-8").read()
rows = [row for row, _ in re.findall(r"(?s)((?:[^\\n]+\\n)?)(\\n|\\Z)", text)]
assert len(rows) == 4358 and "\\n".join(rows) == text
print(json.dumps(input["join"].join(rows)))`;
      for (const join of ['blank-line', 'space'] as const) {
        const { text } = await loadCorpus(wikiTest, { rows: 'wikitext', join });
        expect(text === python(script, { file: wikiTest, join: JOINS[join] })).toBe(true);
      }
    },
  );

  it('is the same in Parquet as the hub has it', async () => {
    const hub = hubRows(raw);
    expect(hub).toHaveLength(4358);
    expect(hub.slice(0, 3)).toEqual(['', ' = Robert Boulter = \n', '']);
    const parquet = write(
      parquetOf(
        hub.map((text) => ({ text })),
        { rowGroupSize: 1000 },
      ),
      'test-00000-of-00001.parquet',
    );
    const lines = write(hub.map((row) => (row === '' ? ' \n' : row)).join(''), 'wiki.test.raw');
    for (const join of ['blank-line', 'space'] as const) {
      const joined = hub.join(JOINS[join]);
      expect((await loadCorpus(wikiTest, { rows: 'wikitext', join })).text === joined).toBe(true);
      expect((await loadCorpus(parquet, { join })).text === joined).toBe(true);
      expect((await loadCorpus(lines, { rows: 'wikitext', join })).text === joined).toBe(true);
    }
  });
});

/** Undoes `"\n".join(rows)`. */
function hubRows(text: string): readonly string[] {
  const lines = text.split('\n');
  const rows: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const isEmpty = lines[i] === '';
    rows.push(isEmpty ? '' : `${lines[i]!}\n`);
    if (!isEmpty && lines[++i] !== '') throw new Error(`no empty line ${i}`);
  }
  return rows;
}

async function sha256Of(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('hex');
}

describe('rows of JSON', () => {
  const documents = Array.from({ length: 1500 }, (_, i) => ({
    text: i % 50 === 7 ? '' : generateText(i, 5 + (i % 40)),
    timestamp: '2019-04-25T12:57:54Z',
    url: `https://example.org/${i}?q="a"`,
  }));
  const c4 = gzipSync(`${documents.map((row) => JSON.stringify(row)).join('\n')}\n`);

  it('are those of C4’s shards, and the first 1100 joined by one space its evaluation text', async () => {
    const file = write(c4, 'c4-validation.00000-of-00008.json.gz');
    expect(await loadRows(file)).toEqual(documents.map(({ text }) => text));
    const { text } = await loadCorpus(file, { join: 'space', first: 1100 });
    expect(text).toBe(
      documents
        .slice(0, 1100)
        .map((row) => row.text)
        .join(' '),
    );
  });

  it.skipIf(!hasPython)('are what Python makes of them (skipped where there is none)', async () => {
    const file = write(c4, 'c4.json.gz');
    const script = `import gzip
with gzip.open(input) as lines:
    print(json.dumps(" ".join([json.loads(line)["text"] for line in lines][:1100])))`;
    expect((await loadCorpus(file, { join: 'space', first: 1100 })).text).toBe(python(script, file));
  });

  it.each<[what: string, rows: readonly unknown[], settings: Partial<RowsSettings>, texts: readonly string[]]>([
    [
      'the only field with text in it',
      [
        { id: 1, body: 'a' },
        { id: 2, body: 'b' },
      ],
      {},
      ['a', 'b'],
    ],
    ['the field that is named', [{ text: 'a', body: 'b' }], { field: 'body' }, ['b']],
    ['a field inside of another', [{ a: { b: 'x' } }, { a: { b: '' } }], { field: 'a.b' }, ['x', '']],
    ['a field with a point in its name', [{ 'a.b': 'x', a: { b: 'y' } }], { field: 'a.b' }, ['x']],
    ['colons, quotes and brackets in texts', [{ text: '{"a": [1, "\\":\\\\"' }], {}, ['{"a": [1, "\\":\\\\"']],
    ['half of a character', [{ text: 'a\ud800' }], {}, ['a\ud800']],
  ])('take %s', async (_, rows, settings, texts) => {
    for (const content of [rows.map((row) => JSON.stringify(row)).join('\n'), JSON.stringify(rows)]) {
      expect(await loadRows(write(content), settings)).toEqual(texts);
    }
  });

  it('may have any name for a field', async () => {
    expect(await loadRows(write('{"__proto__": "x"}\n{"__proto__": "y"}\n'))).toEqual(['x', 'y']);
  });

  it.each<[what: string, rows: readonly string[], field: string, code: string, data: object]>([
    [
      'no field with text',
      ['{"id": 1}', '{"id": 2}'],
      '',
      'corpus/field',
      { actual: 'none in the fields "id" (number)' },
    ],
    ['several', ['{"a": "x", "b": "y"}', '{"a": "x"}'], '', 'corpus/field', { actual: 'several: "a", "b"' }],
    [
      'another name',
      ['{"a": "x"}', '{"a": "y"}'],
      'b',
      'corpus/field',
      { expected: 'a field "b" in row 1', actual: 'the fields "a" (text)' },
    ],
    ['a row without it', ['{"text": "x"}', '{"a": "y"}'], '', 'corpus/row', { expected: 'a field "text" in row 2' }],
    [
      'null',
      ['{"text": "x"}', '{"text": null}'],
      '',
      'corpus/row',
      { expected: 'a text in its field "text" (row 2)', actual: 'null' },
    ],
    ['a number', ['{"text": 1}', '{"text": "x"}'], '', 'corpus/row', { actual: 'a number' }],
    ['a list', ['{"text": ["x"]}', '{"text": "x"}'], '', 'corpus/row', { actual: 'a list' }],
    [
      'a list for a row',
      ['["x"]', '["y"]'],
      '',
      'corpus/row',
      { expected: 'a text or an object (row 1)', actual: 'a list' },
    ],
    [
      'a text for a row where a field is named',
      ['"x"', '{"a": "y"}'].map((row) => `{"a": ${row}}`),
      'a.b',
      'corpus/field',
      {},
    ],
    [
      'a name twice',
      ['{"text": "x"}', '{"text": "y", "text": "z"}'],
      '',
      'corpus/row',
      { expected: 'each name once in row 2' },
    ],
    [
      'a name twice, spelt otherwise',
      ['{"text": "y", "t\\u0065xt": "z"}', '{"text": "x"}'],
      '',
      'corpus/row',
      { expected: 'each name once in row 1' },
    ],
    ['a name twice, further in', ['{"a": {"b": "x", "b": "y"}}', '{"a": {"b": "x"}}'], 'a.b', 'corpus/row', {}],
  ])('are refused with %s', async (_, rows, field, code, data) => {
    for (const content of [rows.join('\n'), `[${rows.join(',')}]`]) {
      const failure = await failureOf(() => loadRows(write(content), { field }));
      expect(failure.data).toMatchObject({ code, ...data });
    }
  });
});

describe('the identity of a data set', () => {
  it('is its file’s, unless settings count that are not the default', async () => {
    const identity = async (content: string, settings: Partial<RowsSettings>): Promise<string> => {
      const data = await loadCorpus(write(content), settings);
      return data.counting ? JSON.stringify(data.counting) + data.identity : data.identity;
    };
    const plain = 'a\n\nb\n';
    const json = '{"text": "a"}\n{"text": "b"}\n';
    const whole = await identity(plain, {});
    expect(await identity(plain, { field: 'x', join: 'space', first: 1 })).toBe(whole);
    const rows = await identity(json, {});
    expect(rows).toBe(await sha256Of(json));
    expect(await identity(json, { field: 'text', rows: 'lines' })).toBe(rows);
    const others = [
      ...[whole, await identity(plain, { rows: 'lines' }), await identity(plain, { rows: 'wikitext' })],
      ...[await identity(plain, { rows: 'lines', join: 'space' }), await identity(plain, { rows: 'lines', first: 1 })],
      ...[rows, await identity(json, { join: 'space' }), await identity(json, { first: 1 })],
    ];
    expect(new Set(others).size).toBe(others.length);
  });
});
