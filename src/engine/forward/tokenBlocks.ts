import { EspalierError } from '../../base/errors.ts';
import { Rng } from '../../base/rng.ts';
import { sampleLength } from '../../experiment/settings.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';

/**
 * The evaluation blocks of the papers' protocol: the token ids of the whole text, cut into ⌊len / length⌋ blocks from the start.
 *
 * @param blocks how many to take; 0 takes all
 * @throws EspalierError `corpus/too-short` when there are fewer
 */
export function evaluationBlocks(ids: Int32Array, length: number, blocks: number, file: string): Int32Array[] {
  const available = Math.floor(ids.length / length);
  if (available < Math.max(1, blocks)) {
    throw tooShort(file, `at least ${Math.max(1, blocks)} blocks of ${length} tokens`, `${ids.length} tokens`);
  }
  return Array.from({ length: blocks || available }, (_, i) => ids.subarray(i * length, (i + 1) * length));
}

/**
 * Calibration samples, of the tokens that {@link sampleLength} says: at even offsets `j · ⌊len / samples⌋`, or at seeded random ones.
 *
 * @throws EspalierError `corpus/too-short` when a sample would run past the end
 */
export function calibrationSamples(
  ids: Int32Array,
  settings: Pick<EvaluationSettings, 'samples' | 'length' | 'calibrationLength' | 'offsets' | 'seed'>,
  file: string,
): Int32Array[] {
  const { samples, offsets, seed } = settings;
  const length = sampleLength(settings);
  if (length < 2) throw noPrediction(length);
  // Samples at random offsets may overlap, and there may be more of them than tokens: each needs room only for itself.
  const stride = offsets === 'even' ? Math.floor(ids.length / samples) : 0;
  const isCrowded = offsets === 'even' && stride === 0;
  if (isCrowded || (samples - 1) * stride + length > ids.length) {
    const expected =
      offsets === 'even'
        ? `room for ${samples} samples of ${length} tokens at even offsets`
        : `at least ${length} tokens`;
    throw tooShort(file, expected, `${ids.length} tokens`);
  }
  const rng = new Rng(seed);
  return Array.from({ length: samples }, (_, j) => {
    const begin = offsets === 'even' ? j * stride : rng.integer(ids.length - length + 1);
    return ids.subarray(begin, begin + length);
  });
}

function noPrediction(length: number): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'cutting calibration samples',
    expected: 'at least 2 tokens in a sample: the second is the first that is predicted',
    actual: `${length}`,
    remedy: 'Choose a larger length of samples, or 0 for that of evaluation blocks.',
  });
}

function tooShort(file: string, expected: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'corpus/too-short',
    operation: 'cutting the text into blocks',
    expected,
    actual,
    remedy: 'Use a longer text, or a smaller length, samples or blocks.',
    file,
  });
}
