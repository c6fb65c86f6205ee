/** Settings that are right one by one and wrong together. */
export interface SearchConflict {
  /** Those at fault. */
  readonly settings: readonly [string, string];
  readonly message: string;
  /** A value of the second one that goes with the first. */
  readonly value: number | readonly number[];
}
