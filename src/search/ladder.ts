import { rungEnds } from '../experiment/search.ts';
import type { SearchSettings } from '../experiment/search.ts';
import type { SearchOpening } from '../experiment/searchEvents.ts';
import type { Rung } from './effects.ts';

/** The stages of an evaluation, each with more blocks of the fitness text. */
export function rungsOf(blocks: number, settings: Pick<SearchSettings, 'rungs' | 'keep'>): readonly Rung[] {
  const ends = rungEnds(blocks, settings);
  return ends.map((end, index) => ({ index, begin: ends[index - 1] ?? 0, end }));
}

/** What a candidate lost on the blocks that it has seen. */
export interface Climb {
  /** Blocks seen. */
  readonly blocks: number;
  /** Sum over these blocks of the mean loss of each. */
  readonly total: number;
  /** After each rung: the estimate that {@link estimatedLoss} gives. */
  readonly estimates: readonly number[];
}

export const AT_THE_FOOT: Climb = { blocks: 0, total: 0, estimates: [] };

/** @param loss mean over `blocks` more blocks */
export function climb(before: Climb, blocks: number, loss: number, opening: SearchOpening): Climb {
  const after = { blocks: before.blocks + blocks, total: before.total + blocks * loss };
  return { ...after, estimates: [...before.estimates, estimatedLoss(after, opening)] };
}

/**
 * Mean loss over the whole text from a part of its blocks: dense loss of the text + mean over the blocks seen of (loss − dense
 * loss). What a text is like, easy or hard, moves both alike, so that estimates from different parts can be compared. With all
 * blocks seen this is the mean loss itself.
 */
function estimatedLoss({ blocks, total }: Pick<Climb, 'blocks' | 'total'>, { denseLosses }: SearchOpening): number {
  if (blocks === denseLosses.length) return total / blocks;
  const dense = sum(denseLosses) / denseLosses.length;
  return dense + (total - sum(denseLosses.slice(0, blocks))) / blocks;
}

/**
 * Who goes on to the next rung: the best one in `keep` of this generation, as far as they could still become leaders; and whoever
 * is ahead of the best leader, however many these are.
 *
 * Leaders are compared on the blocks that the candidates have seen, where the noise of the text is the same for both: who is
 * behind all leaders there would hardly pass them on the rest.
 *
 * @param leaders the best that were measured on the whole text; undefined where there are not enough yet to stop anybody for them
 */
export function promoted<Key>(
  climbs: ReadonlyMap<Key, Climb>,
  rung: number,
  keep: number,
  leaders: readonly Climb[] | undefined,
): readonly Key[] {
  const ranked = [...climbs].sort(([, a], [, b]) => a.estimates[rung]! - b.estimates[rung]!);
  const marks = leaders?.map(({ estimates }) => estimates[rung]!) ?? [];
  const [best, worst] = marks.length === 0 ? [-Infinity, Infinity] : [Math.min(...marks), Math.max(...marks)];
  const quota = Math.ceil(ranked.length / keep);
  return ranked
    .filter(([, { estimates }], place) => estimates[rung]! < (place < quota ? worst : best))
    .map(([key]) => key);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
