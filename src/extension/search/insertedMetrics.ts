import { plainLine } from '../../base/plainText.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { MetricSearchPlan } from '../../search/metrics/plan.ts';
import type { MetricCandidate } from '../../search/metrics/events.ts';
import { parsePrefix } from '../../metric/parsePrefix.ts';
import { printInfix } from '../../metric/print.ts';
import type { SearchOpening } from '../../search/lifecycle/events.ts';
import { FITNESS_WORDS, formatFitness } from '../../search/lifecycle/fitnessText.ts';
import { denseFitness, objectiveOf } from '../../search/lifecycle/objective.ts';
import { fitnessOf } from '../../search/lifecycle/outcome.ts';

/** What is written into a file for a candidate, and how it is found there again. */
export interface Origin {
  readonly runId: string;
  readonly plan: MetricSearchPlan;
  readonly opening: SearchOpening | undefined;
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
  { runId, plan, opening }: Origin,
  newLine: string,
): string {
  const fitness = fitnessOf(candidate);
  const objective = objectiveOf(opening);
  const ofDense = denseFitness(opening);
  const dense = ofDense === undefined ? '' : ` (dense ${formatFitness(ofDense, objective)})`;
  const number =
    fitness === undefined
      ? 'unknown'
      : `${candidate.outcome.kind === 'stopped' ? 'about ' : ''}${formatFitness(fitness, objective)}${dense} at ${printSparsity(plan.sparsity).replace('%', ' %')}`;
  return [
    `/// ${FITNESS_WORDS[objective].title} ${number}, as ranked in the search ${plainLine(plan.name)}`,
    `/// (run ${runId}, candidate ${candidate.id}).`,
    `metric ${name} = ${printInfix(parsePrefix(candidate.expression))}`,
  ].join(newLine);
}
