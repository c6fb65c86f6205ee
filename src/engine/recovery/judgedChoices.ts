import type { TextInputs } from '../../experiment/planSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import type { PlannedTasks, TaskResult } from '../../experiment/taskSchema.ts';
import type { RecoveryPoint } from '../../search/recovery/events.ts';
import { evaluatePlan } from '../evaluation/evaluatePlan.ts';
import { fingerprint } from '../evaluation/fingerprint.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import { fingerprintsOf } from '../evaluation/prepareTasks.ts';
import type { StepHooks } from '../forward/step.ts';
import { taskResults } from '../scoring/taskResults.ts';
import type { RecoveredTasks, RecoverySession } from './recoverySession.ts';

/** What a state was asked, beside the dense model where that has been asked the same under this provenance. */
export function judgedTasks(
  { opened, outcome }: RecoveredTasks,
  { settings }: Pick<TextInputs, 'settings'>,
  { provenance }: Pick<EvaluationResult, 'provenance'>,
  { dense }: Pick<EngineState, 'dense'>,
): readonly TaskResult[] {
  const ofDense = dense.get(fingerprint(undefined, { settings }, provenance, false, fingerprintsOf(opened)));
  return taskResults(opened, outcome, ofDense?.tasks?.scores);
}

/**
 * What a state of an open recovery does on tasks with choices. The dense model is asked the same once more where that was done by another process,
 * before a run went on.
 *
 * @param before of what was pruned, on the same text
 */
export async function judgedChoices(
  session: RecoverySession,
  point: RecoveryPoint,
  inputs: TextInputs & { readonly tasks: PlannedTasks },
  before: Pick<EvaluationResult, 'provenance'>,
  hooks: StepHooks,
  state: EngineState,
): Promise<readonly TaskResult[]> {
  const found = await session.tasks(point, inputs.tasks, hooks);
  const judged = judgedTasks(found, inputs, before, state);
  if (judged.every(({ dense }) => dense !== undefined)) return judged;
  const [dense] = await evaluatePlan({ ...inputs, evaluations: [] }, hooks, state);
  return judgedTasks(found, inputs, dense!, state);
}
