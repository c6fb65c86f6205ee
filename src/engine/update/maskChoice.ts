import { markLowest } from './markLowest.ts';

/** Some neighbouring columns of a weight as they are when their turn comes, one after the other, and which of their weights go. */
export interface Columns {
  /** Weights of a column. */
  readonly rows: number;
  /** How many columns there are. */
  readonly width: number;
  /** [width, rows], updated by all that went in the columns before. */
  readonly values: Float32Array;
  /** R_jj, [width]. */
  readonly pivots: Float32Array;
  /** [width, rows]: 1 where a weight goes, else 0. */
  readonly gone: Float32Array;
}

/** What goes. */
export interface MaskChoice {
  /** How many columns are chosen at a time. */
  readonly columns: number;
  /** Chooses in the columns `from` to `to` of some. */
  choose(columns: Columns, from: number, to: number): void;
}

/** SparseGPT's own: of so many columns of all rows the weights whose w² / R_jj² is at most that of the sorted ones at index ⌊size · share⌋. */
export function lowestOfBlock(columns: number, share: number): MaskChoice {
  return {
    columns,
    choose({ rows, values, pivots, gone }, from, to) {
      if (share === 0) return;
      const scores = new Float32Array((to - from) * rows);
      for (let j = from, at = 0; j < to; j++) {
        const scale = 1 / pivots[j]!;
        for (let i = j * rows; i < (j + 1) * rows; i++, at++) scores[at] = Math.abs(values[i]! * scale);
      }
      markLowest(
        scores,
        Math.min(Math.floor(scores.length * share), scores.length - 1),
        gone.subarray(from * rows, to * rows),
      );
    },
  };
}

/** SparseGPT's own N:M: of each `of` columns of a row the `remove` weights with the lowest w² / R_jj²; of equal ones the lower column. */
export function lowestOfGroups(of: number, remove: number): MaskChoice {
  return {
    columns: of,
    choose({ rows, values, pivots, gone }, from, to) {
      const scores = new Float64Array(to - from);
      for (let row = 0; row < rows; row++) {
        for (let j = from; j < to; j++) scores[j - from] = Math.abs(values[j * rows + row]! / pivots[j]!);
        for (let count = 0; count < remove; count++) {
          let lowest = 0;
          for (let j = 1; j < scores.length; j++) if (scores[j]! < scores[lowest]!) lowest = j;
          scores[lowest] = Infinity;
          gone[(from + lowest) * rows + row] = 1;
        }
      }
    },
  };
}
