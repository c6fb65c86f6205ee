import { tmpdir } from 'node:os';
import type { PerplexityResult } from '../../experiment/resultSchema.ts';
import type { TextInputs } from '../../experiment/planSchema.ts';
import type { PlannedTasks } from '../../experiment/taskSchema.ts';
import { makeTemporaryFolder, removeTemporary } from '../../files/temporary.ts';
import type { RecoveryPoint } from '../../search/recovery/events.ts';
import type { Rights } from '../../tasks/judge.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import type { StepHooks } from '../forward/step.ts';
import { judgedChoices } from '../recovery/judgedChoices.ts';
import type { RecoverySession } from '../recovery/recoverySession.ts';
import { isGenerated, withGenerated } from './evaluateGenerated.ts';
import { answerTask, type AnsweredTask } from './generatedTask.ts';
import { ServedModel } from './servedModel.ts';

/** What is asked of a state, of a recovery that is open. */
export interface AskingRecovered {
  readonly point: RecoveryPoint;
  /** Of what was pruned, evaluated on `inputs` and asked the same. */
  readonly before: PerplexityResult;
  readonly inputs: TextInputs;
  readonly tasks: PlannedTasks;
}

/**
 * A result of a state of a recovery with what that does on tasks, with its weights as they would be written, beside the dense model.
 *
 * @param result of the state's perplexity
 * @throws EspalierError as {@link RecoverySession.tasks}, `answerTask` and {@link ServedModel.open}
 */
export async function askRecovered(
  session: RecoverySession,
  result: PerplexityResult,
  { point, before, inputs, tasks }: AskingRecovered,
  { signal, onProgress }: StepHooks,
  state: EngineState,
  scratchFolder: string = tmpdir(),
): Promise<PerplexityResult> {
  // What is evaluated on the way is nobody's result.
  const hooks: StepHooks = { signal, onProgress };
  const choices = tasks.list.filter((planned) => !isGenerated(planned));
  const generated = tasks.list.filter(isGenerated);
  const chosen =
    choices.length === 0
      ? []
      : await judgedChoices(session, point, { ...inputs, tasks: { ...tasks, list: choices } }, before, hooks, state);
  const scored = { ...result, tasks: chosen };
  if (generated.length === 0) return scored;
  const answers = async (model: string, dense?: readonly Rights[]): Promise<readonly AnsweredTask[]> => {
    const served = await ServedModel.open({ ...inputs, model, evaluations: [] }, hooks, state);
    try {
      const answered: AnsweredTask[] = [];
      for (const [place, planned] of generated.entries())
        answered.push(await answerTask(planned, tasks, served, hooks, dense?.[place]));
      return answered;
    } finally {
      await served.dispose();
    }
  };
  const dense = await answers(inputs.model);
  const folder = await makeTemporaryFolder(scratchFolder, 'espalier-recovered');
  try {
    await session.write(point, folder, 'float32', hooks);
    const own = await answers(
      folder,
      dense.map(({ rights }) => rights),
    );
    return withGenerated(
      scored,
      tasks.list,
      own.map(({ result: answered }) => answered),
    );
  } finally {
    await removeTemporary(folder);
  }
}
