import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { Candidate } from '../../experiment/measuringSchema.ts';
import type { RateSearchPlan } from './plan.ts';
import { evaluationOf, targetWords } from './target.ts';

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

/** What a search looks for, for a person: `rates of heads and channels by wanda-sp`. @param quote what a name is set in */
export function subjectWords(
  plan: Pick<RateSearchPlan, 'target' | 'search'>,
  quote = (name: string): string => name,
): string {
  return `rates of ${targetWords(plan.target, quote)}`;
}

/** What it is, of more that is known of it. */
export function configurationOf({ rates }: Configuration): Configuration {
  return { rates };
}

/** For a person. @param ratesText the rates in it, as `20 30 45 %` without it */
export function configurationText({ rates }: Configuration, ratesText = inPercent): string {
  return ratesText(rates);
}

/** The columns of a table of configurations, and the cells of one. Blocks count from 1. */
export function configurationColumns(
  all: readonly Configuration[],
  blocks = all[0]?.rates.length ?? 0,
): { readonly names: readonly string[]; readonly cellsOf: (one: Configuration) => readonly (string | number)[] } {
  return {
    names: Array.from({ length: blocks }, (_, i) => `block ${i + 1}`),
    cellsOf: ({ rates }) => rates,
  };
}

function inPercent(rates: readonly number[]): string {
  return `${rates.map((rate) => Math.round(rate * 100)).join(' ')} %`;
}
