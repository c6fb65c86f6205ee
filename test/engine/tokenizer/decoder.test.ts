import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { TextStream } from '../../../src/engine/tokenizer/textStream.ts';
import { loadTokenizer, type Tokenizer } from '../../../src/engine/tokenizer/tokenizer.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { replaceFile } from '../../support/replaceFile.ts';
import { rustTokenizers } from '../../support/tokenizers/oracle.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-decoder-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Tokens of every kind that a decoder looks at; special ones are added. */
const TOKENS = [
  'The', 'Ġcat', 'Ċ', 'ä½', 'ł', 'å¥½', 'Ã©', 'ĠÐ', '¿', '▁The', '▁cat', '▁', '▁▁', 'x▁y', '##ing', 'ing', 'low</w>', 'er</w>', '</w>',
  '<0xE4>', '<0xBD>', '<0xA0>', '<0x0A>', '<0xFF>', '<0x+F>', '<0xG0>', '<0x41>', "n't", '.', ' .', ' do not', "'s", ' ', '  ', 'é', '語', '😀', ' x ', '\ufeff', '', 'â', 'ľ',
]; // prettier-ignore
const ADDED = ['<s>', '</s>', '<tool é>', '[X]'];

function spec(decoder: unknown): Record<string, unknown> {
  const vocab = Object.fromEntries(TOKENS.map((token, id) => [token, id]));
  const added_tokens = ADDED.map((content, index) => ({
    id: TOKENS.length + index,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: index < 2,
  }));
  const model = { type: 'WordLevel', unk_token: 'The', vocab };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens,
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder,
    model,
  };
}

const metaspace = (prepend_scheme: string) => ({ type: 'Metaspace', replacement: '▁', prepend_scheme, split: true });
const replace = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
const strip = (start: number, stop: number) => ({ type: 'Strip', content: ' ', start, stop });
const sequence = (...decoders: object[]) => ({ type: 'Sequence', decoders });

