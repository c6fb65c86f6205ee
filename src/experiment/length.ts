import { inputText } from './hubName.ts';
import type { Provenance } from './resultSchema.ts';

/**
 * What `length: 0` stands for.
 *
 * @param modelLength tokens of the longest text that the model was made for
 * @param limit the setting `lengthLimit`
 */
export function defaultLength(modelLength: number, limit: number): number {
  return Math.min(limit || modelLength, modelLength);
}

/** Where blocks are longer than the model was made for, a sentence that says so: its perplexity there is of no use. */
export function lengthWarning(
  length: number,
  modelLength: number | undefined,
  what: 'blocks' | 'calibration samples' = 'blocks',
): string | undefined {
  if (modelLength === undefined || length <= modelLength) return undefined;
  const flag = what === 'blocks' ? '--length' : '--calibration-length';
  return (
    `${what} of ${length} tokens are longer than the model was made for: its config.json says ${modelLength}. ` +
    `Beyond that a perplexity says little; ${flag} ${modelLength}, or length: ${modelLength}, is the most it was trained on`
  );
}

/** "256 tokens, the model's": how long blocks are, and what the model has to do with it. */
export function lengthText(length: number, modelLength: number | undefined): string {
  if (modelLength === undefined || length < modelLength) return `${length} tokens`;
  return `${length} tokens, ${length === modelLength ? "the model's" : `longer than the model's ${modelLength}`}`;
}

/** "16 samples of 256 tokens": what was calibrated on, whatever the settings left to the model. */
export function samplesText({ samples = 0, length, calibrationLength = length }: Provenance): string {
  return `${samples} ${samples === 1 ? 'sample' : 'samples'} of ${calibrationLength} tokens`;
}

/** "at random offsets, seed 0": where samples were cut from. */
export function offsetsText(offsets: Provenance['offsets'], seed: number | undefined): string {
  return offsets === undefined || offsets === 'even'
    ? OFFSETS_TEXT.even
    : `${OFFSETS_TEXT[offsets]}, seed ${seed ?? 0}`;
}

/** "wiki.train.raw (128 samples of 2048 tokens at Python’s random offsets, seed 0)": what G was taken on. */
export function gradientsText(provenance: Provenance): string {
  const { gradients, calibration = '', gradientSamples: samples = 0, gradientLength: length = 0 } = provenance;
  const { gradientOffsets, seed } = provenance;
  const many = samples === 1 ? 'sample' : 'samples';
  return `${inputText(gradients ?? calibration)} (${samples} ${many} of ${length} tokens ${offsetsText(gradientOffsets, seed)})`;
}

const OFFSETS_TEXT: Readonly<Record<NonNullable<Provenance['offsets']>, string>> = {
  even: 'at even offsets',
  random: 'at random offsets',
  python: 'at Python’s random offsets',
  documents: 'from random documents',
  'documents-once': 'from random documents, each once',
};

/** "64 blocks of 256 tokens": what was evaluated on. */
export function blocksText({ blocks, length }: Provenance): string {
  return `${blocks} ${blocks === 1 ? 'block' : 'blocks'} of ${length} tokens`;
}
