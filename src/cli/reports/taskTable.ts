import { formatSeconds, shortFingerprint } from '../../experiment/format.ts';
import { inputText } from '../../experiment/hubName.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { TaskMean, TaskResult } from '../../experiment/taskSchema.ts';
import type { FinalistEvent } from '../../search/lifecycle/events.ts';
import { finalTaskResults } from '../../search/lifecycle/finalTaskResults.ts';
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

/**
 * What the tasks of a plan gave: for each kind of accuracy a table with a column a task, the dense model first, and of each pruned one what it
 * changed below its numbers; then what was asked. Empty where nothing was.
 *
 * @param results of one plan
 */
export function taskLines(results: readonly EvaluationResult[]): string[] {
  return linesOf(
    results.map(({ metric, sparsity, tasks }) => ({
      name: sparsity === undefined ? metric : `${metric} ${printSparsity(sparsity)}`,
      isDense: sparsity === undefined,
      tasks,
    })),
  );
}

/** The same of what a run has come to and its baselines, in this order. */
export function finalTaskLines(finalists: readonly FinalistEvent[]): string[] {
  return linesOf(
    finalists.map((finalist) => ({ name: finalist.name, isDense: false, tasks: finalTaskResults(finalist) })),
  );
}

/** A model that was asked, or was not. */
interface AskedRow {
  readonly name: string;
  readonly isDense: boolean;
  readonly tasks: readonly TaskResult[] | undefined;
}

function linesOf(results: readonly AskedRow[]): string[] {
  const asked = results.find(({ tasks }) => tasks !== undefined)?.tasks ?? [];
  if (asked.length === 0) return [];
  const tables = MEAN_NAMES.flatMap((name) => {
    const lines = tableOf(results, name);
    return lines.length === 0 ? [] : ['', ...lines];
  });
  const isMarked = results.some(({ tasks = [] }) =>
    tasks.some((task) => MEAN_NAMES.some((name) => isBeyondChance(task, name))),
  );
  return [...tables, ...(isMarked ? ['', MARK_MEANS] : []), '', ...asked.map(askedLine)];
}

/** Of one kind of accuracy; empty where no task has it. */
function tableOf(results: readonly AskedRow[], name: MeanName): string[] {
  const [first] = results.flatMap(({ tasks }) => (tasks ? [tasks] : []));
  const columns = (first ?? []).flatMap((task, i) => (task.means[name] ? [{ title: taskColumn(task), place: i }] : []));
  if (columns.length === 0) return [];
  const rows = results.flatMap(({ name: named, isDense, tasks }) => {
    if (tasks === undefined) return [];
    const mean = name === 'acc' ? meanOfResults(tasks) : undefined;
    const of = columns.map(({ place }) => tasks[place]);
    const change = mean?.dense ? formatPoints(mean.mean.value, mean.dense.value) : '';
    return [
      {
        name: named,
        isDense,
        numbers: [...of.map((task) => meanText(task?.means[name])), ...(mean ? [formatMean(mean.mean)] : [])],
        changes: [...of.map((task) => (task ? changeText(task, name) : '')), ...(mean ? [change] : [])],
        dense: [...of.map((task) => meanText(task?.dense?.[name])), ...(mean?.dense ? [formatMean(mean.dense)] : [])],
      },
    ];
  });
  const [one] = rows;
  const count = meanOfResults(first!)?.count;
  const titles = [...columns.map(({ title }) => title), ...(name === 'acc' && count ? [`mean of ${count}`] : [])];
  // Every pruned model has the dense one beside it: that is told once.
  const dense = rows.some(({ isDense }) => isDense) || !one ? [] : [['dense', ...one.dense]];
  return aligned([
    [`${MEAN_TITLES[name]}, %`, ...titles],
    ...dense,
    ...rows.flatMap(({ name: named, isDense, numbers, changes }) => [
      [named, ...numbers],
      ...(isDense ? [] : [['', ...changes]]),
    ]),
  ]);
}

function meanText(mean: TaskMean | undefined): string {
  return mean ? formatMean(mean) : '–';
}

/** Names left, numbers right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** What was asked of which file, so that another can ask the same. */
function askedLine(task: TaskResult): string {
  const { harness, documents, truncated, requests, tokens, seconds, fingerprint, documentsFile } = task;
  const cut = truncated > 0 ? `, ${truncated} of ${requests} requests cut from the left` : '';
  const how = `${documents} documents as harness ${harness} asks them${cut}`;
  return `${taskColumn(task)}  ${inputText(documentsFile)}  (${how}; ${tokens} tokens in ${formatSeconds(seconds)}; prompts ${shortFingerprint(fingerprint)})`;
}
