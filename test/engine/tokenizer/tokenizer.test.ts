import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCorpus } from '../../support/loadCorpus.ts';
import { loadTokenizer, readTokenizer } from '../../../src/engine/tokenizer/tokenizer.ts';
import { Rng } from '../../../src/base/rng.ts';
import { failureOf, failureOrNone } from '../../support/expectCoded.ts';
import { mutateBytes, mutateJson, pick } from '../../support/mutate.ts';
import { replaceFile } from '../../support/replaceFile.ts';
import { FIXTURES } from '../../support/tokenizers/fixtures.ts';
import { rustIds, rustTokenizers } from '../../support/tokenizers/oracle.ts';
import { randomText } from '../../support/tokenizers/randomText.ts';
import { TRAINING_TEXT } from '../../support/tokenizers/trainingText.ts';
import type { Tokenizer, TokenizerOptions } from '../../../src/engine/tokenizer/tokenizer.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-tokenizer-'));
const file = path.join(folder, 'tokenizer.json');
const configFile = path.join(folder, 'tokenizer_config.json');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const LLAMA2 = 'LLaMA-1, LLaMA-2, Vicuna, Mistral';

interface TokenizerJson {
  added_tokens: { content: string; id: number }[];
  model: { vocab: Record<string, number>; merges: string[]; type?: string };
}

/** Training takes a while: every fixture is made once, and handed out as a copy. */
const made = new Map<string, string>();
function fixture(name: string): TokenizerJson {
  const json = made.get(name) ?? JSON.stringify(FIXTURES[name]!());
  made.set(name, json);
  return JSON.parse(json) as TokenizerJson;
}

async function load(spec: unknown, options?: TokenizerOptions): Promise<Tokenizer> {
  replaceFile(file, spec instanceof Uint8Array ? spec : JSON.stringify(spec));
  return loadTokenizer(folder, options);
}

const shared = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../../shared');
const sharedModel = path.join(shared, 'models/wikitext-llama-6m');
const sharedText = path.join(shared, 'data/wikitext-2/wiki.test.raw');
const hasShared = existsSync(sharedModel) && existsSync(sharedText);

describe.skipIf(!rustTokenizers)('the Rust library (skipped where its npm package brings no binary)', () => {
  const rust = (spec: unknown): ReturnType<NonNullable<typeof rustTokenizers>['Tokenizer']['fromString']> =>
    rustTokenizers!.Tokenizer.fromString(JSON.stringify(spec));

  it.each(Object.keys(FIXTURES))('makes the same ids of 150 awkward texts: %s', async (name) => {
    const spec = fixture(name);
    const ours = await load(spec);
    const theirs = rust(spec);
    const added = spec.added_tokens.map(({ content }) => content);
    const rng = new Rng(60);
    for (let i = 0; i < 150; i++) {
      const text = randomText(rng, added);
      const ids = Array.from(ours.encode(text));
      const expected = await rustIds(theirs, text);
      if (ids.join() !== expected.join()) expect({ text, ids }).toEqual({ text, ids: expected });
    }
  });

  it.each(['GPT-2', 'Qwen2 and Qwen3', LLAMA2, 'SentencePiece with merges across spaces', 'bytes without words'])(
    'makes the same ids of long runs and whole texts: %s',
    async (name) => {
      const spec = fixture(name);
      const ours = await load(spec);
      const theirs = rust(spec);
      const texts = [
        TRAINING_TEXT.repeat(20),
        TRAINING_TEXT.replaceAll(/\s/g, '').repeat(10),
        ' '.repeat(10_001),
        'a'.repeat(10_001),
        'ab'.repeat(5000),
        '\n \n'.repeat(3000),
        '1'.repeat(10_001),
        '語'.repeat(5000),
        '😀'.repeat(5000),
        `${'the '.repeat(5000)}<s>${' '.repeat(40)}x`,
      ];
      for (const text of texts) {
        const ids = ours.encode(text);
        const expected = await rustIds(theirs, text);
        expect(createHash('sha256').update(ids).digest('hex')).toBe(
          createHash('sha256').update(Int32Array.from(expected)).digest('hex'),
        );
      }
    },
  );

  /** Whatever mutated file is accepted gives the ids that the Rust library makes with it. */
  it('agrees about 1 500 mutated files, where they are not refused', async () => {
    const rng = new Rng(70);
    const bases = Object.keys(FIXTURES).map(fixture);
    let [accepted, refused] = [0, 0];
    for (let i = 0; i < 1500; i++) {
      const spec = mutateJson(rng, pick(rng, bases));
      let ours: Tokenizer | undefined;
      const failure = await failureOrNone(async () => (ours = await load(spec)), ['checkpoint/tokenizer']);
      if (failure) {
        refused++;
        continue;
      }
      accepted++;
      const theirs = await loadRust(rust, spec);
      // It is stricter about parts that decide no ids.
      if (!theirs) continue;
      const added = (spec as { added_tokens?: { content: string }[] }).added_tokens ?? [];
      const text = randomText(
        rng,
        added.map(({ content }) => content),
      );
      const expected = await rustIds(theirs, text).catch(() => undefined);
      if (expected) expect({ text, ids: Array.from(ours!.encode(text)) }).toEqual({ text, ids: expected });
    }
    expect(accepted).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(300);
  });

  it.skipIf(!hasShared)('makes the same ids of WikiText-2 (skipped without ../shared)', async () => {
    const { text } = await loadCorpus(sharedText);
    const theirs = rust(JSON.parse(readFileSync(path.join(sharedModel, 'tokenizer.json'), 'utf8')));
    const ids = (await loadTokenizer(sharedModel)).encode(text);
    expect(ids).toHaveLength(372_682);
    expect(
      Buffer.compare(Buffer.from(ids.buffer), Buffer.from(Int32Array.from(await rustIds(theirs, text)).buffer)),
    ).toBe(0);
  });
});

