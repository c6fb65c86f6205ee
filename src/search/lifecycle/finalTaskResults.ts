import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import type { TaskResult } from '../../experiment/taskSchema.ts';

/** A finalist or a baseline, as far as it was evaluated. */
export interface EvaluatedFinal {
  /** On the fitness text. */
  readonly result?: Pick<EvaluationResult, 'tasks'> | undefined;
  /** On the text that the search never saw. */
  readonly test?: Pick<EvaluationResult, 'tasks'> | undefined;
}

/** What it was asked: with the test text where there is one, else with the fitness text. */
export function finalTaskResults({ result, test }: EvaluatedFinal): readonly TaskResult[] | undefined {
  return test?.tasks ?? result?.tasks;
}
