import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { StepHooks } from '../forward/step.ts';
import { type OpenedTasks, openTasks, type TaskPlaces } from '../scoring/openTasks.ts';
import { packAll } from '../scoring/packedSequences.ts';
import type { SweepInputs } from './sweepInputs.ts';

/** What a sweep works on with what a plan's tasks ask, and these; both as they are where it has none. */
export interface PreparedTasks {
  readonly inputs: SweepInputs;
  readonly tasks: OpenedTasks | undefined;
}

/** @throws EspalierError as {@link openTasks} */
export async function prepareTasks(
  { tasks: planned }: Pick<EvaluationPlan, 'tasks'>,
  inputs: SweepInputs,
  hooks: StepHooks,
  places: TaskPlaces = {},
): Promise<PreparedTasks> {
  if (!planned) return { inputs, tasks: undefined };
  const { checkpoint, device } = inputs;
  const tasks = await openTasks(planned, inputs, hooks, places);
  const asked = await packAll(checkpoint.config, device, tasks.sequences, places.cacheFolder);
  return { inputs: { ...inputs, asked }, tasks };
}

/** As fingerprints of results take them. */
export function fingerprintsOf(tasks: OpenedTasks): readonly string[] {
  return tasks.tasks.map(({ fingerprint }) => fingerprint);
}
