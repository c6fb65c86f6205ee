import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer.ts';
import { Rng } from '../../../src/base/rng.ts';
import { failureOf, failureOrNone } from '../../support/expectCoded.ts';
import { mutateJson } from '../../support/mutate.ts';
import { replaceFile } from '../../support/replaceFile.ts';
import { anyText, anyTokenizer } from '../../support/tokenizers/anyTokenizer.ts';
import { makeCharsmap } from '../../support/tokenizers/makeCharsmap.ts';
import { rustIds, rustTokenizers } from '../../support/tokenizers/oracle.ts';
import { TRAINING_TEXT } from '../../support/tokenizers/trainingText.ts';
import type { Tokenizer } from '../../../src/engine/tokenizer/tokenizer.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-kinds-'));
const file = path.join(folder, 'tokenizer.json');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function load(spec: unknown): Promise<Tokenizer> {
  // A mutation may take all of it away.
  replaceFile(file, JSON.stringify(spec ?? null));
  return loadTokenizer(folder);
}

/** Pieces of the training text, the longer the rarer. */
const pieces = [
  ...new Set(
    Array.from({ length: 4000 }, (_, i) =>
      TRAINING_TEXT.replaceAll(' ', '▁')
        .slice((7 * i) % 3000)
        .slice(0, 1 + (i % 6)),
    ),
  ),
].filter((piece) => piece !== '' && piece.isWellFormed());
const numbered = (tokens: readonly string[]): Record<string, number> =>
  Object.fromEntries(tokens.map((token, id) => [token, id]));
const unigram = {
  type: 'Unigram',
  unk_id: 0,
  byte_fallback: false,
  vocab: [['<unk>', 0], ...pieces.map((piece, i) => [piece, -(1 + (i % 11) / 3) * piece.length ** 0.7])],
};
const whole = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  post_processor: null,
  decoder: null,
};

/** Tokenizers that see a whole text as one word, or have to look at all of it. */
const LONG: Readonly<Record<string, object>> = {
  'Unigram, in one word': {
    ...whole,
    normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    model: unigram,
  },
  T5: {
    ...whole,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        {
          type: 'Precompiled',
          precompiled_charsmap: makeCharsmap([
            ['\n', ' '],
            ['e\u0301', 'é'],
            ['ﬁ', 'fi'],
          ]),
        },
        { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
      ],
    },
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true },
    model: unigram,
  },
  BERT: {
    ...whole,
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: numbered([
        ...new Set(['[UNK]', ...pieces.flatMap((piece) => [piece.toLowerCase(), `##${piece.toLowerCase()}`])]),
      ]),
    },
  },
};

describe.skipIf(!rustTokenizers)('the Rust library (skipped where its npm package brings no binary)', () => {
  it('makes the same ids with any combination of parts, on any text', async () => {
    let [same, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(anyTokenizer, fc.array(anyText, { minLength: 4, maxLength: 8 }), async (spec, texts) => {
        let ours: Tokenizer | undefined;
        const failure = await failureOrNone(async () => (ours = await load(spec)), ['checkpoint/tokenizer']);
        if (failure) {
          refused++;
          return;
        }
        const theirs = rustTokenizers!.Tokenizer.fromString(JSON.stringify(spec));
        for (const text of texts) {
          // What it has no ids for, we have none for.
          const expected = await rustIds(theirs, text).catch(() => undefined);
          let ids: number[] | undefined;
          await failureOrNone(async () => (ids = Array.from(await ours!.encodeAsync(text))), ['checkpoint/tokenizer']);
          expect({ text, ids }).toEqual({ text, ids: expected });
          same++;
        }
      }),
      { seed: Number(process.env['SEED'] ?? 11), numRuns: Number(process.env['RUNS'] ?? 400) },
    );
    expect(same).toBeGreaterThan(100 * refused);
  });

  it.each(Object.keys(LONG))('makes the same ids of long texts: %s', async (name) => {
    const ours = await load(LONG[name]);
    const theirs = rustTokenizers!.Tokenizer.fromString(JSON.stringify(LONG[name]));
    for (const text of [
      TRAINING_TEXT.repeat(40),
      TRAINING_TEXT.replaceAll(/\s/g, '').repeat(20),
      'a'.repeat(50_001),
      'ab'.repeat(20_000),
      '語'.repeat(40_000),
      ' \n'.repeat(20_000),
      'e\u0301'.repeat(40_000),
    ]) {
      const hash = (ids: Iterable<number>): string => createHash('sha256').update(Int32Array.from(ids)).digest('hex');
      expect(hash(await ours.encodeAsync(text))).toBe(hash(await rustIds(theirs, text)));
    }
  });
});

