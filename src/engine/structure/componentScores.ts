import type { BlockFill } from '../forward/maskInputs.ts';

/** What one block's components score: the lowest go first. */
export interface ComponentScores {
  /** [groups] */
  readonly groups: Float32Array;
  /** [channels] */
  readonly channels: Float32Array;
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
  | { readonly kind: 'blocks'; readonly influence: ArrayLike<number> }
  /** Experts alone are removed. */
  | {
      readonly kind: 'experts';
      /** [experts] of each block; Infinity: it could not be ranked, and stays. */
      readonly blocks: readonly Float32Array[];
      /** Names in the checkpoint of those that could not be ranked. */
      readonly unseen: readonly string[];
    };
