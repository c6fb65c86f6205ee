import os from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { throwIfCancelled } from '../../src/base/errors.ts';
import { parseConfig } from '../../src/engine/checkpoint/readConfig.ts';
import { Device } from '../../src/engine/runtime/device.ts';
import { loadTokenizer } from '../../src/engine/tokenizer/tokenizer.ts';
import { tokenizerJson, trainBytePairs } from './training/trainBytePairs.ts';
import { type StepReport, Trainer } from './training/trainer.ts';
import { writeCorpus } from './corpus.ts';
import { METRICS_FILE } from './metricsFile.ts';
import { README } from './readme.ts';
import type { SampleRecipe } from './recipe.ts';
import { unigramPerplexity } from './unigram.ts';
import { writeFiles, writeWeights } from './writeSample.ts';

export type SampleEvent =
  | {
      readonly event: 'corpus';
      readonly stories: number;
      /** Tokens of the three texts. */
      readonly trainTokens: number;
      readonly calibrationTokens: number;
      readonly testTokens: number;
      readonly vocabulary: number;
      /** Of the test text. */
      readonly unigramPerplexity: number;
    }
  | (StepReport & {
      readonly event: 'step';
      readonly steps: number;
      readonly tokensPerSecond: number;
      readonly secondsLeft: number;
    })
  /** The weights as they are have been written. */
  | { readonly event: 'saved'; readonly step: number };

export interface TrainSampleHooks {
  readonly signal: AbortSignal;
  readonly onEvent: (event: SampleEvent) => void;
  /** Seconds, from any start. */
  readonly now: () => number;
}

/** Updates between two times that the weights are written: what is there when training is stopped can be used. */
const SAVED_EVERY = 200;

/**
 * Makes the sample from its recipe: stories, tokenizer, model, metrics.prune and README.md in `folder`. Corpus and tokenizer are the same
 * bit for bit everywhere; weights are on one kind of processor.
 *
 * @param threads of the CPU; 0 takes every core
 * @throws EspalierError `cancelled` (the weights of the last time that they were written stay), `io/write`, `device/failed`
 */
export async function trainSample(
  folder: string,
  recipe: SampleRecipe,
  threads: number,
  { signal, onEvent, now }: TrainSampleHooks,
): Promise<void> {
  throwIfCancelled(signal, 'training the sample');
  const corpus = writeCorpus(recipe.seed, recipe.sizes);
  const tokenizer = trainBytePairs(corpus.train.slice(0, recipe.tokenizerBytes), recipe.vocabulary);
  const vocabulary = tokenizer.vocabulary.length;
  const config = { ...recipe.config, vocab_size: vocabulary };
  throwIfCancelled(signal, 'training the sample');
  await writeFiles(folder, {
    'config.json': config,
    'tokenizer.json': tokenizerJson(tokenizer),
    'calibration.txt': corpus.calibration,
    'test.txt': corpus.test,
    'metrics.prune': METRICS_FILE,
    'README.md': README,
  });

  const loaded = await loadTokenizer(folder);
  const encode = (text: string): Promise<Int32Array> => loaded.encodeAsync(text, { signal });
  const ids = await encode(corpus.train);
  const test = await encode(corpus.test);
  onEvent({
    event: 'corpus',
    stories: corpus.stories,
    trainTokens: ids.length,
    calibrationTokens: (await encode(corpus.calibration)).length,
    testTokens: test.length,
    vocabulary,
    unigramPerplexity: unigramPerplexity(test, ids, vocabulary),
  });

  const settings = { ...recipe.training, seed: recipe.seed };
  const device = new Device({ name: 'cpu', precision: 'float32', threads: threads || os.availableParallelism() });
  const trainer = await Trainer.create(parseConfig(config, 'config.json'), device, ids, settings);
  try {
    const begin = now();
    for (let step = 1; step <= settings.steps; step++) {
      throwIfCancelled(signal, 'training the sample');
      const report = await trainer.advance();
      const seconds = now() - begin;
      const tokensPerSecond = (step * settings.batch * settings.length) / seconds;
      const secondsLeft = ((settings.steps - step) * seconds) / step;
      onEvent({ event: 'step', ...report, steps: settings.steps, tokensPerSecond, secondsLeft });
      if (step % SAVED_EVERY === 0 || step === settings.steps) {
        await writeWeights(folder, await trainer.weights());
        onEvent({ event: 'saved', step });
      }
      await setImmediate();
    }
  } finally {
    trainer.dispose();
    await device.dispose();
  }
}
