import { SEVEN } from '../experiment/tasks.ts';
import { taskTitle } from '../experiment/taskNames.ts';
import { meanOfTasks } from './means.ts';
import type { TaskMean, TaskResult } from '../experiment/taskSchema.ts';

/** How what tasks gave is spelled for a person, the same in the editor and on the command line: in percent, changes in points. */

export type MeanName = keyof TaskResult['means'];

/** In the order in which they are told, with what each is called. */
export const MEAN_TITLES: Readonly<Record<MeanName, string>> = {
  acc: 'acc',
  acc_norm: 'acc_norm',
  strict_match: 'exact match, strict',
  flexible_extract: 'exact match, flexible',
};
export const MEAN_NAMES = Object.keys(MEAN_TITLES) as readonly MeanName[];

/** By which a task is told where there is room for one: its accuracy, or the strict match of what is generated. */
export function leadingMean({ means }: Pick<TaskResult, 'means'>): MeanName | undefined {
  return MEAN_NAMES.find((name) => means[name] !== undefined);
}

/** `61.2` */
export function formatPercent(share: number): string {
  return (100 * share).toFixed(1);
}

/** `61.2 ± 1.1`: with its standard error, where it has one. */
export function formatMean({ value, error }: TaskMean): string {
  return error === null ? formatPercent(value) : `${formatPercent(value)} ± ${formatPercent(error)}`;
}

/** `−2.4`: percentage points. */
export function formatPoints(value: number, reference: number): string {
  const points = 100 * (value - reference);
  const rounded = Math.abs(points).toFixed(1);
  return `${Number(rounded) === 0 ? '±' : points < 0 ? '−' : '+'}${rounded}`;
}

/** A smaller p is told as a difference; 0.05 as everywhere. */
export const SIGNIFICANT = 0.05;

/** What the mark of {@link isBeyondChance} means. */
export const MARK = '†';
export const MARK_MEANS = `${MARK} another number of right answers than dense, beyond chance: p < ${SIGNIFICANT} by McNemar’s exact test over the same documents`;

/** Whether an accuracy differs from the dense model's by more than chance explains, over the same documents; undefined where nobody compared. */
export function isBeyondChance({ paired }: Pick<TaskResult, 'paired'>, name: MeanName): boolean | undefined {
  const p = paired?.[name]?.p;
  return p === undefined ? undefined : p < SIGNIFICANT;
}

/** `−2.4†`; empty of the dense model itself. */
export function changeText(task: Pick<TaskResult, 'means' | 'dense' | 'paired'>, name: MeanName): string {
  const [own, dense] = [task.means[name], task.dense?.[name]];
  if (own === undefined || dense === undefined) return '';
  return `${formatPoints(own.value, dense.value)}${isBeyondChance(task, name) === true ? MARK : ''}`;
}

/** `PIQA`, `PIQA (5 shots)`. */
export function taskColumn({ task, shots }: Pick<TaskResult, 'task' | 'shots'>): string {
  return shots === 0 ? taskTitle(task) : `${taskTitle(task)} (${shots} ${shots === 1 ? 'shot' : 'shots'})`;
}

/** The mean of several tasks' accuracies, each counting once. */
export interface MeanOfTasks {
  readonly count: number;
  readonly mean: TaskMean;
  /** Of the dense model; undefined of itself. */
  readonly dense: TaskMean | undefined;
}

/**
 * The mean as papers form it: unweighted, of the seven tasks where each is there once, else of all with an accuracy. Its error is that of
 * independent tasks, √(Σ se²) / n.
 *
 * @returns undefined of fewer than two
 */
export function meanOfResults(tasks: readonly TaskResult[]): MeanOfTasks | undefined {
  const seven = SEVEN.flatMap((name) => tasks.filter(({ task }) => task === name));
  const isSeven = seven.length === SEVEN.length && new Set(seven.map(({ task }) => task)).size === SEVEN.length;
  const counted = isSeven ? seven : tasks;
  const means = counted.flatMap(({ means: { acc } }) => acc ?? []);
  const dense = counted.flatMap((task) => task.dense?.acc ?? []);
  if (means.length < 2) return undefined;
  return {
    count: means.length,
    mean: meanOfTasks(means),
    dense: dense.length === means.length ? meanOfTasks(dense) : undefined,
  };
}

/** The one figure that a model is told by: the mean of its tasks, or that of the first. */
export interface Accuracy {
  /** `acc`, or `exact match` of what is generated. */
  readonly name: string;
  readonly mean: TaskMean;
  /** Of the dense model; undefined of itself. */
  readonly dense: TaskMean | undefined;
  /** What it is of: `mean of 7`, `PIQA`. */
  readonly of: string;
}

export function accuracyOf(tasks: readonly TaskResult[] = []): Accuracy | undefined {
  const all = meanOfResults(tasks);
  if (all !== undefined) return { name: 'acc', mean: all.mean, dense: all.dense, of: `mean of ${all.count}` };
  const [first] = tasks;
  const name = first && leadingMean(first);
  const mean = name && first.means[name];
  if (first === undefined || name === undefined || mean === undefined) return undefined;
  return { name: name === 'acc' ? name : 'exact match', mean, dense: first.dense?.[name], of: taskColumn(first) };
}

/** Where there is little room: `acc 61.2 (−2.4)`. */
export function shortAccuracy({ name, mean, dense }: Accuracy): string {
  const change = dense ? ` (${formatPoints(mean.value, dense.value)})` : '';
  return `${name} ${formatPercent(mean.value)}${change}`;
}

/** What stands beside a perplexity: `acc 61.2 ± 1.1, −2.4 of dense`, of several tasks their mean, of several without one each. */
export function tasksLine(tasks: readonly TaskResult[] = []): string | undefined {
  const all = meanOfResults(tasks);
  const [first] = tasks;
  if (all === undefined && tasks.length > 1) return tasks.map((task) => tasksLine([task])).join(' · ');
  const accuracy = accuracyOf(tasks);
  if (accuracy === undefined || first === undefined) return undefined;
  const { name, mean, dense, of } = accuracy;
  const leading = leadingMean(first)!;
  const change = all ? dense && formatPoints(mean.value, dense.value) : changeText(first, leading);
  return `${name} ${formatMean(mean)}${change ? `, ${change} of dense` : ''} (${of})`;
}
