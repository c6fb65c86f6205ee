import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { Candidate } from '../../experiment/measuringSchema.ts';
import type { RateSearchPlan } from './plan.ts';
import { evaluationOf } from './target.ts';

/** What a search for rates proposes. */
export interface Configuration {
  /** One for each block: the share of its weights that goes. */
  readonly rates: readonly number[];
}

/** What a worker measures of it. */
export function measurable({ rates }: Configuration): Candidate {
  return { kind: 'rates', rates };
}

/** What it is evaluated as outside of the search. @param name what the evaluation is called; as the target without it */
export function evaluationWith(plan: RateSearchPlan, { rates }: Configuration, name?: string): PlannedEvaluation {
  return evaluationOf(plan, { kind: 'given', rates }, name);
}

/** `20 30 45 %`, one number for each block. */
export function configurationText({ rates }: Configuration): string {
  return `${rates.map((rate) => Math.round(rate * 100)).join(' ')} %`;
}
