import type { Evaluated } from './candidate.ts';

/**
 * By how much of the mask tuning changes a metric: grows while more than one in five is better than what it was made of, and shrinks
 * otherwise (the one-fifth rule of evolution strategies, Rechenberg 1973; the factors are those of Kern et al. 2004). What the constant
 * itself moves by says little: a hundredth in an exponent of inputs that are much alike changes no weight's fate, and in one of inputs that
 * differ a thousandfold a tenth of all.
 */
export class ReachRule {
  private share = FIRST_SHARE;

  /** Share of the probed weights whose fate is to change. */
  get target(): number {
    return this.share;
  }

  /** @param parent whose constant was moved */
  learn(candidate: Evaluated, parent: Evaluated): void {
    const { kind } = candidate.outcome;
    // Neither says anything of the step: it was another's, or none.
    if (kind === 'shared' || kind === 'invalid') return;
    const better = candidate.stoppedAt === undefined && candidate.loss < parent.loss;
    const share = this.share * (better ? GROWTH : GROWTH ** -0.25);
    this.share = Math.min(LARGEST_SHARE, Math.max(SMALLEST_SHARE, share));
  }
}

const GROWTH = 1.5;
const FIRST_SHARE = 0.02;
const LARGEST_SHARE = 0.1;
/** Fewer weights are within what the losses of metrics differ by from chance. */
const SMALLEST_SHARE = 0.001;
