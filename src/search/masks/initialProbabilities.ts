import { EspalierError } from '../../base/errors.ts';
import type { Rng } from '../../base/rng.ts';
import type { Budget, MaskSpace } from './maskSpace.ts';
import { project } from './policyGradient.ts';
import type { MaskSearchSettings } from './settings.ts';

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
    for (const { begin, end, keep } of comparable(space))
      mapScores(scores!.subarray(begin, end), map, keep, values.subarray(begin, end));
  const certain = new Float32Array(space.size).fill(1);
  // The authors' code holds no budget before the first step.
  if (initial === 'metric' && map === 'authors') return clamped(values, certain, space.budgets);
  return project(values, certain, space.budgets);
}

function clamped(values: Float64Array, before: Float32Array, budgets: readonly Budget[]): Float32Array {
  const probabilities = before.slice();
  for (const { begin, end } of budgets) probabilities.set(values.subarray(begin, end), begin);
  return probabilities;
}

/**
 * Parts of the row whose scores compare: groups of one block, channels of one block, all blocks; with the share that is kept. Weights and
 * inputs of different blocks differ in scale, so that on raw scores whole blocks would go first; where more should be kept is what the
 * steps find out.
 */
function comparable({ groups, channels, blocks, size, components, budgets }: MaskSpace): readonly Budget[] {
  const parts = [
    ...components.map((_, i) => ({ begin: groups[i]!, end: groups[i + 1]! })),
    ...components.map((_, i) => ({ begin: channels[i]!, end: channels[i + 1]! })),
    { begin: blocks, end: size },
  ];
  return parts.flatMap(({ begin, end }) => {
    const budget = budgets.find((each) => each.begin <= begin && end <= each.end);
    return budget && begin < end ? [{ begin, end, keep: budget.keep }] : [];
  });
}

/**
 * The range of the scores as [0, 1]; or a sigmoid of how far each is, in standard deviations, from the one that parts what stays from what
 * goes: measured from there, blocks whose scores are spread unlike each other begin with the same share.
 */
function mapScores(scores: Float32Array, map: MaskSearchSettings['map'], keep: number, into: Float64Array): void {
  if (!scores.every(Number.isFinite)) throw notFinite();
  const sorted = Float64Array.from(scores).sort();
  const mean = sorted.reduce((sum, score) => sum + score, 0) / sorted.length;
  const deviation = Math.sqrt(sorted.reduce((sum, score) => sum + (score - mean) ** 2, 0) / sorted.length);
  const [lowest, width] = [sorted[0]!, sorted.at(-1)! - sorted[0]!];
  const border = borderOf(sorted, (1 - keep) * sorted.length);
  if (map === 'authors') {
    mapAsAuthors(scores, mean, keep, into);
    return;
  }
  for (const [i, score] of scores.entries()) {
    if (width === 0) into[i] = 0.5;
    else into[i] = map === 'sigmoid' ? 1 / (1 + Math.exp((border - score) / deviation)) : (score - lowest) / width;
  }
}

/** `sigmap` of the authors' code: a sigmoid of z-scores, shifted so that their mean is what is kept, and cut off at 0 and 1. */
function mapAsAuthors(scores: Float32Array, mean: number, keep: number, into: Float64Array): void {
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  // As torch.std, which of one value is none.
  const deviation = scores.length > 1 ? Math.sqrt(squares / (scores.length - 1)) : 0;
  let sum = 0;
  for (const [i, score] of scores.entries()) {
    into[i] = 1 / (1 + Math.exp((mean - score) / (deviation + 1e-8)));
    sum += into[i];
  }
  const shift = keep - sum / scores.length;
  for (let i = 0; i < into.length; i++) into[i] = Math.min(1, Math.max(0, into[i]! + shift));
}

/** Halfway between the `count`th and the next score, and between such borders where `count` is. @param sorted ascending */
function borderOf(sorted: Float64Array, count: number): number {
  const last = sorted.length - 1;
  const border = (gone: number): number => (sorted[Math.max(0, gone - 1)]! + sorted[Math.min(last, gone)]!) / 2;
  const whole = Math.min(last, Math.floor(count));
  return border(whole) + (count - whole) * (border(whole + 1) - border(whole));
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
