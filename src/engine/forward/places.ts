/** Where the tokens of a batch are in their texts, and what they see: for rows in which several texts stand, or that go on from earlier ones. */
export interface Places {
  /** Of each token [batch · tokens]. */
  readonly positions: Int32Array;
  /** Of each key [batch · keys]: those of earlier tokens, if there are any, and the batch's own behind them. */
  readonly keys: Int32Array;
  /** Tokens of the longest text: some rotations depend on it. */
  readonly longest: number;
  /**
   * What is added to the scores [batch, tokens, keys]: 0 where a token sees a key, else `HIDDEN`. Valid until another is asked for.
   *
   * @param window a token sees only keys that are fewer positions before it
   */
  mask(window: number | undefined): Float32Array;
}
