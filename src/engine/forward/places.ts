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
  /** Rows of the batch's states [batch · tokens] that are all that is wanted of the last block; absent where all of them are. */
  readonly narrowed?: Int32Array | undefined;
  /** What {@link mask} is made of where it is made on a device: a mask is as long as these are squared. */
  seen(): Seen;
}

/**
 * Which tokens of its row see a key [batch · keys each]: those from `from` on and before `until`. Of them a window keeps it from those that are
 * more positions behind it.
 */
export interface Seen {
  readonly from: Int32Array;
  readonly until: Int32Array;
}
