import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCorpus } from '../../../src/engine/checkpoint/corpus.ts';
import { failureOf } from '../../support/expectCoded.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-data-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const PROSE = 'The river rose that night.\n\nBy morning, the lower fields were gone.\n';
const rows = [1, 2, 3].map((id) => ({ id, text: PROSE }));
const lines = rows.map((row) => JSON.stringify(row)).join('\n');
const after = (...bytes: number[]) => Buffer.concat([Buffer.from(bytes), Buffer.from(PROSE)]);

function write(content: string | Uint8Array, name = 'data.txt'): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

describe('data is refused by name, whatever the file is called', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['JSON lines', lines, 'JSON lines'],
    ['with a line feed at the end, and carriage returns', `${lines.replaceAll('\n', '\r\n')}\r\n`, 'JSON lines'],
    ['with a byte order mark and blank lines', `\ufeff\n${lines.replaceAll('\n', '\n\n')}`, 'JSON lines'],
    ['whose last row is cut off', `${JSON.stringify(rows[0])}\n${lines.slice(0, 30)}`, 'JSON lines'],
    ['lists of texts, one a line', '["one", "two"]\n["three"]\n', 'JSON lines'],
    ['many rows before prose that is too far down to be looked at', `${`${lines}\n`.repeat(10)}${PROSE}`, 'JSON lines'],
    ['one row alone', JSON.stringify(rows[0]), 'JSON'],
    ['a list of rows, on one line', JSON.stringify(rows), 'JSON'],
    ['a list of rows, indented', JSON.stringify(rows, undefined, 2), 'JSON'],
    ['an object of lists, indented', JSON.stringify({ data: rows }, undefined, '\t'), 'JSON'],
    ['a list of rows, cut off within a text', JSON.stringify([...rows, ...rows]).slice(0, -12), 'JSON'],
    ['a list of rows, indented, cut off after a comma', `${JSON.stringify(rows, undefined, 2).slice(0, -4)},`, 'JSON'],
    ['a row alone, cut off', JSON.stringify(rows[0]).slice(0, -5), 'JSON'],
    ['a list of texts', JSON.stringify([PROSE, PROSE]), 'JSON'],
    ['gzip', gzipSync(PROSE), 'gzip'],
    ['zstd', after(0x28, 0xb5, 0x2f, 0xfd), 'zstd'],
    ['xz', after(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00), 'xz'],
    ['bzip2', Buffer.from('BZh91AY&SY and so on'), 'bzip2'],
    ['zip', Buffer.from('PK\u0003\u0004 and so on'), 'a zip archive'],
    ['Parquet', Buffer.from(`PAR1${PROSE}PAR1`), 'Parquet'],
    ['an Arrow file', Buffer.from(`ARROW1\0\0${PROSE}`), 'Arrow'],
    ['an Arrow stream', after(0xff, 0xff, 0xff, 0xff, 0x10, 0, 0, 0), 'Arrow'],
    ['PDF', '%PDF-1.7 and so on', 'PDF'],
  ])('%s', async (_, content, name) => {
    const failure = await failureOf(() => loadCorpus(write(content)));
    expect(failure.code).toBe('corpus/format');
    expect(failure.data).toMatchObject({ expected: 'a plain text', actual: name });
    expect(failure.data.remedy).toMatch(/Unpack it first|plain text: write the field|pdftotext/);
  });
});

describe('a text is read', () => {
  it.each<[string, string]>([
    ['that begins with a brace', '{ This is a comment of the editor. }\n\nChapter one.'],
    ['that begins with a bracket', '[Illustration: the river]\n\nThe river rose.'],
    ['that begins with the number of a note', '[1]\nSee the appendix.'],
    ['of numbers in brackets', '[1]\n[2]\n[3]\n'],
    ['whose bracket nothing closes', '["The river," he said, and rose.\n'],
    ['of a bracket and a quotation', '["The river rose'],
    ['that begins with JSON and goes on', '{"title": "The river"}\n\nThe river rose that night.\n'],
    ['that quotes JSON over several lines', '{\n  "title": "The river"\n}\n\nThis is what the server said.'],
    ['of a program', '{\n  const a = [1, 2];\n}\n'],
    ['of lines in quotes', '"Hello."\n"Good morning."\n'],
    ['of one pair of braces', '{}\n{}\n'],
    ['that names a format', 'PARIS, 1793. PK and BZh are letters.'],
    ['called as data', PROSE],
  ])('%s', async (_, text) => {
    expect((await loadCorpus(write(text, 'data.jsonl'))).text).toBe(text);
  });
});
