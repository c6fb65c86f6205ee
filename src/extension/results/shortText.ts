import { formatChange, formatPerplexity, perplexityDigits } from '../../experiment/format.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { removedText } from '../evaluate/structureText.ts';

/** Results beside a line where there is little room: the number, and what pruning costs. */

/** `145.7 · +1.7 %`; of several sparsities the first, and how many more there are. */
export function shortResults(results: readonly EvaluationResult[]): string {
  const [first] = results;
  return first === undefined ? '' : `${shortResult(first)}${more(results)}`;
}

/** The best of those that are asked for first: `wanda 145.7 · +1.7 %, 2 more`. */
export function shortExperiment(results: readonly EvaluationResult[]): string {
  const [first] = results;
  if (first?.sparsity === undefined) return shortResults(results);
  const group = results.filter((result) => removedText(result) === removedText(first));
  const best = group.reduce((a, b) => (b.perplexity < a.perplexity ? b : a));
  const digits = perplexityDigits(group.map(({ perplexity }) => perplexity));
  return `${best.metric} ${shortResult(best, digits)}${more(results)}`;
}

function shortResult({ sparsity, perplexity, densePerplexity }: EvaluationResult, digits?: number): string {
  const change = sparsity === undefined ? 'dense' : formatChange(perplexity, densePerplexity);
  return `${formatPerplexity(perplexity, digits)} · ${change}`;
}

function more(results: readonly EvaluationResult[]): string {
  return results.length > 1 ? `, ${results.length - 1} more` : '';
}
