import type { EvaluationResult } from './resultSchema.ts';

type Judged = Pick<EvaluationResult, 'perplexity'>;

/** An order for sorting: the lower perplexity first, what has none last. */
export function byPerplexity(a: Judged, b: Judged): number {
  if (a.perplexity === b.perplexity) return 0;
  return (a.perplexity ?? Infinity) - (b.perplexity ?? Infinity);
}
