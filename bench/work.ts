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

/** The same for both sides. */
export const LENGTH = 256;
export const BLOCKS = 64;
export const SAMPLES = 16;

export type JobName = 'dense' | 'wanda' | 'operands';

/** What a process of either side prints as its last line. */
export interface Measurement {
  /** Perplexity, or the sum of all X: both sides must agree on it. */
  readonly value: number;
  /** The sum of all G, where it is computed: on this they must agree, too. */
  readonly gradient?: number;
  /** The work alone: checkpoint open, texts tokenised. */
  readonly seconds: number;
  /** Whole process, from spawn to exit. */
  readonly wallSeconds: number;
  /** Largest resident set of the process, MiB. */
  readonly peakMemory: number;
}

/** A piece of work that both sides do, with the bars on how many times faster than the peer we are. */
export interface ComparedWork {
  readonly job: JobName;
  readonly title: string;
  readonly bar: number;
  readonly stretch: number;
}

export const COMPARED: readonly ComparedWork[] = [
  { job: 'dense', title: `dense perplexity, ${BLOCKS} blocks of ${LENGTH}`, bar: 1.6, stretch: 2.3 },
  {
    job: 'wanda',
    title: `sequential Wanda 50 %, ${SAMPLES} samples of ${LENGTH}, ${BLOCKS} blocks`,
    bar: 1.7,
    stretch: 2.3,
  },
  { job: 'operands', title: `X and G operands, ${SAMPLES} samples of ${LENGTH}`, bar: 1.3, stretch: 2 },
];

/** On memory the bar is the peer's own, the stretch half of it. */
export const MEMORY_BARS = { bar: 1, stretch: 2 } as const;
