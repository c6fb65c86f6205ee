import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCorpus } from '../../support/loadCorpus.ts';
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

const TWO = `${PROSE}\n\n${PROSE}`;
const THREE = `${TWO}\n\n${PROSE}`;

describe('data is read as such, whatever the file is called', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['JSON lines', lines, THREE],
    ['with a line feed at the end, and carriage returns', `${lines.replaceAll('\n', '\r\n')}\r\n`, THREE],
    ['with a byte order mark and blank lines', `\ufeff\n${lines.replaceAll('\n', '\n \n')}`, THREE],
    ['one row alone', JSON.stringify(rows[0]), PROSE],
    ['one row alone, indented', JSON.stringify(rows[0], undefined, 2), PROSE],
    ['a list of rows, on one line', JSON.stringify(rows), THREE],
    ['a list of rows, indented', JSON.stringify(rows, undefined, 2), THREE],
    ['an object with a list, indented', JSON.stringify({ version: '1', data: rows }, undefined, '\t'), THREE],
    ['a list of texts', JSON.stringify([PROSE, PROSE]), TWO],
    ['a column of texts', JSON.stringify({ lines: [PROSE, PROSE] }), TWO],
    ['gzip', gzipSync(PROSE), PROSE],
    ['gzip of several members', Buffer.concat([gzipSync(lines.slice(0, 90)), gzipSync(lines.slice(90))]), THREE],
    ['gzip, padded', Buffer.concat([gzipSync(lines), Buffer.alloc(512)]), THREE],
  ])('%s', async (_, content, text) => {
    expect((await loadCorpus(write(content))).text).toBe(text);
  });
});

describe('data is refused by name, whatever the file is called', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['xz', after(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00), 'xz'],
    ['bzip2', Buffer.from('BZh91AY&SY and so on'), 'bzip2'],
    ['zip', Buffer.from('PK\u0003\u0004 and so on'), 'a zip archive'],
    ['an Arrow file', Buffer.from(`ARROW1\0\0${PROSE}`), 'Arrow'],
    ['an Arrow stream', after(0xff, 0xff, 0xff, 0xff, 0x10, 0, 0, 0), 'Arrow'],
    ['encrypted Parquet', Buffer.from(`PARE${PROSE}PARE`), 'encrypted Parquet'],
    ['PDF', '%PDF-1.7 and so on', 'PDF'],
    ['UTF-16 without a mark', Buffer.from(PROSE, 'utf16le'), 'UTF-16, UTF-32 or a binary file'],
    ['UTF-16 in gzip', gzipSync(Buffer.from(PROSE, 'utf16le').swap16()), 'UTF-16, UTF-32 or a binary file in gzip'],
    ['gzip in gzip', gzipSync(gzipSync(PROSE)), 'gzip in gzip'],
    ['an archive in gzip', gzipSync(`${'a'.repeat(257)}ustar`), 'a tar archive in gzip'],
    ['Parquet in gzip', gzipSync(`PAR1${PROSE}PAR1`), 'Parquet in gzip'],
    [
      'an object with several lists',
      JSON.stringify({ text: ['a', 'b'], id: [1, 2] }),
      'an object with several: "text", "id"',
    ],
  ])('%s', async (_, content, name) => {
    const failure = await failureOf(() => loadCorpus(write(content)));
    expect(failure.data).toMatchObject({ code: 'corpus/format', actual: name });
    expect(failure.data.remedy).toMatch(/Unpack it first|Save the text as UTF-8|Write it|Write its rows|pdftotext/);
  });
});

describe('data is damaged that does not keep to its own format', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['JSON lines whose last row is cut off', `${JSON.stringify(rows[0])}\n${lines.slice(0, 30)}`, 'in row 2'],
    ['rows, and prose behind them', `${`${lines}\n`.repeat(10)}${PROSE}`, 'in row 31'],
    ['a list of rows, cut off within a text', JSON.stringify([...rows, ...rows]).slice(0, -12), 'its end in row 6'],
    [
      'a list of rows, cut off after a comma',
      `${JSON.stringify(rows, undefined, 2).slice(0, -4)},`,
      'its end in row 3',
    ],
    ['a list of rows, with a comma too many', `${JSON.stringify(rows).slice(0, -1)},]`, '"]" behind row 3'],
    ['a list of rows, without a comma', JSON.stringify(rows).replace('},{', '} {'), '"{" behind row 1'],
    ['a list of rows, and another', JSON.stringify(rows).repeat(2), '"[" behind row 3'],
    ['a row alone, cut off', JSON.stringify(rows[0]).slice(0, -5), 'in row 1'],
    ['gzip, cut off', gzipSync(lines).subarray(0, -6), 'unexpected end of file'],
    [
      'gzip with another checksum',
      Buffer.concat([gzipSync(lines).subarray(0, -8), Buffer.alloc(8)]),
      'incorrect data check',
    ],
    ['gzip with something behind it', Buffer.concat([gzipSync(lines), Buffer.from('text')]), 'incorrect header check'],
    ['Parquet without its end', Buffer.from(`PAR1${PROSE}`), 'no mark at its end'],
    ['Parquet without anything in it', Buffer.from(`PAR1${'\0'.repeat(40)}PAR1`), 'its end too early'],
    [
      'rows one behind the other, indented',
      rows.map((row) => JSON.stringify(row, undefined, 1)).join('\n'),
      'in row 1',
    ],
  ])('%s', async (_, content, actual) => {
    const failure = await failureOf(() => loadCorpus(write(content)));
    expect(failure.code).toBe('corpus/damaged');
    expect(failure.data.actual).toContain(actual);
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
    ['that begins with a list and goes on', '[{"title": "The river"}]\n\nThe river rose that night.\n'],
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
