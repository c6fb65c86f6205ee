import type { EvaluationResult } from '../experiment/resultSchema.ts';
import { accuracyOf } from './taskWords.ts';

type Judged = Pick<EvaluationResult, 'perplexity' | 'tasks'>;

/** An order for sorting: the lower perplexity first, what has none last; of equals, and where there are none, the higher accuracy. */
export function byPerplexity(a: Judged, b: Judged): number {
  if (a.perplexity === b.perplexity) return accuracyIn(b) - accuracyIn(a);
  return (a.perplexity ?? Infinity) - (b.perplexity ?? Infinity);
}

function accuracyIn({ tasks }: Judged): number {
  return accuracyOf(tasks)?.mean.value ?? 0;
}
