export interface LearningRateSettings {
  /** Updates of the whole training. */
  readonly steps: number;
  /** Updates in which the rate rises from 0 to its peak. */
  readonly warmup: number;
  readonly peakRate: number;
  /** Rate of the last update, as a share of the peak. */
  readonly finalShare: number;
}

/** The learning rate of update `step` (from 0): a straight rise over the warm-up, then half a cosine down to the final rate. */
export function learningRate(step: number, { steps, warmup, peakRate, finalShare }: LearningRateSettings): number {
  if (step < warmup) return (peakRate * (step + 1)) / warmup;
  const progress = Math.min(1, (step - warmup) / Math.max(1, steps - 1 - warmup));
  return peakRate * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
