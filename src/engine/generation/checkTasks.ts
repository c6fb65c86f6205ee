import type { PlannedTasks } from '../../experiment/taskSchema.ts';
import { promptsOf } from '../../tasks/requests.ts';
import { openCheckpoint } from '../checkpoint/checkpoint.ts';
import { openTask } from '../corpus/taskDocuments.ts';
import type { StepHooks } from '../forward/step.ts';
import { openTasks } from '../scoring/openTasks.ts';
import { isGenerated } from './evaluateGenerated.ts';

/**
 * Reads and encodes what a run is to ask at its end: what is wrong with a document is told before hours of searching, not after.
 *
 * @throws EspalierError as {@link openTasks}
 */
export async function checkTasks(
  { list, ...how }: PlannedTasks,
  model: string,
  { signal, onProgress }: StepHooks,
): Promise<void> {
  const checkpoint = await openCheckpoint(model);
  try {
    const choices = list.filter((planned) => !isGenerated(planned));
    await openTasks({ ...how, list: choices }, { checkpoint }, { signal, onProgress });
    for (const planned of list.filter(isGenerated))
      promptsOf(planned, await openTask(planned, { signal }), how.harness);
  } finally {
    checkpoint.close();
  }
}
