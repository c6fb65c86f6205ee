import { plainLine } from '../../base/plainText.ts';
import { formatPerplexity } from '../../experiment/format.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { MetricSearchPlan } from '../../search/metrics/plan.ts';
import type { MetricCandidate } from '../../search/metrics/events.ts';
import { parsePrefix } from '../../metric/parsePrefix.ts';
import { printInfix } from '../../metric/print.ts';
import { perplexityOf } from '../../search/lifecycle/outcome.ts';

/** What is written into a file for a candidate, and how it is found there again. */
export interface Origin {
  readonly runId: string;
  readonly plan: MetricSearchPlan;
  readonly densePerplexity: number | undefined;
}

/** `/// … run ID, candidate 12 …` and the metric below it. */
const MARK =
  /^[ \t]*\/\/\/.*\brun (\S+), candidate (\d+)\b.*(?:\r?\n[ \t]*\/\/\/.*)*\r?\n[ \t]*metric\s+([A-Za-z_]\w*)/gm;

/** Candidates of a run that a text holds as metrics: names by id. */
export function insertedMetrics(text: string, runId: string): Readonly<Record<number, string>> {
  const names: Record<number, string> = {};
  for (const [, run, id, name] of text.matchAll(MARK)) if (run === runId) names[Number(id)] = name!;
  return names;
}

/** The declaration, with a doc comment that says where it comes from. */
export function metricText(
  name: string,
  candidate: MetricCandidate,
  { runId, plan, densePerplexity }: Origin,
  newLine: string,
): string {
  const perplexity = perplexityOf(candidate);
  const dense = densePerplexity === undefined ? '' : ` (dense ${formatPerplexity(densePerplexity)})`;
  const number =
    perplexity === undefined
      ? 'unknown'
      : `${candidate.outcome.kind === 'stopped' ? 'about ' : ''}${formatPerplexity(perplexity)}${dense} at ${printSparsity(plan.sparsity).replace('%', ' %')}`;
  return [
    `/// Perplexity ${number}, as ranked in the search ${plainLine(plan.name)}`,
    `/// (run ${runId}, candidate ${candidate.id}).`,
    `metric ${name} = ${printInfix(parsePrefix(candidate.expression))}`,
  ].join(newLine);
}
