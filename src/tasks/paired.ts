/** How two models differ on the same documents. */
export interface Paired {
  /** Documents that the first has right and the second has not, and the other way round. */
  readonly lost: number;
  readonly won: number;
  /** McNemar's exact test, two-sided: how likely chance alone parts them as unevenly, were both equally good. */
  readonly p: number;
}

/**
 * Compares what two models have right of the same documents, in the same order. Documents that both have right, or both wrong, say nothing of the
 * difference: the test is of the others alone, half of which either would win by chance (McNemar 1947; the exact one is binomial, not by χ²).
 */
export function pairedOf(dense: readonly boolean[], pruned: readonly boolean[]): Paired {
  if (dense.length !== pruned.length) throw new RangeError(`${dense.length} documents beside ${pruned.length}`);
  const lost = dense.filter((right, i) => right && !pruned[i]!).length;
  const won = dense.filter((right, i) => !right && pruned[i]!).length;
  return { lost, won, p: Math.min(1, 2 * tail(lost + won, Math.min(lost, won))) };
}

/** How likely at most `most` of `count` fair coins show heads. By logarithms: 2^count has no place in a number. */
function tail(count: number, most: number): number {
  let logarithm = -count * Math.LN2;
  let total = 0;
  for (let heads = 0; heads <= most; heads++) {
    total += Math.exp(logarithm);
    logarithm += Math.log((count - heads) / (heads + 1));
  }
  return total;
}