/** Undefined where the Rust library refuses the file, or truncates and pads, which Hugging Face turns off. */
async function loadRust<Rust>(rust: (spec: unknown) => Rust, spec: unknown): Promise<Rust | undefined> {
  const { truncation, padding } = spec as { truncation?: unknown; padding?: unknown };
  if ((truncation ?? null) !== null || (padding ?? null) !== null) return undefined;
  await Promise.resolve();
  try {
    return rust(spec);
  } catch {
    return undefined;
  }
}

const python = ['/usr/bin/python3', 'python3'].find((command) => {
  try {
    execFileSync(command, ['-c', 'import numpy, regex, torch'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

it.skipIf(!hasShared || !python)(
  'the reference implementation makes the same ids (skipped without ../shared or its Python)',
  async () => {
    const script = `
import sys, hashlib, array; sys.path.insert(0, sys.argv[1] + '/peer')
sys.dont_write_bytecode = True
from reference import Tokenizer
ids = Tokenizer(sys.argv[2] + '/tokenizer.json').encode(open(sys.argv[3], encoding='utf8').read())
print(len(ids), hashlib.sha256(array.array('i', ids).tobytes()).hexdigest())`;
    const expected = execFileSync(python!, ['-B', '-c', script, shared, sharedModel, sharedText]).toString().trim();
    const ids = (await loadTokenizer(sharedModel)).encode((await loadCorpus(sharedText)).text);
    expect(`${ids.length} ${createHash('sha256').update(ids).digest('hex')}`).toBe(expected);
  },
);

describe('encoding', () => {
  it('in pieces gives the same as at once, tells how far it is, and stops when asked to', async () => {
    for (const name of ['LLaMA-3', LLAMA2]) {
      const tokenizer = await load(fixture(name));
      const text = TRAINING_TEXT.repeat(60);
      const seen: number[] = [];
      const ids = await tokenizer.encodeAsync(text, { onProgress: (done, total) => seen.push(done / total) });
      expect(Buffer.compare(Buffer.from(ids.buffer), Buffer.from(tokenizer.encode(text).buffer))).toBe(0);
      expect(seen.length).toBeGreaterThan(1);
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      expect(seen.every((share) => share > 0 && share <= 1)).toBe(true);
      const stop = new AbortController();
      const started = tokenizer.encodeAsync(text, {
        signal: stop.signal,
        onProgress: () => {
          stop.abort();
        },
      });
      expect(await failureOf(() => started)).toMatchObject({ code: 'cancelled' });
    }
  });

  it('counts a lone surrogate as the replacement character', async () => {
    const tokenizer = await load(fixture('GPT-2'));
    expect(tokenizer.encode('a\ud800b\udc00')).toEqual(tokenizer.encode('a\ufffdb\ufffd'));
    expect(tokenizer.encode('a\ud83d\ude00')).not.toEqual(tokenizer.encode('a\ufffd'));
  });

  it('makes of no text the special tokens alone', async () => {
    expect(await load(fixture('GPT-2')).then((tokenizer) => tokenizer.encode(''))).toHaveLength(0);
    expect(Array.from(await load(fixture(LLAMA2)).then((tokenizer) => tokenizer.encode('')))).toEqual([1]);
  });

  it('takes a word of eight million characters, and refuses a longer one', async () => {
    const tokenizer = await load(fixture('GPT-2'));
    expect(tokenizer.encode('x'.repeat(3_000_000))).toHaveLength(3_000_000);
    const wordless = await load(fixture('bytes without words'));
    const failure = await failureOf(() => wordless.encode(' '.repeat(8_500_000)));
    expect(failure).toMatchObject({ code: 'checkpoint/tokenizer', data: { file } });
    expect(failure.message).toMatch(
      /8499999 characters without a place to cut|8500000 characters without a place to cut/,
    );
  });

  it('of a word that takes long gives way, and stops when asked to', async () => {
    const tokenizer = await load(fixture('GPT-2'));
    const stop = new AbortController();
    setImmediate(() => {
      stop.abort();
    });
    const failure = await failureOf(() => tokenizer.encodeAsync(' '.repeat(400_000), { signal: stop.signal }));
    expect(failure.code).toBe('cancelled');
  });
});

describe('start and end', () => {
  const withConfig = async (name: string, config: object): Promise<number[]> => {
    replaceFile(configFile, JSON.stringify(config));
    try {
      return Array.from((await load(fixture(name))).encode('a'));
    } finally {
      rmSync(configFile);
    }
  };

  it('are as tokenizer_config.json says, where it says so', async () => {
    const bos = { bos_token: '<s>', eos_token: { content: '</s>', lstrip: false } };
    const ids = Array.from((await load(fixture(LLAMA2))).encode('a')).slice(1);
    expect(await withConfig(LLAMA2, bos)).toEqual([1, ...ids]);
    expect(await withConfig(LLAMA2, { ...bos, add_bos_token: true, add_eos_token: false })).toEqual([1, ...ids]);
    expect(await withConfig(LLAMA2, { ...bos, add_bos_token: false })).toEqual(ids);
    expect(await withConfig(LLAMA2, { ...bos, add_eos_token: true })).toEqual([1, ...ids, 2]);
    expect(await withConfig(LLAMA2, { add_bos_token: true, add_eos_token: true })).toEqual(ids);
    // A tokenizer.json without a post-processor, which the configuration gives one.
    const plain = Array.from((await load(fixture('unknown characters fused'))).encode('a'));
    expect(await withConfig('unknown characters fused', { ...bos, add_bos_token: true })).toEqual([1, ...plain]);
  });

  it('enter the identity, and nothing else of that file does', async () => {
    const plain = await load(fixture(LLAMA2));
    const identityWith = async (config: object): Promise<string> => {
      replaceFile(configFile, JSON.stringify(config));
      const { identity } = await loadTokenizer(folder);
      rmSync(configFile);
      return identity;
    };
    expect(plain.identity).toBe(createHash('sha256').update(readFileSync(file)).digest('hex'));
    expect(await identityWith({ bos_token: '<s>', chat_template: 'x', model_max_length: 5 })).toBe(plain.identity);
    const different = [
      { add_bos_token: true, bos_token: '<s>' },
      { add_bos_token: true, bos_token: '</s>' },
      { add_bos_token: false, bos_token: '<s>' },
      { add_eos_token: true, eos_token: '</s>' },
    ];
    const identities = await different.reduce<Promise<string[]>>(
      async (found, config) => [...(await found), await identityWith(config)],
      Promise.resolve([plain.identity]),
    );
    expect(new Set(identities).size).toBe(5);
    // Without such a token, none is put there, whatever its name would be.
    expect(await identityWith({ add_bos_token: false })).toBe(identities[3]);
  });

  it('enter it before anything is compiled, so that what was tokenised before is found at once', async () => {
    const { identity } = await load(fixture(LLAMA2));
    expect((await readTokenizer(folder)).identity).toBe(identity);
    replaceFile(file, '{}');
    const read = await readTokenizer(folder);
    expect(read.identity).toBe(createHash('sha256').update('{}').digest('hex'));
    expect((await failureOf(() => read.compile())).code).toBe('checkpoint/tokenizer');
  });

  it('must be tokens of the tokenizer', async () => {
    const failure = await failureOf(() => withConfig(LLAMA2, { add_bos_token: true, bos_token: '<begin>' }));
    expect(failure).toMatchObject({ code: 'checkpoint/tokenizer', data: { file: configFile } });
    expect(failure.message).toMatch(/bos_token <begin>/);
    expect((await failureOf(() => withConfig(LLAMA2, { add_bos_token: 1 }))).message).toMatch(
      /add_bos_token.*true or false/,
    );
  });
});

describe('what is refused', () => {
  it.each<[what: string, change: (spec: TokenizerJson) => unknown, says: RegExp]>([
    ['another kind of model', (spec) => ({ ...spec, model: { ...spec.model, type: 'Trigram' } }), /model\.type/],
    ['random merges', (spec) => ({ ...spec, model: { ...spec.model, dropout: 0.1 } }), /model\.dropout/],
    [
      'merges without the prefix of a subword',
      (spec) => ({ ...spec, model: { ...spec.model, continuing_subword_prefix: '##' } }),
      /right part of merge 0 to begin with "##"/,
    ],
    [
      'a normaliser that is not reproduced',
      (spec) => ({ ...spec, normalizer: { type: 'Sequence', normalizers: [{ type: 'Titlecase' }] } }),
      /normalizer\.normalizers\.0\.type/,
    ],
    [
      'a pre-tokenizer that is not reproduced',
      (spec) => ({ ...spec, pre_tokenizer: { type: 'Sentences' } }),
      /pre_tokenizer\.type/,
    ],
    [
      'an id that is no number',
      (spec) => edit(spec, (model) => (model.vocab['a'] = '5' as unknown as number)),
      /id for the token "a".*"5"/,
    ],
    ['an id that two tokens have', (spec) => edit(spec, (model) => (model.vocab['a'] = model.vocab['b']!)), /alone/],
    [
      'a merge of tokens that are not there',
      (spec) => edit(spec, (model) => model.merges.push('a zzz')),
      /merge \d+ in the vocabulary.*"zzz"/,
    ],
    [
      'a merge into a token that is not there',
      (spec) => edit(spec, (model) => model.merges.push('a x q')),
      /merge \d+ to be two/,
    ],
    [
      'an added token with another id',
      (spec) => ({ ...spec, added_tokens: spec.added_tokens.map((token) => ({ ...token, id: token.id + 1 })) }),
      /added token "<\|endoftext\|>".*id/,
    ],
    [
      'an added token twice',
      (spec) => ({
        ...spec,
        added_tokens: [spec.added_tokens[0], { ...spec.added_tokens[0], id: spec.added_tokens[0]!.id + 1 }],
      }),
      /twice|to have the id/,
    ],
    ['a pattern that is no pattern', (spec) => ({ ...spec, pre_tokenizer: split('(') }), /reproduced to the byte/],
    ['a back-reference', (spec) => ({ ...spec, pre_tokenizer: split(String.raw`(a)\1`) }), /\\1 is not reproduced/],
    ['a pattern that folds case', (spec) => ({ ...spec, pre_tokenizer: split('(?i)straße') }), /\(\?i\)/],
    [
      'a template without a text',
      (spec) => ({ ...spec, post_processor: { type: 'TemplateProcessing', single: [], special_tokens: {} } }),
      /template/,
    ],
    ['a version to come', (spec) => ({ ...spec, version: '2.0' }), /version/],
    ['a list', () => [], /the file/],
    ['bytes that are not JSON', () => new TextEncoder().encode('{"model":'), /JSON/],
    ['no bytes', () => new Uint8Array(), /an empty file/],
  ])('%s', async (_, change, says) => {
    const failure = await failureOf(() => load(change(fixture('GPT-2'))));
    expect(failure).toMatchObject({ code: 'checkpoint/tokenizer', data: { file } });
    expect(failure.message).toMatch(says);
  });

  it("another model's tokenizer, once a text shows it", async () => {
    const tokenizer = await load(fixture('GPT-2'), { vocabulary: 100 });
    expect(tokenizer.encode('Abc')).toHaveLength(3);
    const failure = await failureOf(() => tokenizer.encode('the river and the government'));
    expect(failure.message).toMatch(
      /ids below 100, the vocab_size.*got id \d{3} \(the tokenizer has 557\).*not the one of this checkpoint/,
    );
    expect((await failureOf(() => tokenizer.encodeAsync('the river'))).code).toBe('checkpoint/tokenizer');
  });

  it('a folder without one, with what to do', async () => {
    rmSync(file, { force: true });
    expect((await failureOf(() => loadTokenizer(folder))).message).toMatch(/no such file.*Download tokenizer\.json/);
    replaceFile(path.join(folder, 'tokenizer.model'), 'x');
    expect((await failureOf(() => loadTokenizer(folder))).message).toMatch(
      /tokenizer\.model.*AutoTokenizer.*save_pretrained/,
    );
    rmSync(path.join(folder, 'tokenizer.model'));
    replaceFile(path.join(folder, 'vocab.json'), '{}');
    replaceFile(path.join(folder, 'merges.txt'), '');
    expect((await failureOf(() => loadTokenizer(folder))).message).toMatch(
      /vocab\.json and merges\.txt.*AutoTokenizer/,
    );
  });

  it('3 000 damaged files, or they load', async () => {
    const rng = new Rng(80);
    const wholes = ['GPT-2', LLAMA2, 'LLaMA-3'].map((name) => new TextEncoder().encode(JSON.stringify(fixture(name))));
    for (let i = 0; i < 3000; i++) {
      await failureOrNone(async () => {
        (await load(mutateBytes(rng, pick(rng, wholes)))).encode('The river <s> 12');
      }, ['checkpoint/tokenizer']);
    }
  });
});

function edit(spec: TokenizerJson, change: (model: TokenizerJson['model']) => unknown): TokenizerJson {
  change(spec.model);
  return spec;
}

function split(pattern: string): object {
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
}
