import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: this file is bundled to dist/bench.cjs. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

const SHARED = join(ROOT, '../shared');

/** The reference checkpoint, its texts and the peer's program, beside the checkout. */
export const SHARED_FILES = {
  model: join(SHARED, 'models/wikitext-llama-6m'),
  text: join(SHARED, 'data/wikitext-2/wiki.test.raw'),
  calibration: join(SHARED, 'data/wikitext-2/valid.txt'),
  peer: join(SHARED, 'peer/reference.py'),
} as const;

/** What the benchmarks of the reference checkpoint share. */
export const LENGTH = 256;
export const BLOCKS = 64;
export const SAMPLES = 16;

export type JobName = 'dense' | 'wanda' | 'operands';

/** What is done, the same for both sides. */
export interface Work {
  readonly job: JobName;
  /** Folder. */
  readonly model: string;
  readonly text: string;
  readonly calibration: string;
  readonly length: number;
  readonly blocks: number;
  readonly samples: number;
}

/** How it is done. */
export interface Conditions {
  readonly threads: number;
  /** Seconds of processor are counted, of all threads, and not those on the wall. */
  readonly processor: boolean;
}

/** What one process of either side comes to. */
export interface Measurement {
  /** Perplexity, or the sum of all X: both sides must agree on it. */
  readonly value: number;
  /** The sum of all G, where it is computed: on this they must agree, too. */
  readonly gradient?: number;
  /** Hash of the token ids that were evaluated, where a side tells it. */
  readonly tokens?: string;
  /** What llama.cpp has loaded for this processor. */
  readonly backend?: string;
  /** The work alone: checkpoint open, texts tokenised. */
  readonly seconds: number;
  /** Whole process, from spawn to exit. */
  readonly wholeSeconds: number;
  /** Largest resident set, MiB. */
  readonly peakMemory: number;
}

export const REFERENCE_WORK: Work = {
  job: 'dense',
  ...{ model: SHARED_FILES.model, text: SHARED_FILES.text, calibration: SHARED_FILES.calibration },
  ...{ length: LENGTH, blocks: BLOCKS, samples: SAMPLES },
};
