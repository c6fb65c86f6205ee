import type { PlanInputs } from '../experiment/planSchema.ts';
import type { EvaluationResult } from '../experiment/resultSchema.ts';
import type { PlannedTasks } from '../experiment/taskSchema.ts';
import type { AnySearchState } from '../search/folds.ts';
import type { RunPlan } from '../search/kinds.ts';

/** One number of a report with all that is needed to have it again. Paths are absolute, or names on the hub. */
export interface ReportedEvaluation {
  readonly inputs: PlanInputs;
  readonly tasks?: PlannedTasks;
  readonly result: EvaluationResult;
  /** Where it was found: `evaluation`, or what a person calls the run. */
  readonly from: string;
}

/** A run as it is reported. */
export interface ReportedRun {
  /** Name of its folder. */
  readonly id: string;
  /** What a person calls it. */
  readonly title: string;
  /** With absolute paths. */
  readonly plan: RunPlan;
  readonly state: AnySearchState;
  readonly versions: Readonly<Record<string, string>>;
  /** Of the plan. */
  readonly fingerprint: string;
  /** What it was evaluated to at the end, baselines among them. */
  readonly finalists: readonly ReportedFinalist[];
}

export interface ReportedFinalist {
  readonly name: string;
  /** Place among what was found, counted from 1; none of a baseline. */
  readonly place?: number;
  /** On the fitness text, and on the one that the search never saw. */
  readonly fitness?: ReportedEvaluation;
  readonly test?: ReportedEvaluation;
  /** Why there is neither. */
  readonly failed?: string;
}

/** What a report is made of. */
export interface Reported {
  readonly evaluations: readonly ReportedEvaluation[];
  readonly runs: readonly ReportedRun[];
  /** What was asked for and is not there, in sentences. */
  readonly missing: readonly string[];
}

/** Everything in it that has a number, once. */
export function everyEvaluation({ evaluations, runs }: Reported): readonly ReportedEvaluation[] {
  const found = [
    ...evaluations,
    ...runs.flatMap(({ finalists }) => finalists.flatMap(({ fitness, test }) => [fitness, test])),
  ].filter((one) => one !== undefined);
  const seen = new Map(found.map((one) => [one.result.fingerprint, one]));
  return [...seen.values()];
}
