import { sum } from '../base/sum.ts';
import type { TaskMean } from '../experiment/taskSchema.ts';

/** Mean over documents, and its standard error: the sample deviation (n − 1) over √n, null of one document (`api/metrics.py`, mean_stderr). */
export function meanOf(right: readonly boolean[]): TaskMean {
  const count = right.length;
  const value = sum(right.map(Number)) / count;
  if (count < 2) return { value, error: null };
  const squares = sum(right.map((each) => (Number(each) - value) ** 2));
  return { value, error: Math.sqrt(squares / (count - 1) / count) };
}

/** A task of a group. */
export interface GroupPart {
  readonly documents: number;
  readonly mean: TaskMean;
}

/**
 * Standard error of a group's mean that is weighted by documents (`api/group.py`, `api/metrics.py` pooled_sample_stderr):
 * √(Σ (nᵢ − 1) · nᵢ · seᵢ² / (N − parts) / N). Not that of the documents put together.
 *
 * @returns undefined where a part has one document alone
 */
export function pooledError(parts: readonly GroupPart[]): number | undefined {
  const count = sum(parts.map(({ documents }) => documents));
  const variances: number[] = [];
  for (const { documents, mean } of parts) {
    if (mean.error === null) return undefined;
    variances.push((documents - 1) * documents * mean.error ** 2);
  }
  return Math.sqrt(sum(variances) / (count - parts.length) / count);
}

/**
 * Mean over tasks, each counting the same whatever its size, as Wanda, Pruner-Zero and Self-Pruner form it of their seven; its error as of
 * independent means. Null where a task has none.
 */
export function meanOfTasks(means: readonly TaskMean[]): TaskMean {
  const errors = means.map(({ error }) => error);
  const known = errors.filter((error) => error !== null);
  return {
    value: sum(means.map(({ value }) => value)) / means.length,
    error: known.length < errors.length ? null : Math.sqrt(sum(known.map((error) => error ** 2))) / means.length,
  };
}
