import { sum } from '../../base/sum.ts';
import type { SearchOpening } from './events.ts';
import type { Rung } from './rung.ts';

/**
 * Mean loss over the whole fitness text from a part of its blocks: dense loss of the text + mean over the blocks seen of (loss − dense
 * loss). What a text is like, easy or hard, moves both alike, so that estimates from different parts can be compared. With all
 * blocks seen this is the mean loss itself.
 *
 * @param total sum of the mean losses of the blocks seen, in nats per token
 * @param seen blocks `begin … end − 1`, at least one, in the order in which rungs visit them
 * @returns nats per token
 */
export function estimatedLoss(
  total: number,
  { begin, end }: Omit<Rung, 'index'>,
  { denseLosses }: Pick<SearchOpening, 'denseLosses'>,
): number {
  const blocks = end - begin;
  if (blocks === denseLosses.length) return total / blocks;
  const dense = sum(denseLosses) / denseLosses.length;
  return dense + (total - sum(denseLosses.slice(begin, end))) / blocks;
}
