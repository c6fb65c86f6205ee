import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../../src/base/rng.ts';
import { GgufWriter } from '../../../../src/engine/export/gguf/ggufWriter.ts';
import type { GgufValue } from '../../../../src/engine/export/gguf/layout.ts';
import { type GgufVocabulary, vocabularyMetadata } from '../../../../src/engine/export/gguf/vocabularyMetadata.ts';
import { compileNormalizer, normalizeNow } from '../../../../src/engine/tokenizer/normalizer.ts';
import { loadTokenizer, type Tokenizer } from '../../../../src/engine/tokenizer/tokenizer.ts';
import { parseTokenizerSpec, type TokenizerSpec } from '../../../../src/engine/tokenizer/tokenizerSpec.ts';
import { LlamaModel, llamaCppMissing } from '../../../support/llamaCpp/llamaModel.ts';
import { replaceFile } from '../../../support/replaceFile.ts';
import { FIXTURES } from '../../../support/tokenizers/fixtures.ts';
import { randomText } from '../../../support/tokenizers/randomText.ts';
import { TRAINING_TEXT } from '../../../support/tokenizers/trainingText.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-vocabulary-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface TokenizerJson {
  readonly added_tokens: readonly object[];
  readonly model: { vocab: Record<string, number>; merges: string[] };
}

const fixture = (name: string): TokenizerJson => FIXTURES[name]!() as TokenizerJson;

/** Merges as transformers derives them from a SentencePiece model: all pairs of tokens that are a token together, the best token first. */
function withAllPairs(spec: TokenizerJson): TokenizerJson {
  const { vocab, merges } = spec.model;
  const merged = [...new Set(merges.map((pair) => pair.replace(' ', '')))];
  const pairs = merged.flatMap((token) => {
    const characters = Array.from(token);
    return characters
      .slice(1)
      .map((_, i) => [characters.slice(0, i + 1).join(''), characters.slice(i + 1).join('')] as const)
      .filter(([left, right]) => left in vocab && right in vocab)
      .sort((a, b) => vocab[a[0]]! - vocab[b[0]]! || vocab[a[1]]! - vocab[b[1]]!)
      .map((pair) => pair.join(' '));
  });
  return { ...spec, model: { ...spec.model, merges: pairs } };
}

interface Loaded {
  readonly ours: Tokenizer;
  readonly spec: TokenizerSpec;
  readonly made: GgufVocabulary | { readonly refused: string };
}

/** @param rows more than there are tokens: some of the embedding have none */
async function load(json: object, rows = 1400): Promise<Loaded> {
  const text = JSON.stringify(json);
  replaceFile(path.join(folder, 'tokenizer.json'), text);
  const ours = await loadTokenizer(folder);
  const spec = parseTokenizerSpec(Buffer.from(text), 'tokenizer.json');
  const ids = { bos: 0, eos: 1, padding: undefined };
  return { ours, spec, made: vocabularyMetadata(spec, { around: ours.around, rows, ids }) };
}

describe.skipIf(llamaCppMissing !== '')(`llama.cpp makes our ids of awkward texts${llamaCppMissing}`, () => {
  /** What our tokenizer does to a text that llama.cpp does not. */
  const composed = (text: string): string => normalizeNow(compileNormalizer({ type: 'NFC' }, 'tokenizer.json'), text);
  const LLAMA2 = 'LLaMA-1, LLaMA-2, Vicuna, Mistral';

  it.each<[string, object, ((text: string) => string)?]>([
    ...['GPT-2', 'OPT, with a start token', 'LLaMA-3', 'Tekken (Mistral NeMo)', 'digits one by one'].map(
      (name): [string, object] => [name, fixture(name)],
    ),
    [
      'LLaMA-3 without whole words',
      { ...fixture('LLaMA-3'), model: { ...fixture('LLaMA-3').model, ignore_merges: false } },
    ],
    ['Qwen2 and Qwen3', fixture('Qwen2 and Qwen3'), composed],
    [LLAMA2, withAllPairs(fixture(LLAMA2))],
    ['merges across spaces', withAllPairs(fixture('SentencePiece with merges across spaces'))],
  ])('%s', async (name, json, prepare = (text) => text) => {
    const { ours, spec, made } = await load(json);
    if ('refused' in made) expect.fail(made.refused);
    const file = path.join(folder, `${name}.gguf`);
    const architecture: readonly [string, GgufValue] = ['general.architecture', { kind: 'string', value: 'llama' }];
    new GgufWriter(file, new Map([architecture, ...made.entries]), []).finish();
    const theirs = await LlamaModel.open(file, 'vocabulary');
    const rng = new Rng(5);
    const added = spec.added_tokens.map(({ content }) => content);
    const texts = [TRAINING_TEXT, ...Array.from({ length: 60 }, () => randomText(rng, added))];
    for (const text of texts)
      expect([...theirs.tokenise(prepare(text))], JSON.stringify(text)).toEqual([...ours.encode(text)]);
    theirs.close();
  });
});

describe('a tokenizer of which llama.cpp would make another is refused', () => {
  it.each([
    ['byte level with a space in front', 'cuts words'],
    ['digits together', 'cuts words'],
    ['bytes that are missing', 'no token for some of the bytes'],
    ['NFD', 'changes a text'],
    ['added tokens of all kinds', 'takes in spaces'],
    ['Metaspace of old files', 'treats spaces'],
    ['LLaMA-1, LLaMA-2, Vicuna, Mistral', 'but they are not merged'],
    ['unknown characters fused', 'no token for some of the bytes'],
  ])('%s', async (name, why) => {
    const { made } = await load(fixture(name));
    expect('refused' in made && made.refused).toContain(why);
  });

  it('with more tokens than the embedding has rows', async () => {
    const { made } = await load(fixture('GPT-2'), 300);
    expect('refused' in made && made.refused).toContain('300 rows');
  });
});
