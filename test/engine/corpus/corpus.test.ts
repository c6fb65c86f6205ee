import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCorpus } from '../../support/loadCorpus.ts';
import { Rng } from '../../../src/base/rng.ts';
import { failureOf, failureOrNone } from '../../support/expectCoded.ts';
import { mutateBytes } from '../../support/mutate.ts';
import { replaceFile } from '../../support/replaceFile.ts';
import { TRAINING_TEXT } from '../../support/tokenizers/trainingText.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-corpus-'));
const file = path.join(folder, 'text.txt');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('a corpus', () => {
  it.each<[what: string, bytes: string | number[], text: string]>([
    ['as it is', 'a b\n', 'a b\n'],
    ['with CRLF and trailing space', ' a\r\nb\r\n \n', ' a\r\nb\r\n \n'],
    ['without its byte order mark', [0xef, 0xbb, 0xbf, 0x61], 'a'],
    ['with byte order marks further on', [0x61, 0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf], 'a\ufeff\ufeff'],
    ['with NUL and characters outside of the plane', 'a\0😀\u{10ffff}', 'a\0😀\u{10ffff}'],
  ])('is read %s', async (_, bytes, text) => {
    const content = typeof bytes === 'string' ? bytes : Uint8Array.from(bytes);
    replaceFile(file, content);
    const identity = createHash('sha256').update(content).digest('hex');
    expect(await loadCorpus(file)).toEqual({ text, identity });
  });

  it.each<[what: string, bytes: number[], position: number]>([
    ['Latin-1', [0x61, 0x62, 0xe9, 0x20], 2],
    ['UTF-16 with its mark', [0xff, 0xfe, 0x61, 0], 0],
    ['a lone continuation', [0x80], 0],
    ['a spelling that is too long', [0x61, 0xc0, 0xaf], 1],
    ['three bytes that are too long', [0x61, 0xe0, 0x80, 0x80], 1],
    ['four bytes that are too long', [0xf0, 0x8f, 0xbf, 0xbf], 0],
    ['a surrogate', [0x61, 0xed, 0xa0, 0x80], 1],
    ['a character beyond Unicode', [0xf4, 0x90, 0x80, 0x80], 0],
    ['a byte that never occurs', [0x61, 0xf8], 1],
    ['an end inside of a character', [0x61, 0xe4, 0xb8], 1],
    ['an error after characters of all lengths', [...Buffer.from('aß語😀'), 0xff], 10],
  ])('that is %s is refused, with the position', async (_, bytes, position) => {
    replaceFile(file, Uint8Array.from(bytes));
    const failure = await failureOf(() => loadCorpus(file));
    expect(failure.code).toBe('corpus/encoding');
    expect(failure.data.file).toBe(file);
    expect(failure.message).toContain(`at position ${position}.`);
  });

  it('that is empty, a folder, missing or too large is refused', async () => {
    replaceFile(file, '');
    expect(await failureOf(() => loadCorpus(file))).toMatchObject({ code: 'corpus/too-short', data: { file } });
    replaceFile(file, Uint8Array.of(0xef, 0xbb, 0xbf));
    expect(await failureOf(() => loadCorpus(file))).toMatchObject({ code: 'corpus/too-short' });
    expect(await failureOf(() => loadCorpus(folder))).toMatchObject({
      code: 'corpus/not-found',
      data: { actual: 'a folder' },
    });
    expect(await failureOf(() => loadCorpus(`${file}.x`))).toMatchObject({ code: 'corpus/not-found' });
    truncateSync(file, 2 ** 40);
    expect(await failureOf(() => loadCorpus(file))).toMatchObject({ code: 'evaluation/too-large' });
  });

  it('that is damaged is refused at the right place, or read to the byte, 3 000 times', async () => {
    const rng = new Rng(40);
    const whole = new TextEncoder().encode(TRAINING_TEXT.slice(1200, 3000));
    let refusals = 0;
    for (let i = 0; i < 3000; i++) {
      const bytes = mutateBytes(rng, whole);
      replaceFile(file, bytes);
      let text = '';
      const failure = await failureOrNone(async () => {
        ({ text } = await loadCorpus(file));
      }, ['corpus/encoding', 'corpus/too-short']);
      if (failure?.code === 'corpus/encoding') {
        const position = Number(/position (\d+)/.exec(failure.message)![1]);
        const isWhole = isDecodable(bytes.subarray(0, position));
        const isBroken = [1, 2, 3, 4].every((length) => !isDecodable(bytes.subarray(position, position + length)));
        if (!isWhole || !isBroken) expect({ position, bytes }).toBe('the first wrong byte');
        refusals++;
      } else if (!failure && Buffer.compare(Buffer.from(text), bytes) !== 0) expect(text).toBe('the bytes');
    }
    expect(refusals).toBeGreaterThan(1000);
  });
});

function isDecodable(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