it.each(Object.keys(LONG))('gives way on a long text, and stops when asked to: %s', async (name) => {
  const tokenizer = await load(LONG[name]);
  const stop = new AbortController();
  let turns = 0;
  const started = tokenizer.encodeAsync(TRAINING_TEXT.repeat(300), {
    signal: stop.signal,
    onProgress() {
      if (++turns === 3) stop.abort();
    },
  });
  expect((await failureOf(() => started)).code).toBe('cancelled');
});

it('2 000 mutated files of every kind end in an error with a code, or in ids', async () => {
  const rng = new Rng(90);
  const bases = fc.sample(anyTokenizer, { seed: 12, numRuns: 200 });
  const codes = ['checkpoint/tokenizer'] as const;
  for (let i = 0; i < 2000; i++) {
    await failureOrNone(async () => {
      (await load(mutateJson(rng, bases[i % bases.length]))).encode('The river <s> 12 naïve\u0301 語 ﬁ\r\n');
    }, codes);
  }
});

describe('what is refused', () => {
  const model = { type: 'WordLevel', unk_token: '<unk>', vocab: { '<unk>': 0, a: 1 } };
  const charsmap = (precompiled_charsmap: string): object => ({ type: 'Precompiled', precompiled_charsmap });
  const added = { id: 2, single_word: false, lstrip: false, rstrip: false, normalized: true, special: false };
  const nested = (depth: number): object =>
    depth === 0 ? { type: 'NFC' } : { type: 'Sequence', normalizers: [nested(depth - 1)] };

  it.each<[what: string, parts: object, text: string, says: RegExp]>([
    ['a table that is no base64', { normalizer: charsmap('AAA') }, '', /precompiled_charsmap.*base64/],
    ['a table that is cut off', { normalizer: charsmap('AAEAAAAA') }, '', /as long as it says/],
    ['a table that points out of itself', { normalizer: charsmap('BAAAAP///wc=') }, 'a', /whole/],
    [
      'a fixed length of 0',
      { pre_tokenizer: { type: 'FixedLength', length: 0 } },
      '',
      /pre_tokenizer\.length.*at least 1/,
    ],
    [
      'a replacement of two characters',
      { pre_tokenizer: { type: 'Metaspace', replacement: 'ab' } },
      '',
      /one character/,
    ],
    [
      'two spellings that contradict each other',
      { pre_tokenizer: { type: 'Metaspace', replacement: '_', add_prefix_space: false, prepend_scheme: 'first' } },
      '',
      /agrees with add_prefix_space/,
    ],
    ['steps nested beyond reason', { normalizer: nested(200) }, '', /128 levels/],
    ['an unknown word without an unk_token', { model: { ...model, unk_token: 'x' } }, 'b', /the unk_token "x"/],
    ['scores that are none', { model: { type: 'Unigram', vocab: [['a', null]] } }, '', /model\.vocab\[0\]/],
    [
      'an unk_id beyond the vocabulary',
      { model: { type: 'Unigram', unk_id: 1, vocab: [['a', 0]] } },
      '',
      /unk_id.*below 1/,
    ],
    ['an unknown character without an unk_id', { model: { type: 'Unigram', vocab: [['a', 0]] } }, 'ab', /unk_id/],
    ['half a surrogate pair', { model: { ...model, vocab: { '<unk>': 0, '\ud800': 1 } } }, '', /tokens that are text/],
    [
      'an added token of which normalising leaves nothing',
      { normalizer: { type: 'Nmt' }, added_tokens: [{ ...added, content: '\u0001' }] },
      '',
      /"\\u0001", normalised, to be a text of its own/,
    ],
    [
      'two added tokens that normalising makes one',
      {
        normalizer: { type: 'Lowercase' },
        added_tokens: [
          { ...added, content: 'B' },
          { ...added, id: 3, content: 'b' },
        ],
      },
      '',
      /"b", normalised, to be a text of its own/,
    ],
    [
      'something put at the empty start of a text before another step',
      {
        normalizer: {
          type: 'Sequence',
          normalizers: [{ type: 'Replace', pattern: { Regex: '^' }, content: '▁' }, { type: 'NFC' }],
        },
      },
      'a',
      /Replace that is not last/,
    ],
  ])('%s', async (_, parts, text, says) => {
    const failure = await failureOf(async () => (await load({ ...whole, model, ...parts })).encode(text));
    expect(failure).toMatchObject({ code: 'checkpoint/tokenizer', data: { file } });
    expect(failure.message).toMatch(says);
  });
});
