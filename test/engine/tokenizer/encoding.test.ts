import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { loadTokenizer, type Tokenizer } from '../../../src/engine/tokenizer/tokenizer.ts';
import { failureOf, failureOrNone } from '../../support/expectCoded.ts';
import { replaceFile } from '../../support/replaceFile.ts';
import { anyText, anyTokenizer } from '../../support/tokenizers/anyTokenizer.ts';
import { FIXTURES } from '../../support/tokenizers/fixtures.ts';
import { randomText } from '../../support/tokenizers/randomText.ts';
import { TRAINING_TEXT } from '../../support/tokenizers/trainingText.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-encoding-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function load(spec: unknown): Promise<Tokenizer> {
  replaceFile(path.join(folder, 'tokenizer.json'), JSON.stringify(spec));
  return loadTokenizer(folder);
}

/** Asks for more and more, as far as shares of the whole go, and compares with what the whole text begins with. */
async function expectBeginnings(tokenizer: Tokenizer, text: string, shares: readonly number[]): Promise<void> {
  const whole = tokenizer.encode(text);
  const encoding = tokenizer.encoding(text);
  for (const share of shares) {
    const count = Math.round(share * (whole.length + 2));
    const ids = Array.from(await encoding.first(count));
    expect({ text, count, ids }).toEqual({ text, count, ids: Array.from(whole.subarray(0, count)) });
  }
  expect(await encoding.first(Infinity)).toEqual(whole);
  expect(encoding.isWhole).toBe(true);
}

/** Training takes a while: every fixture is made once. */
const made = new Map<string, object>();
function fixture(name: string): { readonly added_tokens: readonly { readonly content: string }[] } {
  if (!made.has(name)) made.set(name, FIXTURES[name]!());
  return made.get(name) as ReturnType<typeof fixture>;
}

const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 });

describe('the first ids of a text are those of the whole', () => {
  it('with any combination of parts, on any text', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        anyTokenizer,
        fc.array(anyText, { minLength: 2, maxLength: 6 }),
        shares,
        async (spec, texts, at) => {
          await failureOrNone(async () => {
            const tokenizer = await load(spec);
            for (const text of [...texts, texts.join(' ').repeat(20)]) await expectBeginnings(tokenizer, text, at);
            compared++;
          }, ['checkpoint/tokenizer']);
        },
      ),
      { seed: Number(process.env['SEED'] ?? 21), numRuns: Number(process.env['RUNS'] ?? 200) },
    );
    expect(compared).toBeGreaterThan(100);
  });

  it.each(Object.keys(FIXTURES))('with added tokens in it, and on awkward texts: %s', async (name) => {
    const spec = fixture(name);
    const tokenizer = await load(spec);
    const added = spec.added_tokens.map(({ content }) => content);
    const rng = new Rng(5);
    for (let i = 0; i < 20; i++) {
      const text = Array.from({ length: 1 + rng.integer(20) }, () => randomText(rng, added)).join('');
      await expectBeginnings(tokenizer, text, [rng.integer(1000) / 1000, rng.integer(1000) / 1000, 0]);
    }
  });

  it.each(Object.keys(FIXTURES))('whatever follows: %s', async (name) => {
    const tokenizer = await load(fixture(name));
    const text = TRAINING_TEXT.repeat(3);
    await expectBeginnings(tokenizer, text, [1e-3, 0.01, 0.1, 0.5, 0.99]);
    await expectBeginnings(tokenizer, text.replaceAll(/\s/g, ''), [0.01, 0.5]);
    await expectBeginnings(tokenizer, 'a'.repeat(9000), [0.01, 0.5]);
  });
});

/** A character without a token, at the end of a long text: who comes that far fails. */
const ENDLESS = `${'the river '.repeat(50_000)}\u{10ffff}`;
const WITHOUT_UNKNOWN = {
  ...{ version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null },
  ...{ post_processor: null, decoder: null },
  ...{ pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: true } },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: { the: 0, '▁the': 1, '▁river': 2, '▁': 3 },
  },
};

describe('ids that nobody asks for', () => {
  it('are not made', async () => {
    const encoding = (await load(WITHOUT_UNKNOWN)).encoding(ENDLESS);
    expect(Array.from(await encoding.first(5))).toEqual([0, 2, 1, 2, 1]);
    expect(encoding.isWhole).toBe(false);
    const failure = await failureOf(() => encoding.first(Infinity));
    expect(failure.code).toBe('checkpoint/tokenizer');
    // What has failed does not end as if it were whole.
    expect(await failureOf(() => encoding.first(Infinity))).toBe(failure);
  });

  it('are made later, where that was stopped', async () => {
    const tokenizer = await load(fixture('LLaMA-3'));
    const text = TRAINING_TEXT.repeat(60);
    const encoding = tokenizer.encoding(text);
    const stop = new AbortController();
    const started = encoding.first(Infinity, {
      signal: stop.signal,
      onProgress: () => {
        stop.abort();
      },
    });
    expect((await failureOf(() => started)).code).toBe('cancelled');
    expect(encoding.isWhole).toBe(false);
    expect(await encoding.first(Infinity)).toEqual(tokenizer.encode(text));
  });
});
