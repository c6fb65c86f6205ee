import { EspalierError } from '../../base/errors.ts';
import type { ModelScores } from './componentScores.ts';

/**
 * Scores that can rank. Finite scores of single weights may still add up beyond what float32 holds, and a model whose activations or
 * gradients overflow on the calibration text has no others.
 *
 * @param name of what has scored, for the message
 * @throws EspalierError `metric/invalid-score`, naming the block
 */
export function requireFiniteScores(scores: ModelScores, name: string): ModelScores {
  if (scores.kind === 'blocks') {
    requireFinite(scores.influence, (index) => `block ${index + 1}`, name);
    return scores;
  }
  if (scores.kind === 'experts') {
    // Infinity says that an expert has no score.
    for (const [index, experts] of scores.blocks.entries()) {
      const ranked = experts.map((score) => (score === Infinity ? 0 : score));
      requireFinite(ranked, () => `the experts of block ${index + 1}`, name);
    }
    return scores;
  }
  for (const [index, { groups, channels }] of scores.blocks.entries()) {
    requireFinite(groups, () => `the heads of block ${index + 1}`, name);
    requireFinite(channels, () => `the channels of block ${index + 1}`, name);
  }
  return scores;
}

function requireFinite(values: ArrayLike<number>, whose: (index: number) => string, name: string): void {
  const wrong = Array.prototype.findIndex.call(values, (value: number) => !Number.isFinite(value));
  if (wrong < 0) return;
  throw new EspalierError({
    code: 'metric/invalid-score',
    operation: `scoring ${whose(wrong)} with ${name}`,
    expected: 'finite scores',
    actual: String(values[wrong]),
    remedy: 'Scale the metric down, or choose another; check that the model is finite on the calibration text.',
  });
}
