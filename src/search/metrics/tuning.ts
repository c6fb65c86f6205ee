import type { Rng } from '../../base/rng.ts';
import type { Expression } from '../../metric/expression.ts';
import { pick } from './alphabet.ts';
import type { Constants } from './alphabet.ts';
import { decidesRanking, dialsOf, movedValue, turned } from './constants.ts';
import type { Dial } from './constants.ts';

/** One constant of one metric, to be moved until the mask has changed by about so much. */
export interface Tuning {
  /** What is tuned. */
  readonly of: Expression;
  readonly dial: Dial;
  readonly direction: 1 | -1;
  /** Drawn for this one, in units of what the search goes by at the time. */
  readonly reach: number;
}

/** First step, in e-folds of the constant: `W ^ 1.1` beside `W` changes a few of a hundred weights. */
export const FIRST_STEP = 0.1;

/** Chance that a number that is written is tuned, where the tree has one: else one more comes in. */
const WRITTEN_SHARE = 0.5;

/** A constant of the metric, and where to; undefined where it has none that counts. */
export function drawTuning(of: Expression, constants: Constants, rng: Rng): Tuning | undefined {
  const dials = dialsOf(of, constants);
  const written = dials.filter((dial) => dial.written);
  const some = written.length > 0 && rng.uniform() < WRITTEN_SHARE ? written : dials;
  if (some.length === 0) return undefined;
  const dial = pick(some, rng);
  const up = rng.uniform() < 0.5 ? 1 : -1;
  const reach = Math.exp(SPREAD * rng.normal());
  // At its limit a constant goes the other way.
  const direction = movedValue(dial, up * FIRST_STEP) === dial.value ? (-up as 1 | -1) : up;
  const tuning = { of, dial, direction, reach };
  return decidesRanking(of, dial) ? tuning : undefined;
}

/** Spread of the reaches (a standard deviation of their logarithm): two that tune the same should not do the same. */
const SPREAD = 0.5;

/** The metric with its constant so many e-folds further. */
export function stepped({ of, dial, direction }: Tuning, step: number): Expression {
  return turned(of, dial, movedValue(dial, direction * step));
}
