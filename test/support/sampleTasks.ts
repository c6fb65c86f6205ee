import type { TaskResult } from '../../src/experiment/taskSchema.ts';
import { SEVEN } from '../../src/experiment/tasks.ts';
import { without } from './without.ts';

/** What a task gave a pruned model, for tests of what is told of it. */
export function sampleTask(changes: Partial<TaskResult> = {}): TaskResult {
  return {
    task: 'piqa',
    harness: '0.4',
    shots: 0,
    documents: 1838,
    means: { acc: { value: 0.612, error: 0.0114 }, acc_norm: { value: 0.6205, error: 0.0113 } },
    dense: { acc: { value: 0.636, error: 0.0112 }, acc_norm: { value: 0.62, error: 0.0113 } },
    paired: { acc: { lost: 120, won: 76, p: 0.002 }, acc_norm: { lost: 60, won: 61, p: 1 } },
    requests: 3676,
    truncated: 0,
    tokens: 160_000,
    seconds: 12.3,
    fingerprint: 'd'.repeat(64),
    documentsFile: '/data/piqa.jsonl',
    documentsHash: 'e'.repeat(64),
    ...changes,
  };
}

/** The same of the dense model itself. */
export function denseTask(changes: Partial<TaskResult> = {}): TaskResult {
  const task = sampleTask(changes);
  return { ...without(task, 'dense', 'paired'), means: task.dense ?? task.means };
}

/** All seven, each with another accuracy; without acc_norm. */
export function sevenTasks(): readonly TaskResult[] {
  return SEVEN.map((task, i) =>
    sampleTask({
      task,
      means: { acc: { value: 0.5 + i / 100, error: 0.01 } },
      dense: { acc: { value: 0.55, error: 0.01 } },
      paired: { acc: { lost: 2, won: 1, p: 1 } },
    }),
  );
}
