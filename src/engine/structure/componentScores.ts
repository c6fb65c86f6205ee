/** What one block's components score: the lowest go first. */
export interface ComponentScores {
  /** [groups] */
  readonly groups: Float32Array;
  /** [channels] */
  readonly channels: Float32Array;
}
