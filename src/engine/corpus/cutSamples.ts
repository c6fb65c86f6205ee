import { EspalierError } from '../../base/errors.ts';
import { PythonRandom } from '../../base/pythonRandom.ts';
import { Rng } from '../../base/rng.ts';
import type { SampleSettings } from '../../experiment/settings.ts';
import type { SampleOffsets, Samples } from './samples.ts';

type JoinedOffsets = Exclude<SampleOffsets, 'documents' | 'documents-once'>;
type JoinedSettings = SampleSettings & { readonly offsets: JoinedOffsets };

interface Cut {
  /** What there has to be in a text. */
  readonly needed: (settings: SampleSettings) => string;
  /** How many begins there are; none may be less than 1. */
  readonly room: (tokens: number, settings: SampleSettings) => number;
  /** Draws where one after the other begins. */
  readonly begins: (room: number, settings: SampleSettings) => (sample: number) => number;
}

const CUTS: Readonly<Record<JoinedOffsets, Cut>> = {
  // At `j · ⌊tokens / samples⌋`.
  even: {
    needed: ({ samples, length }) => `room for ${samples} samples of ${length} tokens at even offsets`,
    room: (tokens, { samples, length }) => {
      const stride = Math.floor(tokens / samples);
      return (samples - 1) * stride + length <= tokens ? stride : 0;
    },
    begins: (stride) => (sample) => sample * stride,
  },
  // They may overlap, and there may be more of them than tokens: each needs room only for itself.
  random: {
    needed: ({ length }) => `at least ${length} tokens`,
    room: (tokens, { length }) => tokens - length + 1,
    begins: (room, { seed }) => {
      const rng = new Rng(seed);
      return () => rng.integer(room);
    },
  },
  // As Wanda, SparseGPT, FLAP and Pruner-Zero cut WikiText-2 and PTB (get_wikitext2 of their data.py): `randint(0, tokens - length - 1)`,
  // so that the last begin that there is room for is never drawn.
  python: {
    needed: ({ length }) => `more than ${length} tokens`,
    room: (tokens, { length }) => tokens - length,
    begins: (room, { seed }) => {
      const random = new PythonRandom(seed);
      return () => random.integer(0, room - 1);
    },
  },
};

/**
 * Calibration samples of a text.
 *
 * @throws EspalierError `corpus/too-short` when a sample would run past the end, `settings/invalid`
 */
export function cutSamples(ids: Int32Array, settings: JoinedSettings, file: string): Samples {
  const { samples, length, offsets } = settings;
  requirePrediction(length);
  const cut = CUTS[offsets];
  const room = cut.room(ids.length, settings);
  if (room < 1) throw tooShort(file, cut.needed(settings), `${ids.length} tokens`);
  const beginOf = cut.begins(room, settings);
  const begins = Array.from({ length: samples }, (_, sample) => beginOf(sample));
  return { tokens: begins.map((begin) => ids.subarray(begin, begin + length)), begins };
}

/** @throws EspalierError `settings/invalid` */
export function requirePrediction(length: number): void {
  if (length >= 2) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'cutting calibration samples',
    expected: 'at least 2 tokens in a sample: the second is the first that is predicted',
    actual: `${length}`,
    remedy: 'Choose a larger length of samples, or 0 for that of evaluation blocks.',
  });
}

export function tooShort(file: string, expected: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'corpus/too-short',
    operation: 'cutting the text into blocks',
    expected,
    actual,
    remedy: 'Use a longer text, or a smaller length, samples or blocks.',
    file,
  });
}
