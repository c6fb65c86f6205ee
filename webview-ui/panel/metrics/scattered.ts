import type { MetricCandidate } from '../../../src/search/metrics/events.ts';

/** Sizes are whole numbers; points of one size stand side by side, always at the same places. */
export function scattered({ id, size }: Pick<MetricCandidate, 'id' | 'size'>): number {
  return size + (((id * 0.618_033_988_75) % 1) - 0.5) * 0.6;
}
