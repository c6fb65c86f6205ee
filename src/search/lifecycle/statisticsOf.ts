import { sum } from '../../base/sum.ts';
import type { GenerationEvent } from './events.ts';

/**
 * Of the valid candidates of a generation; null where it has none. The mean is that of the losses, as a perplexity: one hopeless
 * candidate does not drown it.
 *
 * @param losses nats per token, estimates among them
 * @param perplexities of the same candidates
 */
export function statisticsOf(
  losses: readonly number[],
  perplexities: readonly number[],
): Pick<GenerationEvent, 'best' | 'mean' | 'worst'> {
  if (losses.length === 0) return { best: null, mean: null, worst: null };
  return {
    best: perplexities.reduce((a, b) => Math.min(a, b)),
    mean: Math.exp(sum(losses) / losses.length),
    worst: perplexities.reduce((a, b) => Math.max(a, b)),
  };
}
