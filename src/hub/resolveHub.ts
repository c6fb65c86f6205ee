import { EspalierError } from '../base/errors.ts';
import { isHubReference } from '../experiment/hubReference.ts';
import type { PlannedTask, PlannedTasks } from '../experiment/taskSchema.ts';
import { findCached } from './cachedReference.ts';
import type { HubEnvironment } from './hubEnvironment.ts';
import type { HubSession } from './locate.ts';
import { locate, referenceTo } from './locate.ts';
import { cachedTaskFiles, findTaskFiles } from './taskFiles.ts';
import type { TaskFiles } from './taskFiles.ts';

/** What a plan of any kind works on. */
export interface HubInputs {
  readonly model?: string;
  readonly text?: string;
  readonly calibration?: string;
  readonly gradients?: string;
  readonly train?: string;
  readonly validate?: string;
  readonly test?: string;
  readonly tasks?: PlannedTasks;
}

const INPUTS = ['model', 'text', 'calibration', 'gradients', 'train', 'validate', 'test'] as const;

/** Whether a plan names anything by its name on the hub, or a task, whose files are looked for. */
export function namesHub(plan: HubInputs): boolean {
  return plan.tasks !== undefined || INPUTS.some((name) => isHubReference(plan[name] ?? ''));
}

/**
 * A plan with paths in the place of names on the hub, and of those of tasks: the engine knows none. One after the other, so that a person is asked one thing at a
 * time, and the same name is one commit everywhere.
 *
 * @throws EspalierError as {@link locate}, `tasks/not-found`
 */
export async function resolveHub<Plan extends HubInputs>(plan: Plan, session: HubSession): Promise<Plan> {
  const known = new Map<string, string>();
  const resolved = { ...plan };
  for (const name of INPUTS) {
    const said = plan[name];
    if (said === undefined || !isHubReference(said)) continue;
    const what = name === 'model' ? 'model' : 'text';
    const key = `${what} ${said}`;
    const found = known.get(key) ?? (await locate(said, what, session));
    known.set(key, found);
    Object.assign(resolved, { [name]: found });
  }
  if (plan.tasks) {
    const list: PlannedTask[] = [];
    for (const task of plan.tasks.list) list.push(withFiles(task, await filesOf(task, session)));
    Object.assign(resolved, { tasks: { ...plan.tasks, list } });
  }
  return resolved;
}

/** A plan with paths in the place of those names that the cache knows. Nobody is asked; what is missing, or none, stays as it is. */
export async function cachedHub<Plan extends HubInputs>(
  plan: Plan,
  environment: Pick<HubEnvironment, 'cache'>,
): Promise<Plan> {
  const resolved = { ...plan };
  for (const name of INPUTS) {
    const said = plan[name];
    if (said === undefined || !isHubReference(said)) continue;
    const found = await findCachedText(said, name === 'model' ? 'model' : 'text', environment);
    if (found !== undefined) Object.assign(resolved, { [name]: found });
  }
  if (plan.tasks) {
    const list = await Promise.all(
      plan.tasks.list.map(async (task) => {
        const files = await cachedTaskFiles(task, environment);
        return files ? withFiles(task, files) : task;
      }),
    );
    Object.assign(resolved, { tasks: { ...plan.tasks, list } });
  }
  return resolved;
}

/** Of a task that is in no cache, how else its documents can be had. */
async function filesOf(task: PlannedTask, session: HubSession): Promise<TaskFiles> {
  try {
    return await findTaskFiles(task, session);
  } catch (thrown) {
    const isMissing = thrown instanceof EspalierError && /^hub\/(offline|not-agreed)$/.test(thrown.code);
    if (!isMissing || task.documents !== undefined) throw thrown;
    const remedy = `${thrown.data.remedy} Or name a file of your own: --tasks ${task.task}=FILE, or \`documents\` in the experiment.`;
    throw new EspalierError({ ...thrown.data, remedy }, { cause: thrown });
  }
}

/** In the order of the schema: what is kept is compared as it is written. */
function withFiles({ task, shots, limit, template }: PlannedTask, files: TaskFiles): PlannedTask {
  return { task, ...files, shots, limit, ...(template && { template }) };
}

/** What is wrong with a name is told when it is meant to run. */
async function findCachedText(
  said: string,
  what: 'model' | 'text',
  environment: Pick<HubEnvironment, 'cache'>,
): Promise<string | undefined> {
  try {
    const found = await findCached(environment, referenceTo(said, what));
    return 'path' in found ? found.path : undefined;
  } catch (thrown) {
    if (thrown instanceof EspalierError) return undefined;
    throw thrown;
  }
}
