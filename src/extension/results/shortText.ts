import { byPerplexity } from '../../tasks/byPerplexity.ts';
import { protocolText } from '../../experiment/deviations.ts';
import { formatChange, formatPerplexity, perplexityDigits } from '../../experiment/format.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { accuracyOf, formatPercent, shortAccuracy } from '../../tasks/taskWords.ts';
import { removedText } from '../evaluate/structureText.ts';
import { thenText } from '../evaluate/updateText.ts';

/** Results beside a line where there is little room: the number, what pruning costs, and the protocol that it was computed under. */

/**
 * `145.7 · +1.7 %`; of several sparsities the first, with what an update makes of it, and how many more there are:
 * `106.7 · +6.4 %, 102.5 then admm, 3 more`.
 */
export function shortResults(results: readonly EvaluationResult[]): string {
  const [first] = results;
  if (first === undefined) return '';
  const removed = removedText(first);
  const updated = results.slice(1).find((result) => thenText(result) !== '' && removedText(result) === removed);
  const beside = updated === undefined ? '' : `, ${figureOf(updated)}${thenText(updated)}`;
  const others = results.length - (updated === undefined ? 1 : 2);
  return `${shortResult(first)}${thenText(first)}${beside}${more(others)}${underProtocol(first)}`;
}

/** The best of those that are asked for first: `wanda 145.7 · +1.7 %, 2 more`. */
export function shortExperiment(results: readonly EvaluationResult[]): string {
  const [first] = results;
  if (first?.sparsity === undefined) return shortResults(results);
  const group = results.filter((result) => removedText(result) === removedText(first));
  const best = group.reduce((a, b) => (byPerplexity(a, b) > 0 ? b : a));
  const digits = perplexityDigits(group.map(({ perplexity }) => perplexity));
  return `${best.metric} ${shortResult(best, digits)}${more(results.length - 1)}${underProtocol(best)}`;
}

function shortResult({ sparsity, perplexity, densePerplexity, tasks }: EvaluationResult, digits?: number): string {
  const accuracy = accuracyOf(tasks);
  const asked = accuracy ? [shortAccuracy(accuracy)] : [];
  if (perplexity === undefined) return [...asked, ...(sparsity === undefined ? ['dense'] : [])].join(' · ');
  const change = sparsity === undefined ? 'dense' : formatChange(perplexity, densePerplexity);
  return [formatPerplexity(perplexity, digits), change, ...asked].join(' · ');
}

/** The one number of a result. */
function figureOf({ perplexity, tasks }: EvaluationResult): string {
  const accuracy = perplexity === undefined ? accuracyOf(tasks) : undefined;
  return accuracy ? formatPercent(accuracy.mean.value) : formatPerplexity(perplexity);
}

/** ` · wanda, but length 1024, 2 more`: the hover lists them all. */
function underProtocol({ provenance: { protocol, deviations = [] } }: EvaluationResult): string {
  if (protocol === undefined) return '';
  const others = deviations.length > 1 ? `, ${deviations.length - 1} more` : '';
  return ` · ${protocolText(protocol, deviations.slice(0, 1))}${others}`;
}

function more(others: number): string {
  return others > 0 ? `, ${others} more` : '';
}
