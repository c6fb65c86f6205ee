import type { BlockFill } from '../forward/maskInputs.ts';

/** What one block's components score: the lowest go first. */
export interface ComponentScores {
  /** [groups] */
  readonly groups: Float32Array;
  /** [channels] */
  readonly channels: Float32Array;
  /**
   * Standard deviation of what single columns add to a group's score, in units of that score, where groups are made of columns: groups are
   * too few to be standardised by their own.
   */
  readonly groupDeviation?: number;
}

/** What a method says of a whole model's components. */
export type ModelScores =
  | {
      readonly kind: 'components';
      readonly blocks: readonly ComponentScores[];
      /** Of each block, where the method makes up for what it removes. */
      readonly fills?: readonly BlockFill[];
    }
  /** Whole blocks alone are removed, those of the lowest influence first. */
  | { readonly kind: 'blocks'; readonly influence: ArrayLike<number> };

/** Unbiased standard deviation. */
export function deviation(scores: Float32Array): number {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, scores.length - 1));
}
