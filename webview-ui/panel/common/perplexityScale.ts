/** The part of the perplexities that a chart shows. */
export interface PerplexityScale {
  readonly kind: 'linear' | 'logarithmic';
  /** Both 0 where there is nothing to show. */
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
  const highestReference = seen.length > 0 ? Math.max(...seen) : (sorted[0] ?? lowest);
  if (!Number.isFinite(lowest)) return { kind: 'linear', min: 0, max: 0, above: 0 };
  const quantile = sorted[Math.min(sorted.length - 1, Math.floor(bulk * sorted.length))] ?? highestReference;
  // What lies ten times above the best is wreckage, however much of it there is.
  const top = Math.max(highestReference, Math.min(quantile, lowest * 10));
  const isLinear = top / lowest < WIDE;
  // Never so narrow that what is noise looks like a difference.
  const margin = isLinear ? Math.max((top - lowest) * 0.06, top * 0.0025) : 0;
  const [min, max] = isLinear ? [lowest - margin, top + margin] : [lowest / 1.05, top * 1.1];
  return {
    kind: isLinear ? 'linear' : 'logarithmic',
    min,
    max,
    above: values.filter((value) => !(value <= max)).length,
  };
}

/** Round numbers inside a scale, five or so of them. */
export function niceTicks({ kind, min, max }: PerplexityScale): number[] {
  if (max === 0) return [];
  if (kind === 'linear') {
    const rough = (max - min) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
    const first = Math.ceil(min / step);
    return Array.from({ length: Math.floor(max / step) - first + 1 }, (_, i) =>
      Number(((first + i) * step).toPrecision(12)),
    );
  }
  const decades = Math.log10(max / min);
  const factors = decades > 3 ? [1] : decades > 1.3 ? [1, 2, 5] : [1, 1.5, 2, 3, 5, 7];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++)
    ticks.push(...factors.map((factor) => Number((factor * 10 ** power).toPrecision(12))));
  return ticks.filter((value) => value >= min && value <= max);
}
