import { kthSmallest } from './kthSmallest.ts';

/** Some neighbouring columns of a weight as they are when their turn comes, and which of their weights go. */
export interface Columns {
  /** Column of the weight that the first of these is. */
  readonly first: number;
  /** How many there are. */
  readonly width: number;
  /** [rows, width], updated by all that went in the columns before. */
  readonly values: Float64Array;
  /** R_jj, [width]. */
  readonly pivots: Float64Array;
  /** [rows, width]: 1 where a weight goes. */
  readonly gone: Uint8Array;
}

/** What goes. */
export interface MaskChoice {
  /** How many columns are chosen at a time; without it as many as there are. */
  readonly columns?: number;
  /** Chooses in the columns `from` to `to` of some. */
  choose(columns: Columns, from: number, to: number): void;
}

/** @param zeros of a weight [out, n] that was pruned before: one bit for each, set where it is gone */
export function givenMask(zeros: Uint8Array, n: number): MaskChoice {
  return {
    choose({ first, width, gone }, from, to) {
      for (let row = 0; row * width < gone.length; row++) {
        for (let j = from; j < to; j++) {
          const at = row * n + first + j;
          // No shift of `at` itself: a layer may have more than 2^31 weights.
          gone[row * width + j] = (zeros[Math.floor(at / 8)]! >> (at % 8)) & 1;
        }
      }
    },
  };
}

/** SparseGPT's own: of so many columns of all rows the weights whose w² / R_jj² is at most that of the sorted ones at index ⌊size · share⌋. */
export function lowestOfBlock(columns: number, share: number): MaskChoice {
  return {
    columns,
    choose({ width, values, pivots, gone }, from, to) {
      if (share === 0) return;
      const rows = gone.length / width;
      const scores = new Float64Array(rows * (to - from));
      let at = 0;
      for (let row = 0; row < rows; row++) {
        for (let j = from; j < to; j++) scores[at++] = (values[row * width + j]! / pivots[j]!) ** 2;
      }
      const threshold = kthSmallest(scores.slice(), Math.floor(scores.length * share));
      at = 0;
      for (let row = 0; row < rows; row++) {
        for (let j = from; j < to; j++) gone[row * width + j] = Number(scores[at++]! <= threshold);
      }
    },
  };
}

/** SparseGPT's own N:M: of each `of` columns of a row the `remove` weights with the lowest w² / R_jj²; of equal ones the lower column. */
export function lowestOfGroups(of: number, remove: number): MaskChoice {
  return {
    columns: of,
    choose({ width, values, pivots, gone }, from, to) {
      const scores = new Float64Array(of);
      for (let row = 0; row * width < gone.length; row++) {
        for (let j = from; j < to; j++) scores[j - from] = (values[row * width + j]! / pivots[j]!) ** 2;
        for (let count = 0; count < remove; count++) {
          let lowest = 0;
          for (let j = 1; j < to - from; j++) if (scores[j]! < scores[lowest]!) lowest = j;
          scores[lowest] = Infinity;
          gone[row * width + from + lowest] = 1;
        }
      }
    },
  };
}
