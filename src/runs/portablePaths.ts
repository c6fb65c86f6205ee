import path from 'node:path';
import type { PlannedTasks } from '../experiment/taskSchema.ts';

/** What names by paths what it computes on: a plan of any kind, or where a result comes from. */
interface Inputs {
  readonly model: string;
  readonly text?: string;
  readonly calibration?: string;
  readonly gradients?: string;
  readonly train?: string;
  readonly validate?: string;
  readonly adapter?: string;
  readonly test?: string;
  readonly tasks?: PlannedTasks;
}

/** A path relative to `root` with slashes (`.` of the root itself), or the path itself where there is none (another drive): it means the same in another clone. */
export function portablePath(root: string, file: string): string {
  const relative = path.relative(root, file);
  return (path.isAbsolute(relative) ? file : relative || '.').split(path.sep).join('/');
}

/** The same with other paths. */
export function withPaths<Of extends Inputs>(of: Of, map: (file: string) => string): Of {
  return {
    ...of,
    model: map(of.model),
    ...(of.text !== undefined && { text: map(of.text) }),
    ...(of.calibration !== undefined && { calibration: map(of.calibration) }),
    ...(of.gradients !== undefined && { gradients: map(of.gradients) }),
    ...(of.train !== undefined && { train: map(of.train) }),
    ...(of.validate !== undefined && { validate: map(of.validate) }),
    ...(of.adapter !== undefined && { adapter: map(of.adapter) }),
    ...(of.test !== undefined && { test: map(of.test) }),
    ...(of.tasks && { tasks: tasksWithPaths(of.tasks, map) }),
  };
}

function tasksWithPaths(tasks: PlannedTasks, map: (file: string) => string): PlannedTasks {
  const list = tasks.list.map((task) => ({
    ...task,
    ...(task.documents !== undefined && { documents: map(task.documents) }),
    ...(task.examples !== undefined && { examples: map(task.examples) }),
  }));
  return { ...tasks, list };
}