const DECODERS: Readonly<Record<string, object | null>> = {
  'none': null,
  'ByteLevel (GPT-2, LLaMA-3, Qwen)': { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  'Metaspace always': metaspace('always'),
  'Metaspace first': metaspace('first'),
  'Metaspace never': metaspace('never'),
  'Metaspace of before 2024': { type: 'Metaspace', replacement: '▁', add_prefix_space: true },
  'LLaMA-2': sequence(replace, { type: 'ByteFallback' }, { type: 'Fuse' }, strip(1, 0)),
  'Gemma': sequence(replace, { type: 'ByteFallback' }, { type: 'Fuse' }),
  'a pattern': sequence({ type: 'Replace', pattern: { Regex: '[éx]|▁+' }, content: '$&' }, { type: 'Fuse' }),
  'strip of each': sequence({ type: 'Replace', pattern: { String: 'Ġ' }, content: 'x' }, { type: 'ByteFallback' }, strip(2, 0)),
  'WordPiece (BERT)': { type: 'WordPiece', prefix: '##', cleanup: true },
  'WordPiece without clean-up': { type: 'WordPiece', prefix: '##', cleanup: false },
  'BPEDecoder': { type: 'BPEDecoder', suffix: '</w>' },
}; // prettier-ignore

async function load(decoder: unknown): Promise<Tokenizer> {
  replaceFile(path.join(folder, 'tokenizer.json'), JSON.stringify(spec(decoder)));
  return loadTokenizer(folder);
}

/** Ids beyond the vocabulary among them. */
function anyIds(rng: Rng): number[] {
  return Array.from({ length: rng.integer(12) }, () => rng.integer(TOKENS.length + ADDED.length + 2));
}

describe('decoding', () => {
  it.skipIf(!rustTokenizers).each(Object.keys(DECODERS))(
    'makes the texts of the Rust library (skipped where its npm package brings no binary): %s',
    async (name) => {
      const ours = await load(DECODERS[name]);
      const theirs = rustTokenizers!.Tokenizer.fromString(JSON.stringify(spec(DECODERS[name])));
      const rng = new Rng(61);
      for (let i = 0; i < 200; i++) {
        const ids = anyIds(rng);
        for (const special of [true, false]) {
          const expected = await theirs.decode(ids, !special);
          expect({ ids, text: ours.decode(ids, { special }) }).toEqual({ ids, text: expected });
        }
      }
    },
  );

  it.each<[name: string, tokens: string[], text: string]>([
    ['ByteLevel (GPT-2, LLaMA-3, Qwen)', ['The', 'Ġcat', 'ä½', 'ł'], 'The cat你'],
    ['ByteLevel (GPT-2, LLaMA-3, Qwen)', ['ä½', 'The', '<tool é>', '</s>'], '\ufffdThe<tool é>'],
    ['LLaMA-2', ['▁The', '▁cat', '<0xE4>', '<0xBD>', '<0xA0>', '<0x0A>'], 'The cat你\n'],
    ['LLaMA-2', ['<0xE4>', '<0xBD>', 'ing'], '\ufffd\ufffding'],
    ['Metaspace always', ['▁▁', '▁The', 'x▁y'], ' Thex y'],
    ['Metaspace never', ['▁The', '▁cat'], ' The cat'],
    ['WordPiece (BERT)', ['The', 'cat', '##ing', '.'].filter((token) => token !== 'cat'), 'Theing.'],
    ['BPEDecoder', ['low</w>', 'er</w>'], 'low er'],
    ['none', ['The', 'ing'], 'The ing'],
  ])('%s: %j', async (name, tokens, text) => {
    const tokenizer = await load(DECODERS[name]);
    expect(tokenizer.decode(tokens.map((token) => tokenizer.idOf(token)!))).toBe(text);
  });

  it('refuses what is not reproduced by its name, and only when someone decodes', async () => {
    const tokenizer = await load({ type: 'CTC', pad_token: '<pad>', word_delimiter_token: '|', cleanup: true });
    expect(Array.from(tokenizer.encode('ing'))).toEqual([TOKENS.indexOf('ing')]);
    const failure = await failureOf(() => tokenizer.decode([0]));
    expect(failure).toMatchObject({ code: 'checkpoint/tokenizer' });
    expect(JSON.stringify(failure)).toContain('CTC');
  });
});

test('special tokens stay out of the ids where they are not wanted, but for those in the text', async () => {
  const template = {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { '<s>': { id: '<s>', ids: [TOKENS.length], tokens: ['<s>'] } },
  };
  replaceFile(path.join(folder, 'tokenizer.json'), JSON.stringify({ ...spec(null), post_processor: template }));
  const tokenizer = await loadTokenizer(folder);
  const ids = (special?: boolean): number[] => [
    ...tokenizer.encode('</s>ing', special === undefined ? {} : { special }),
  ];
  expect(ids()).toEqual([TOKENS.length, TOKENS.length + 1, TOKENS.indexOf('ing')]);
  expect(ids(false)).toEqual([TOKENS.length + 1, TOKENS.indexOf('ing')]);
});

describe('a stream of tokens', () => {
  it.each(Object.keys(DECODERS))('gives in parts what decoding gives at once: %s', async (name) => {
    const tokenizer = await load(DECODERS[name]);
    const rng = new Rng(62);
    // Bytes that are no text are given out one by one: only runs of whole characters are the same in parts.
    const wholes = [['ä½', 'ł'], ['å¥½'], ['Ã©'], ['<0xE4>', '<0xBD>', '<0xA0>'], ['<0x41>'], ...TOKENS.filter((token) => /^[\w▁Ġ#'.éĊ語😀< />]+$/u.test(token) && !token.startsWith('<0x') && token !== '').map((token) => [token]), ['<s>'], ['<tool é>']]; // prettier-ignore
    for (let i = 0; i < 200; i++) {
      const pick = (): string[] =>
        Array.from({ length: rng.integer(8) }, () => wholes[rng.integer(wholes.length)]!).flat();
      const [before, after] = [pick(), pick()].map((tokens) =>
        Int32Array.from(tokens, (token) => tokenizer.idOf(token)!),
      );
      const parts = (stream: TextStream): string => Array.from(after!, (id) => stream.push(id)).join('') + stream.end();
      expect(parts(new TextStream(tokenizer))).toBe(tokenizer.decode(after!));
      const context = tokenizer.decode(before!);
      if (before!.length > 0) expect(context + parts(new TextStream(tokenizer, before))).toBe(tokenizer.decode([...before!, ...after!])); // prettier-ignore
    }
  });

  it.each([
    ['LLaMA-2', ['<0xE4>', '<0xBD>', '<0xA0>', '▁cat'], ['', '', '你', ' cat'], ''],
    ['ByteLevel (GPT-2, LLaMA-3, Qwen)', ['The', 'ä½', 'ł', 'ä½'], ['The', '', '你', ''], '\ufffd'],
    ['ByteLevel (GPT-2, LLaMA-3, Qwen)', ['ł', 'ł', 'ł', 'ł', 'The'], ['', '', '', '\ufffd'.repeat(4), 'The'], ''],
  ])('holds a character back until it is whole: %s %j', async (name, tokens, parts, rest) => {
    const tokenizer = await load(DECODERS[name]);
    const stream = new TextStream(tokenizer);
    expect(tokens.map((token) => stream.push(tokenizer.idOf(token)!))).toEqual(parts);
    expect(stream.end()).toBe(rest);
  });
});
