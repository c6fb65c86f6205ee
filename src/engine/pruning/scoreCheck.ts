import { type ErrorData, EspalierError } from '../../base/errors.ts';
import type { Parameter } from '../families/family.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';

/** A metric that cannot rank a layer's weights. */
export class InvalidScoreError extends EspalierError {
  readonly reason: 'constant' | 'not-finite';

  constructor(reason: 'constant' | 'not-finite', data: ErrorData) {
    super(data);
    this.reason = reason;
  }
}

/**
 * @param outputs of a program that `writeScore` has part in
 * @throws InvalidScoreError where the score has values that are not finite, or is constant
 */
export function requireValidScore(outputs: ScoreOutputs, layer: Parameter, metric: string): void {
  requireFiniteScore(outputs, layer, metric);
  const [minimum] = outputs['minimum']!.floats();
  const [maximum] = outputs['maximum']!.floats();
  if (minimum === maximum) {
    throw invalidScore('constant', layer, metric, 'scores that differ', `the same score ${minimum} everywhere`);
  }
}

/** @throws InvalidScoreError where the score has values that are not finite */
export function requireFiniteScore(outputs: ScoreOutputs, layer: Parameter, metric: string): void {
  const finite = outputs['finite']!.floats();
  // One row of scores may stand for all rows of the layer; `finite` counts the columns of each row that there is.
  const scores = finite.length * layer.shape[1]!;
  const missing = scores - finite.reduce((total, count) => total + count, 0);
  if (missing === 0) return;
  const share = ((100 * missing) / scores).toPrecision(3);
  const actual = `${missing} scores (${share} %) that are infinite or not a number`;
  throw invalidScore('not-finite', layer, metric, 'finite scores', actual);
}

type ScoreOutputs = Readonly<Record<string, DeviceTensor>>;

function invalidScore(
  reason: InvalidScoreError['reason'],
  layer: Parameter,
  metric: string,
  expected: string,
  actual: string,
): InvalidScoreError {
  return new InvalidScoreError(reason, {
    code: 'metric/invalid-score',
    operation: `scoring ${layer.tensor} with ${metric}`,
    expected,
    actual,
    remedy: 'Such a metric cannot rank weights: change the formula (guard a division, drop an exp, add an operand).',
  });
}
