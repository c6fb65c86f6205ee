import type { TaskResult } from '../../experiment/taskSchema.ts';
import type { FinalistEvent } from './events.ts';

/** What a finalist or a baseline was asked: with the test text where there is one, else with the fitness text. */
export function finalTaskResults({
  result,
  test,
}: Pick<FinalistEvent, 'result' | 'test'>): readonly TaskResult[] | undefined {
  return test?.tasks ?? result?.tasks;
}
