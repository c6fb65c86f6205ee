import type { Rng } from '../../base/rng.ts';
import { projectionShift, shifted } from '../../base/projection.ts';
import type { Budget } from './maskSpace.ts';

/** One update of the keep-probabilities. */
export interface PolicyGradientUpdate {
  /** Drawn from the probabilities: 1 where a component was kept. */
  readonly masks: readonly Uint8Array[];
  /** Of each mask, in nats per token; null where it was not finite. */
  readonly losses: readonly (number | null)[];
  /** What the losses are compared with; null: their own mean. */
  readonly baseline: number | null;
  /** Whether the sum over masks is divided by those whose loss is finite, less one, or by all of them, less one (the authors' code). */
  readonly divided?: 'by-finite' | 'by-all';
  /** Learning rate η. */
  readonly rate: number;
  readonly budgets: readonly Budget[];
}

/** Masks `m ~ Bernoulli(s)`, one after the other. What is kept for certain, or goes for certain, needs no chance. */
export function drawMask(probabilities: Float32Array, rng: Rng): Uint8Array {
  const kept = new Uint8Array(probabilities.length);
  for (let i = 0; i < kept.length; i++) {
    const s = probabilities[i]!;
    kept[i] = s >= 1 || (s > 0 && rng.uint32() < s * 2 ** 32) ? 1 : 0;
  }
  return kept;
}

/**
 * The estimate of how the loss grows with each probability, for the K masks whose loss is finite:
 *
 *     1/(K−1) · Σ_k (ℓ_k − b) · (m_k − s) / sqrt((s + 1e−7)·(1 − s + 1e−7))
 *
 * divided by 1 where K = 1. For a constant b its expectation is K/(K−1) · √(s(1−s)) · ∂E[ℓ]/∂s.
 *
 * @returns undefined where too few losses are finite: fewer than two of several, none of one; divided by all masks, none
 */
export function policyGradient(
  probabilities: Float32Array,
  { masks, losses, baseline, divided = 'by-finite' }: Omit<PolicyGradientUpdate, 'rate' | 'budgets'>,
): Float64Array | undefined {
  const finite = masks.flatMap((mask, k) => {
    const loss = losses[k];
    return isLoss(loss) ? [{ mask, loss }] : [];
  });
  const needed = divided === 'by-all' ? 1 : Math.min(2, masks.length);
  if (finite.length < needed) return undefined;
  const compared = baseline ?? finite.reduce((sum, { loss }) => sum + loss, 0) / finite.length;
  const divisor = Math.max(1, (divided === 'by-all' ? masks : finite).length - 1);
  const gradient = new Float64Array(probabilities.length);
  for (const { mask, loss } of finite) {
    const advantage = (loss - compared) / divisor;
    for (let i = 0; i < gradient.length; i++) gradient[i]! += advantage * (mask[i]! - probabilities[i]!);
  }
  for (let i = 0; i < gradient.length; i++) {
    const s = probabilities[i]!;
    gradient[i]! /= Math.sqrt((s + GUARD) * (1 - s + GUARD));
  }
  return gradient;
}

const GUARD = 1e-7;

/**
 * One step: `s ← P(s − η·gradient)`, where P is the projection of each budget onto its mean and [0, 1].
 *
 * @returns the new probabilities; the same ones where too few losses are finite
 */
export function policyGradientStep(probabilities: Float32Array, update: PolicyGradientUpdate): Float32Array {
  const gradient = policyGradient(probabilities, update);
  if (!gradient) return probabilities;
  const moved = gradient;
  for (let i = 0; i < moved.length; i++) moved[i] = probabilities[i]! - update.rate * gradient[i]!;
  return project(moved, probabilities, update.budgets);
}

/** Each budget's part projected onto its mean, or what is at most it, and [0, 1]; what is in no budget stays as it was. */
export function project(values: Float64Array, before: Float32Array, budgets: readonly Budget[]): Float32Array {
  const projected = before.slice();
  for (const { begin, end, keep, atMost = false, costs } of budgets) {
    const part = values.subarray(begin, end);
    const all = costs ? costs.reduce((sum, cost) => sum + cost, 0) : part.length;
    const nearest = projectionShift(part, keep * all, costs);
    // What is below the budget is not raised to it.
    const shift = atMost ? Math.max(0, nearest) : nearest;
    for (let i = begin; i < end; i++) projected[i] = shifted(values[i]!, shift);
  }
  return projected;
}

/** Learning rate of a step, counted from 0. */
export function rateAt(step: number, steps: number, rate: number, decay: 'cosine' | 'none'): number {
  return decay === 'none' ? rate : (rate * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}

/**
 * The moving average after a step, as the authors' code has it: weight 1/window. There the step's own losses are compared with it.
 *
 * @param baseline before the step; null before the first finite loss
 */
export function authorsBaseline(
  baseline: number | null,
  losses: readonly (number | null)[],
  window: number,
): number | null {
  return movedBaseline(baseline, losses, 1 / window);
}

/**
 * The moving average after a step: weight 2/(window + 1) on the mean of the step's finite losses, which it begins with.
 *
 * @param baseline before the step; null before the first finite loss
 */
export function nextBaseline(
  baseline: number | null,
  losses: readonly (number | null)[],
  window: number,
): number | null {
  return movedBaseline(baseline, losses, 2 / (window + 1));
}

function movedBaseline(baseline: number | null, losses: readonly (number | null)[], weight: number): number | null {
  const finite = losses.filter(isLoss);
  if (finite.length === 0) return baseline;
  const mean = finite.reduce((sum, loss) => sum + loss, 0) / finite.length;
  return baseline === null ? mean : baseline + weight * (mean - baseline);
}

export function isLoss(loss: number | null | undefined): loss is number {
  return typeof loss === 'number' && Number.isFinite(loss);
}
