import { EspalierError } from '../../base/errors.ts';
import type { Rng } from '../../base/rng.ts';
import type { MaskSearchSettings } from '../../experiment/maskSearch.ts';
import type { MaskSpace } from './maskSpace.ts';
import { project } from './policyGradient.ts';

/**
 * Keep-probabilities before the first step: all alike, uniform in [0, 1], or scores through a map, then projected onto the budgets.
 *
 * @param scores of each component, higher for what is to be kept; of `initial: metric` alone
 * @throws EspalierError `metric/invalid-score` for a score that is not finite
 */
export function initialProbabilities(
  space: MaskSpace,
  { initial, map }: Pick<MaskSearchSettings, 'initial' | 'map'>,
  scores: Float32Array | undefined,
  rng: Rng,
): Float32Array {
  const values = new Float64Array(space.size);
  if (initial === 'constant') values.fill(0.5);
  else if (initial === 'random') for (let i = 0; i < values.length; i++) values[i] = rng.uniform();
  else
    for (const [begin, end] of comparable(space))
      mapScores(scores!.subarray(begin, end), map, values.subarray(begin, end));
  return project(values, new Float32Array(space.size).fill(1), space.budgets);
}

/**
 * Parts of the row whose scores compare: groups of one block, channels of one block, all blocks. Weights and inputs of different
 * blocks differ in scale, so that on raw scores whole blocks would go first; where more should be kept is what the steps find out.
 */
function comparable({ groups, channels, blocks, size, components }: MaskSpace): readonly (readonly [number, number])[] {
  return [
    ...components.map((_, i) => [groups[i]!, groups[i + 1]!] as const),
    ...components.map((_, i) => [channels[i]!, channels[i + 1]!] as const),
    [blocks, size],
  ];
}

/** Sigmoid of the standardised scores, or the range of the scores as [0, 1]; a half where all scores are the same. */
function mapScores(scores: Float32Array, map: MaskSearchSettings['map'], into: Float64Array): void {
  if (!scores.every(Number.isFinite)) throw notFinite();
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const deviation = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length);
  const lowest = scores.reduce((a, b) => Math.min(a, b), Infinity);
  const width = scores.reduce((a, b) => Math.max(a, b), -Infinity) - lowest;
  for (const [i, score] of scores.entries()) {
    if (width === 0) into[i] = 0.5;
    else into[i] = map === 'sigmoid' ? 1 / (1 + Math.exp(-(score - mean) / deviation)) : (score - lowest) / width;
  }
}

function notFinite(): EspalierError {
  return new EspalierError({
    code: 'metric/invalid-score',
    operation: 'making keep-probabilities of scores',
    expected: 'a finite score for each component',
    actual: 'one that is not',
    remedy: 'Choose another score, or begin with constant or random probabilities.',
  });
}
