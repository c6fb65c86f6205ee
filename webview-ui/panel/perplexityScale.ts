/** The part of the perplexities that a chart shows. */
export interface PerplexityScale {
  readonly kind: 'linear' | 'logarithmic';
  readonly min: number;
  readonly max: number;
  /** How many values lie above and are drawn at the upper edge. */
  readonly above: number;
}

/** A scale wider than this is logarithmic. */
const WIDE = 4;

/**
 * Metrics that wreck the model have perplexities in the millions and would flatten everything of interest. So the scale ends where
 * the bulk does, references included, and says how many lie beyond.
 *
 * @param values perplexities of candidates
 * @param references perplexities that must be seen: dense, the baselines, the best
 * @param bulk share of the values that is to be seen
 */
export function perplexityScale(
  values: readonly number[],
  references: readonly number[],
  bulk = 0.85,
): PerplexityScale {
  const seen = references.filter(Number.isFinite);
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const lowest = Math.min(...seen, sorted[0] ?? Infinity);
  const highestReference = Math.max(...seen, sorted[0] ?? -Infinity);
  if (!Number.isFinite(lowest)) return { kind: 'linear', min: 0, max: 1, above: 0 };
  const quantile = sorted[Math.min(sorted.length - 1, Math.floor(bulk * sorted.length))] ?? highestReference;
  // What lies a hundred times above the best is wreckage, however much of it there is.
  const top = Math.max(highestReference, Math.min(quantile, lowest * 100));
  const isLinear = top / lowest < WIDE;
  const margin = isLinear ? (top - lowest || top * 0.01) * 0.06 : 0;
  const [min, max] = isLinear ? [lowest - margin, top + margin] : [lowest / 1.05, top * 1.1];
  return {
    kind: isLinear ? 'linear' : 'logarithmic',
    min,
    max,
    above: values.filter((value) => !(value <= max)).length,
  };
}
