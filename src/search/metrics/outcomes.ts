import type { CandidateOutcome, MetricEvent } from './events.ts';
import { constantValue } from '../../metric/constant.ts';
import { depthOf, operandsOf } from '../../metric/measure.ts';
import { printPrefix } from '../../metric/print.ts';
import type { MeasureOutcome } from '../lifecycle/events.ts';
import {
  accuracyOf,
  FITNESS_NOUNS,
  fitnessOfLoss,
  measuredFitness,
  measuredIn,
  objectiveOf,
} from '../lifecycle/objective.ts';
import type { Objective } from '../lifecycle/objective.ts';
import type { Rung } from '../lifecycle/rung.ts';
import type { Evaluated, Proposed } from './candidate.ts';
import { climb } from './ladder.ts';
import type { Climb } from './ladder.ts';
import type { SearchContext } from './searchContext.ts';

/** How it is known that two rank the same. */
export type SharedBy = 'canonical' | 'mask';

/** What a candidate comes to is said in these words, whichever way the search goes about it. */
export function candidateEvent(evaluated: Evaluated): Extract<MetricEvent, { kind: 'candidate' }> {
  const { id, generation, operator, parents, call, expression, size, outcome } = evaluated;
  return {
    kind: 'candidate',
    ...{ id, generation, operator, parents, size, outcome },
    expression: printPrefix(expression),
    depth: depthOf(expression),
    ...(call !== undefined && { call }),
  };
}

/** How far a candidate has come with one more answer, which is counted as work; or why it has no fitness. */
export function climbed(
  before: Climb,
  answer: MeasureOutcome,
  { knowledge, options: { opening } }: Pick<SearchContext, 'knowledge' | 'options'>,
): { readonly kind: 'climb'; readonly climb: Climb } | Extract<CandidateOutcome, { kind: 'invalid' }> {
  if (answer.kind === 'invalid') return answer;
  knowledge.countBlocks(answer.blocks);
  const after = climb(before, answer, opening);
  const objective = objectiveOf(opening);
  return hasFitness(after, objective) ? { kind: 'climb', climb: after } : notFinite(objective);
}

/** The outcome of a candidate that goes no further than a rung. */
export function reachedOutcome(
  reached: Climb,
  { index }: Rung,
  { rungs, options }: Pick<SearchContext, 'rungs' | 'options'>,
): CandidateOutcome {
  const isLast = index === rungs.length - 1;
  const objective = objectiveOf(options.opening);
  const accuracy = isLast ? accuracyOf(reached) : undefined;
  const fitness = measuredFitness(fitnessOfLoss(reached.estimates.at(-1)!, objective), objective, accuracy);
  return isLast ? { kind: 'full', ...fitness } : { kind: 'stopped', rung: index, blocks: reached.blocks, ...fitness };
}

/** Why no evaluation is needed to know that it cannot rank; undefined where one is. */
export function algebraicProblem({ expression, canonical }: Proposed): CandidateOutcome | undefined {
  if (operandsOf(expression).length === 0) {
    return { kind: 'invalid', reason: 'no-operand', detail: 'it has no operand: every weight has the same score' };
  }
  const value = constantValue(expression) ?? constantValue(canonical.expression);
  if (value === undefined) return undefined;
  return { kind: 'invalid', reason: 'constant', detail: `it is ${value} for every weight` };
}

/** The outcome of a candidate that shares the evaluation of another. */
export function sharedOutcome(of: Evaluated, by: SharedBy): CandidateOutcome {
  if (of.outcome.kind === 'invalid') return of.outcome;
  return { kind: 'shared', of: of.id, by, ...measuredIn(of.outcome) };
}

function notFinite(objective: Objective): Extract<CandidateOutcome, { kind: 'invalid' }> {
  return {
    kind: 'invalid',
    reason: 'not-finite',
    detail: `the pruned model has no finite ${FITNESS_NOUNS[objective]}`,
  };
}

function hasFitness({ estimates }: Climb, objective: Objective): boolean {
  const fitness = fitnessOfLoss(estimates.at(-1)!, objective);
  return Number.isFinite(fitness) && (objective !== 'perplexity' || fitness > 0);
}
