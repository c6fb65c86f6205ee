import { sizeOf } from '../graph/shape.ts';
import type { BlockLayout } from '../families/family.ts';
import { familyOf } from '../families/families.ts';
import type { ModelConfig } from '../families/families.ts';

/** Multiplications and additions of a model's matrix products for one token of a sequence; all that is not a product is left out. */
export interface TokenWork {
  /** All blocks forward: 2 for each linear weight that a token meets, and attention's two products over half the sequence. */
  readonly blocks: number;
  /** From the last hidden state to the logits. */
  readonly head: number;
  /** Weights of all linear layers in the blocks. */
  readonly linear: number;
}

/** @param throughAll whether tokens go through all experts of a block, as on devices that cannot work on some rows alone */
export function workPerToken(
  config: ModelConfig,
  layouts: readonly BlockLayout[],
  length: number,
  throughAll: boolean,
): TokenWork {
  const perToken = config.mixture?.perToken ?? 1;
  let [linear, met] = [0, 0];
  for (const { parameters, shape } of layouts) {
    const share = throughAll ? 1 : Math.min(1, perToken / (shape.experts ?? 1));
    for (const parameter of parameters) {
      if (!parameter.linear) continue;
      const weights = sizeOf(parameter.shape);
      linear += weights;
      met += weights * (parameter.expert === undefined ? 1 : share);
    }
  }
  const attention = layouts.reduce(
    (sum, { window = length, shape }) => sum + 4 * Math.min(window, length / 2) * shape.heads * config.headDim,
    0,
  );
  return { blocks: 2 * met + attention, head: 2 * sizeOf(familyOf(config).head(config).weight.shape), linear };
}

/** The parts of an evaluation, as a preflight counts them. */
export interface Amounts {
  /** Models that are evaluated. */
  readonly models: number;
  readonly evaluationTokens: number;
  readonly calibrationTokens: number;
  /** Of a token of a calibration sample, which may be of another length. */
  readonly calibrationToken: TokenWork;
  /** How often the calibration samples run through all blocks, not counting gradients. */
  readonly calibrations: number;
  /** How often blocks run forward for the gradients before they run back; 0 where none are computed. */
  readonly gradientForwards: number;
}

/** A pass back costs the block forward again, and two products where the forward has one. */
const BACKWARD = 3;

export function totalWork(token: TokenWork, amounts: Amounts): number {
  const { models, evaluationTokens, calibrationTokens, calibrationToken: sample, calibrations } = amounts;
  const { gradientForwards } = amounts;
  const evaluation = models * evaluationTokens * (token.blocks + token.head);
  const calibration = calibrations * calibrationTokens * sample.blocks;
  const gradient =
    gradientForwards > 0 ? calibrationTokens * ((gradientForwards + BACKWARD) * sample.blocks + 2 * sample.head) : 0;
  return evaluation + calibration + gradient;
}
