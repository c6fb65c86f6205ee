import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../../src/base/rng.ts';
import { loadTokenizer } from '../../../../src/engine/tokenizer/tokenizer.ts';
import { tokenizerJson, trainBytePairs } from '../../../../tools/sample/training/trainBytePairs.ts';
import { rustIds, rustTokenizers } from '../../../support/tokenizers/oracle.ts';
import { randomText } from '../../../support/tokenizers/randomText.ts';
import { trainMerges } from '../../../support/tokenizers/trainMerges.ts';
import { TRAINING_TEXT } from '../../../support/tokenizers/trainingText.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-byte-pairs-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const trained = trainBytePairs(TRAINING_TEXT, 400);

describe('byte pairs', () => {
  it.each([
    ['the most frequent pair first, then pairs of what it made', 'aaab aaab ab', 259, ['a a', 'a b', 'aa ab']],
    ['ties go to the lower ids', 'ba ab ba ab', 258, ['a b', 'b a']],
    ['nothing that occurs once', 'abcdef', 300, []],
  ])('%s', (_, text, size, merges) => {
    const found = trainBytePairs(text, size).merges.map((pair) => pair.join(' '));
    expect(found.slice(0, merges.length)).toEqual(merges);
  });

  it('have every byte once, then what is merged', () => {
    expect(trained.vocabulary.length).toBe(256 + trained.merges.length);
    expect(new Set(trained.vocabulary).size).toBe(trained.vocabulary.length);
    expect(trained.vocabulary.slice(256)).toEqual(trained.merges.map(([left, right]) => left + right));
  });

  it('are those that a plain trainer of the same rule finds, ties aside', () => {
    const words = TRAINING_TEXT.match(/ [A-Za-z]+/g)!.map((word) => word.replace(' ', 'Ġ'));
    const plain = trainMerges(words, 10).map((pair) => pair.join(''));
    expect(trainBytePairs(words.join('').replaceAll('Ġ', ' '), 266).vocabulary.slice(256).sort()).toEqual(plain.sort());
  });

  it('come back as they were written: every text is its tokens, one after the other', async () => {
    const tokenizer = await written();
    const ascii = TRAINING_TEXT.replace(/[^ -~\n]/g, '');
    const ids = tokenizer.encode(ascii);
    const text = Array.from(ids, (id) => trained.vocabulary[id]!).join('');
    expect(text.replaceAll('Ġ', ' ').replaceAll('Ċ', '\n')).toBe(ascii);
    expect(ids.length).toBeLessThan(ascii.length / 1.5);
  });
});

describe.skipIf(!rustTokenizers)('the Rust library (skipped where its npm package brings no binary)', () => {
  it('makes the same ids of 300 awkward texts and of the training text', async () => {
    const ours = await written();
    const theirs = rustTokenizers!.Tokenizer.fromString(JSON.stringify(tokenizerJson(trained)));
    const rng = new Rng(6);
    const texts = [TRAINING_TEXT, ...Array.from({ length: 300 }, () => randomText(rng, []))];
    for (const text of texts) expect([...ours.encode(text)]).toEqual(await rustIds(theirs, text));
  });
});

async function written(): ReturnType<typeof loadTokenizer> {
  writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizerJson(trained)));
  return loadTokenizer(folder);
}
