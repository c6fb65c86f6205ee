import { markdownCode, markdownText } from '../../base/markdown.ts';
import { shortFingerprint } from '../../experiment/format.ts';
import { inputText } from '../../experiment/hubName.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import type { TaskResult } from '../../experiment/taskSchema.ts';
import {
  changeText,
  formatMean,
  formatPoints,
  isBeyondChance,
  MARK_MEANS,
  MEAN_NAMES,
  MEAN_TITLES,
  meanOfResults,
  taskColumn,
} from '../../tasks/taskWords.ts';
import type { MeanName } from '../../tasks/taskWords.ts';
import { removedText, spacedTable } from './structureText.ts';

/** What tasks gave, in hovers and in comparisons: Markdown. */

type Row = readonly [name: string, value: string];

/** A row a task: its accuracies with their errors, those of the dense model, and what changed. */
export function taskRows({ tasks = [] }: Pick<EvaluationResult, 'tasks'>): readonly Row[] {
  const mean = meanOfResults(tasks);
  const rows = tasks.map((task): Row => [markdownText(taskColumn(task)), accuracies(task)]);
  if (mean) {
    const { mean: own, dense } = mean;
    const against = dense ? ` · dense ${formatMean(dense)}, ${formatPoints(own.value, dense.value)}` : '';
    rows.push([`mean of ${mean.count}`, `acc **${formatMean(own)}**${against}`]);
  }
  return isMarked(tasks) ? [...rows, ['', MARK_MEANS]] : rows;
}

function accuracies(task: TaskResult): string {
  const told = MEAN_NAMES.flatMap((name) => {
    const [own, dense] = [task.means[name], task.dense?.[name]];
    if (own === undefined) return [];
    const against = dense ? ` (dense ${formatMean(dense)}, ${changeText(task, name)})` : '';
    return [`${markdownText(MEAN_TITLES[name])} **${formatMean(own)}**${against}`];
  });
  return told.join(' · ');
}

/** What was asked: which documents, how, and what tells that from other questions. */
export function askedRows({ tasks = [] }: Pick<EvaluationResult, 'tasks'>): readonly Row[] {
  return tasks.map((task): Row => {
    const { documentsFile, documentsHash, documents, harness, requests, truncated, fingerprint } = task;
    const file = `${markdownCode(inputText(documentsFile))} · sha-256 ${markdownCode(documentsHash.slice(0, 12))}`;
    const cut = truncated > 0 ? `, ${truncated} of ${requests} requests cut from the left` : '';
    const how = `${documents} documents as harness ${harness} asks them${cut}`;
    return [
      markdownText(taskColumn(task)),
      `${file} · ${how} · prompts ${markdownCode(shortFingerprint(fingerprint))}`,
    ];
  });
}

/** The cells of several models' tasks: a column each, and their mean. */
export interface TaskCells {
  readonly titles: readonly string[];
  /** In the order of the results. */
  readonly rows: readonly (readonly string[])[];
  /** Whether one of them has a mark that is to be explained. */
  readonly isMarked: boolean;
}

/** @returns undefined where nothing was asked */
export function taskCells(results: readonly Pick<EvaluationResult, 'tasks'>[]): TaskCells | undefined {
  const asked = new Map<string, { readonly task: TaskResult; readonly name: MeanName }>();
  for (const task of results.flatMap(({ tasks = [] }) => tasks)) {
    for (const name of MEAN_NAMES) if (task.means[name]) asked.set(columnOf(task, name), { task, name });
  }
  if (asked.size === 0) return undefined;
  const hasMean = results.some(({ tasks = [] }) => meanOfResults(tasks) !== undefined);
  const rows = results.map(({ tasks = [] }) => {
    const own = new Map(tasks.flatMap((task) => MEAN_NAMES.map((name) => [columnOf(task, name), task] as const)));
    const mean = meanOfResults(tasks);
    const change = mean?.dense ? `, ${formatPoints(mean.mean.value, mean.dense.value)}` : '';
    return [
      ...[...asked].map(([column, { name }]) => cellOf(own.get(column), name)),
      ...(hasMean ? [mean ? `${formatMean(mean.mean)}${change}` : '–'] : []),
    ];
  });
  return {
    titles: [...asked.keys(), ...(hasMean ? ['mean acc'] : [])],
    rows,
    isMarked: results.some(({ tasks = [] }) => isMarked(tasks)),
  };
}

function columnOf(task: TaskResult, name: MeanName): string {
  return `${taskColumn(task)} ${MEAN_TITLES[name]}`;
}

function cellOf(task: TaskResult | undefined, name: MeanName): string {
  const mean = task?.means[name];
  if (task === undefined || mean === undefined) return '–';
  const change = changeText(task, name);
  return `${formatMean(mean)}${change === '' ? '' : `, ${change}`}`;
}

/** The tasks of several results side by side. */
export function tasksTable(results: readonly EvaluationResult[]): string | undefined {
  const cells = taskCells(results);
  if (cells === undefined) return undefined;
  const { titles, rows } = cells;
  const head = ['metric', 'sparsity', ...titles].map(markdownText);
  const lines = results.map((result, i) => [markdownText(result.metric), removedText(result), ...rows[i]!]);
  return [spacedTable(head, lines), ...(cells.isMarked ? ['', MARK_MEANS] : [])].join('\n');
}

function isMarked(tasks: readonly TaskResult[]): boolean {
  return tasks.some((task) => MEAN_NAMES.some((name) => isBeyondChance(task, name) === true));
}
