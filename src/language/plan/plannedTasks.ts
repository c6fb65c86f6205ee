import { knownTask } from '../../experiment/taskNames.ts';
import { TASKS } from '../../experiment/tasks.ts';
import type { Beginning, Harness } from '../../experiment/tasks.ts';
import type { PlannedTask, PlannedTasks } from '../../experiment/taskSchema.ts';
import type { BlockContent, SaidTask } from '../check/document.ts';
import { locate } from './plannedInputs.ts';

/** What flags say of all tasks. */
export interface TasksOverlay {
  readonly shots?: number;
  readonly limit?: number;
}

/**
 * The tasks that a block asks for, with paths as they are used; whose documents are named nowhere is looked for by whoever runs the plan.
 *
 * @returns undefined where it asks for none
 */
export function plannedTasks(
  { tasks = [], asking = {} }: Pick<BlockContent, 'tasks' | 'asking'>,
  folder: string,
  overlay: TasksOverlay = {},
): PlannedTasks | undefined {
  if (tasks.length === 0) return undefined;
  // Each was checked against its row.
  const { harness = '0.4', bos } = asking as { readonly harness?: Harness; readonly bos?: Beginning };
  // Version 0.3 refuses tokenizers that put one.
  const beginning = bos ?? (harness === '0.3' ? 'none' : 'tokenizer');
  return { list: tasks.map((task) => plannedTask(task, folder, overlay)), harness, beginning };
}

/** Tasks with what was said of all of them on top. */
export function tasksUnder(tasks: readonly SaidTask[], overlay: TasksOverlay): readonly SaidTask[] {
  return tasks.map((task) => ({ ...task, ...overlay }));
}

function plannedTask({ name, own, ...said }: SaidTask, folder: string, overlay: TasksOverlay): PlannedTask {
  const known = knownTask(name);
  const documents = said.documents ?? own?.path;
  // Other documents have other examples than those of the declaration only where that is said.
  const examples = said.examples ?? own?.examples;
  return {
    task: name,
    ...(documents !== undefined && { documents: locate(folder, documents) }),
    ...(examples !== undefined && { examples: locate(folder, examples) }),
    shots: overlay.shots ?? said.shots ?? own?.shots ?? (known ? TASKS[known.row].shots : 0),
    limit: overlay.limit ?? said.limit ?? own?.limit ?? 0,
    ...(own && { template: own.template }),
  };
}
