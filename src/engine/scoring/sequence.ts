/** Tokens of which the later ones are asked for: the log-probability of each of `ids[from]`, `ids[from + 1]`, … behind all before it. */
export interface Sequence {
  /** What the model reads is all but the last. */
  readonly ids: Int32Array;
  /** 1 at least: nothing is known of a token with nothing before it. */
  readonly from: number;
}

/** What the model reads of a sequence. */
export function inputOf({ ids }: Sequence): Int32Array {
  return ids.subarray(0, ids.length - 1);
}
