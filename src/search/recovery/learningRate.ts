import type { Recovery } from '../../experiment/recovery.ts';

/**
 * Learning rate of a step, which counts from 0: it rises linearly over `warmup` steps, the first of which has `rate / warmup`, and then stays, or
 * falls along half a cosine that would be 0 after the last step. As transformers' get_cosine_schedule_with_warmup, but that its first step has
 * a rate of 0 and does nothing.
 */
export function learningRate(
  step: number,
  { rate, warmup, schedule, steps }: Pick<Recovery, 'rate' | 'warmup' | 'schedule' | 'steps'>,
): number {
  if (step < warmup) return (rate * (step + 1)) / warmup;
  if (schedule === 'constant') return rate;
  const progress = (step - warmup) / Math.max(1, steps - warmup);
  return (rate * (1 + Math.cos(Math.PI * Math.min(1, progress)))) / 2;
}
