import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SampleOffsets } from '../../../src/engine/corpus/samples.ts';
import type { SampleSettings } from '../../../src/experiment/settings.ts';
import { DEFAULT_ROWS } from '../../../src/experiment/corpusRows.ts';
import { TokenCache, type TokenisedSamples } from '../../../src/engine/forward/tokenCache.ts';
import { readTokenizer, type Tokenizer } from '../../../src/engine/tokenizer/tokenizer.ts';
import { Rng } from '../../../src/base/rng.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { generateText, WORDS } from '../../support/generate/text.ts';
import { tokenizerJson } from '../../support/generate/tokenizer.ts';
import { parquetOf } from '../../support/parquet.ts';
import { hasPython, python } from '../../support/python.ts';

const VOCABULARY = 4096;
const LENGTH = 32;
const SEEDS = Array.from({ length: 20 }, (_, i) => (i < 12 ? i : 1234 * i * i));

/** Most are too short, as C4's are for 2048 tokens; some have the very length. */
const rng = new Rng(3);
const documents = Array.from({ length: 400 }, (_, i) => generateText(i, rng.integer(24)));

let folder: string;
let tokenizer: Tokenizer;
const files: Record<string, string> = {};
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'espalier-samples-'));
  const json = tokenizerJson({ words: WORDS, specials: ['<s>', '</s>'], begin: '<s>' });
  writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(json));
  tokenizer = (await readTokenizer(folder)).compile();
  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(path.join(folder, name), content);
    return path.join(folder, name);
  };
  const rows = documents.map((text, i) => ({ text, url: `https://example.org/${i}` }));
  files['C4'] = write(
    'c4-train.00000-of-01024.json.gz',
    gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
  );
  files['Parquet'] = write('train-00000-of-00001.parquet', parquetOf(rows, { rowGroupSize: 64 }));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function drawn(file: string, settings: Partial<SampleSettings>): Promise<TokenisedSamples> {
  const asked = { samples: 8, length: LENGTH, offsets: 'documents' as SampleOffsets, seed: 0, ...settings };
  return new TokenCache().samples(
    { folder, vocabulary: VOCABULARY },
    { file, rows: { ...DEFAULT_ROWS, join: 'space' } },
    asked,
  );
}

/** By the script below, in Python 3.11. */
const PRINTED = { begins: [6, 2, 5, 0], from: [388, 132, 244, 111] };

/** What get_wikitext2 and get_c4 of Wanda do, and get_c4 of LLM-Pruner, with lists of token ids for a tokenizer. */
const PAPERS = `import random
def joined(ids, samples, length):
    for _ in range(samples):
        i = random.randint(0, len(ids) - length - 1)
        yield ids[i:i + length], i, None
def wanda(documents, samples, length):
    for _ in range(samples):
        while True:
            d = random.randint(0, len(documents) - 1)
            if len(documents[d]) > length:
                break
        i = random.randint(0, len(documents[d]) - length - 1)
        yield documents[d][i:i + length], i, d
def llm_pruner(documents, samples, length):
    history = []
    for _ in range(samples):
        while True:
            d = random.randint(0, len(documents) - 1)
            if len(documents[d]) >= length and d not in history:
                history.append(d)
                break
        i = random.randint(0, len(documents[d]) - length)
        yield documents[d][i:i + length], i, d
ways = {"python": (joined, input["ids"]), "documents": (wanda, input["documents"]), "documents-once": (llm_pruner, input["documents"])}
def run(seed, way):
    draw, ids = ways[way]
    random.seed(seed)
    return [list(sample) for sample in draw(ids, input["samples"], input["length"])]
print(json.dumps([run(seed, input["way"]) for seed in input["seeds"]]))`;

describe('calibration samples', () => {
  const asked = () => ({
    ids: [...tokenizer.encode(documents.join(' '))],
    documents: documents.map((text) => [...tokenizer.encode(text)]),
    ...{ samples: 8, length: LENGTH, seeds: SEEDS },
  });

  it.skipIf(!hasPython).each<[SampleOffsets, string]>([
    ['python', 'C4'],
    ['documents', 'C4'],
    ['documents-once', 'C4'],
    ['documents', 'Parquet'],
  ])(
    '%s of %s are the papers’ (skipped where there is no Python), 20 seeds: tokens, begins and documents',
    async (way, file) => {
      const ours = [];
      for (const seed of SEEDS) {
        const { tokens, begins, documents: from } = await drawn(files[file]!, { offsets: way, seed });
        ours.push(tokens.map((ids, i) => [[...ids], begins[i], from?.[i] ?? null]));
      }
      expect(ours).toEqual(python(PAPERS, { ...asked(), way }));
    },
  );

  it('are those that Python printed for seed 0', async () => {
    const { begins, documents: from, tokens } = await drawn(files['C4']!, { samples: 4 });
    expect({ begins, from }).toEqual(PRINTED);
    expect(tokens.every((ids) => ids.length === LENGTH)).toBe(true);
  });

  it('are of no document twice where they are distinct, down to the last one', async () => {
    const long = documents.filter((text) => tokenizer.encode(text).length >= LENGTH).length;
    const { documents: from } = await drawn(files['C4']!, { offsets: 'documents-once', samples: long });
    expect(new Set(from).size).toBe(long);
    const failure = await failureOf(() => drawn(files['C4']!, { offsets: 'documents-once', samples: long + 1 }));
    expect(failure.data).toMatchObject({ code: 'corpus/too-short', file: files['C4'] });
    expect(failure.data.actual).toMatch(new RegExp(`^${long} among 400 rows`));
  });

  it('are refused where no document is long enough, with the longest', async () => {
    const longest = Math.max(...documents.map((text) => tokenizer.encode(text).length));
    for (const [offsets, length] of [
      ['documents', longest],
      ['documents-once', longest + 1],
    ] as const) {
      const failure = await failureOf(() => drawn(files['C4']!, { offsets, length }));
      expect(failure.data.code).toBe('corpus/too-short');
      expect(failure.data.actual).toBe(`none among 400 rows; the longest has ${longest} tokens`);
    }
    expect((await drawn(files['C4']!, { length: longest - 1, samples: 2 })).begins).toEqual([0, 0]);
  });

  it('are refused of no rows, of a text that is too short, and of one token', async () => {
    const empty = path.join(folder, 'empty');
    writeFileSync(empty, '[]');
    writeFileSync(path.join(folder, 'none'), '');
    const short = path.join(folder, 'short');
    writeFileSync(short, 'a b');
    expect((await failureOf(() => drawn(path.join(folder, 'none'), {}))).code).toBe('corpus/too-short');
    expect((await failureOf(() => drawn(short, { offsets: 'python', length: 4 }))).code).toBe('corpus/too-short');
    expect((await failureOf(() => drawn(short, { length: 1 }))).code).toBe('settings/invalid');
  });

  it('stop when they are asked to, and leave nothing behind', async () => {
    const cacheFolder = mkdtempSync(path.join(folder, 'cache-'));
    const cache = new TokenCache({ cacheFolder });
    const stop = new AbortController();
    const settings = { samples: 8, length: LENGTH, offsets: 'documents', seed: 0 } as const;
    const work = cache.samples(
      { folder, vocabulary: VOCABULARY },
      { file: files['C4']!, rows: DEFAULT_ROWS },
      { ...settings, samples: 5000 },
      {
        signal: stop.signal,
        onProgress: (done, total) => {
          if (total === 5000 && done > 10) stop.abort();
        },
      },
    );
    expect((await failureOf(() => work)).code).toBe('cancelled');
    expect(readdirSync(cacheFolder)).toEqual([]);
  });
});
