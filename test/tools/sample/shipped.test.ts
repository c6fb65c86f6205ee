import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer.ts';
import { tokenizerJson, trainBytePairs } from '../../../tools/sample/training/trainBytePairs.ts';
import { BASELINES } from '../../../src/search/metrics/baselines.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { writeCorpus } from '../../../tools/sample/corpus.ts';
import { METRICS_FILE } from '../../../tools/sample/metricsFile.ts';
import { README } from '../../../tools/sample/readme.ts';
import { SHIPPED } from '../../../tools/sample/recipe.ts';
import { unigramPerplexity } from '../../../tools/sample/unigram.ts';
import { rustIds, rustTokenizers } from '../../support/tokenizers/oracle.ts';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../media/sample');
const read = (file: string): string => readFileSync(path.join(folder, file), 'utf8');

// As much to train on as the tokenizer is learned from: the texts before it are the same however much follows.
const corpus = writeCorpus(SHIPPED.seed, { ...SHIPPED.sizes, train: SHIPPED.tokenizerBytes });
const tokenizer = trainBytePairs(corpus.train.slice(0, SHIPPED.tokenizerBytes), SHIPPED.vocabulary);

describe('media/sample', () => {
  it('has its files, in less than 4 MB', () => {
    const files = readdirSync(folder);
    expect(files.sort()).toEqual(
      'README.md calibration.txt config.json metrics.prune model.safetensors test.txt tokenizer.json'.split(' '),
    );
    const bytes = files.reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0);
    expect(bytes).toBeLessThan(4e6);
  });

  it.each([
    ['test.txt', corpus.test],
    ['calibration.txt', corpus.calibration],
    ['metrics.prune', METRICS_FILE],
    ['README.md', README],
    ['tokenizer.json', `${JSON.stringify(tokenizerJson(tokenizer), undefined, 1)}\n`],
    ['config.json', `${JSON.stringify({ ...SHIPPED.config, vocab_size: SHIPPED.vocabulary }, undefined, 1)}\n`],
  ])('%s is what the command writes, bit for bit', (file, content) => {
    // No diff of a megabyte when it is not.
    expect(read(file) === content).toBe(true);
  });

  it('has about a million parameters, all in bfloat16', async () => {
    const checkpoint = await openCheckpoint(folder);
    const sizes = [...checkpoint.tensors.values()].map(({ shape }) => shape.reduce((a, b) => a * b));
    expect(sizes.reduce((a, b) => a + b)).toBeGreaterThan(0.8e6);
    expect(sizes.reduce((a, b) => a + b)).toBeLessThan(1.2e6);
    expect(new Set([...checkpoint.tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(['BF16']));
    checkpoint.close();
  });

  it.skipIf(!rustTokenizers)(
    'is tokenised as the Rust library does (skipped where its package has no binary)',
    async () => {
      const [ours, theirs] = [
        await loadTokenizer(folder),
        rustTokenizers!.Tokenizer.fromString(read('tokenizer.json')),
      ];
      const ids = Int32Array.from(await rustIds(theirs, corpus.test));
      expect(Buffer.from(ours.encode(corpus.test).buffer)).toEqual(Buffer.from(ids.buffer));
    },
  );

  it('has learned its stories, and is hurt by pruning: more by some metrics than by others', async () => {
    const ids = (await loadTokenizer(folder)).encode(corpus.test);
    const unigram = unigramPerplexity(ids, ids, SHIPPED.vocabulary);
    expect(unigram).toBeGreaterThan(150);

    const engine = createEngine();
    const settings = { ...DEFAULT_SETTINGS, device: 'cpu', length: 256, blocks: 8, samples: 4 } as const;
    const results = await engine.evaluate({
      model: folder,
      text: path.join(folder, 'test.txt'),
      calibration: path.join(folder, 'calibration.txt'),
      evaluations: BASELINES.map((baseline) => ({ ...baseline, sparsity: { kind: 'unstructured', share: 0.5 } })),
      settings,
    });
    await engine.dispose();
    const pruned = Object.fromEntries(results.map(({ metric, perplexity }) => [metric, perplexity]));
    const dense = results[0]!.densePerplexity;
    expect(dense).toBeLessThan(2.5);
    expect(pruned['magnitude']! / dense).toBeGreaterThan(1.25);
    expect(pruned['wanda']! / dense).toBeGreaterThan(1.08);
    expect(pruned['magnitude']! / pruned['wanda']!).toBeGreaterThan(1.1);
  });
});
