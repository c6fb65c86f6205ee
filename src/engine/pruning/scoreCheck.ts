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

/** What there is to know of a layer's scores before they rank, whether one program has computed them or several, some rows each. */
export class ScoreSummary {
  minimum = Infinity;
  maximum = -Infinity;
  /** Scores that there are: one row of them may stand for all rows of the layer. */
  private scores = 0;
  private finite = 0;

  /**
   * @param outputs of a program that `writeScore` has part in
   * @param columns of the score
   */
  add(outputs: Readonly<Record<string, DeviceTensor>>, columns: number): this {
    const finite = outputs['finite']!.floats();
    this.scores += finite.length * columns;
    for (const count of finite) this.finite += count;
    this.minimum = Math.min(this.minimum, outputs['minimum']!.floats()[0]!);
    this.maximum = Math.max(this.maximum, outputs['maximum']!.floats()[0]!);
    return this;
  }

  get missing(): number {
    return this.scores - this.finite;
  }

  /** @throws InvalidScoreError where the score has values that are not finite, or is constant */
  requireValid(layer: Parameter, metric: string): void {
    this.requireFinite(layer, metric);
    if (this.minimum !== this.maximum) return;
    throw invalidScore('constant', layer, metric, 'scores that differ', `the same score ${this.minimum} everywhere`);
  }

  /** @throws InvalidScoreError where the score has values that are not finite */
  requireFinite(layer: Parameter, metric: string): void {
    if (this.missing === 0) return;
    const share = ((100 * this.missing) / this.scores).toPrecision(3);
    const actual = `${this.missing} scores (${share} %) that are infinite or not a number`;
    throw invalidScore('not-finite', layer, metric, 'finite scores', actual);
  }
}

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
