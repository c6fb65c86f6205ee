/** Decay of the means, and what keeps quotients finite, as papers and torch.optim.Adam have them. */
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/** What Adam knows of one tensor. */
export interface Moments {
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

/**
 * One update of a tensor by Adam (Kingma and Ba 2015) without decay, in place:
 *
 *     m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
 *     w ← w − rate / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 *
 * The bias corrections stand where torch.optim.Adam has them. Computed in float64 and kept in float32, on the host: adapters are small, and
 * so the update is the same on every device and with any number of threads.
 *
 * @param step updates so far, this one included
 */
export function adam(
  values: Float32Array,
  gradient: Float32Array,
  { mean, square }: Moments,
  step: number,
  rate: number,
): void {
  const size = rate / (1 - BETA1 ** step);
  const root = Math.sqrt(1 - BETA2 ** step);
  for (let i = 0; i < values.length; i++) {
    const g = gradient[i]!;
    mean[i] = BETA1 * mean[i]! + (1 - BETA1) * g;
    square[i] = BETA2 * square[i]! + (1 - BETA2) * g * g;
    values[i] = values[i]! - (size * mean[i]!) / (Math.sqrt(square[i]!) / root + EPSILON);
  }
}
