import type { TaskResult } from '../../../src/experiment/taskSchema.ts';
import { finalTaskResults } from '../../../src/search/lifecycle/finalTaskResults.ts';
import type { EvaluatedFinal } from '../../../src/search/lifecycle/finalTaskResults.ts';
import {
  changeText,
  formatMean,
  formatPercent,
  formatPoints,
  leadingMean,
  MARK_MEANS,
  meanOfResults,
  taskColumn,
} from '../../../src/tasks/taskWords.ts';
import type { MeanOfTasks } from '../../../src/tasks/taskWords.ts';
import { h } from '../../shared/dom.ts';

/** What a cell says of an accuracy: `61.2`, `−2.4†` behind it, and with its error where one points at it. Undefined where nothing is known. */
export type AskedCell = { readonly percent: string; readonly change: string; readonly withError: string } | undefined;

/** The columns of a table of finalists for what they were asked: one for each task, and their mean. None where nothing was. */
export interface AskedColumns {
  readonly titles: readonly string[];
  cells(of: EvaluatedFinal): readonly AskedCell[];
  readonly dense: readonly AskedCell[];
}

export function askedColumns(rows: readonly EvaluatedFinal[]): AskedColumns {
  const first = rows.map(finalTaskResults).find((tasks) => tasks !== undefined) ?? [];
  const mean = meanOfResults(first);
  return {
    titles: [...first.map(taskColumn), ...(mean ? ['mean'] : [])],
    cells: (of) => {
      const tasks = finalTaskResults(of);
      const ofTasks = tasks && meanOfResults(tasks);
      return [...first.map((_, place) => taskCell(tasks?.[place])), ...(mean ? [meanCell(ofTasks)] : [])];
    },
    dense: [...first.map(denseCell), ...(mean ? [meanCell(mean.dense && { ...mean, mean: mean.dense })] : [])],
  };
}

export function askedTitles({ titles }: AskedColumns): readonly HTMLElement[] {
  const about = `Accuracy in percent. ${MARK_MEANS}`;
  return titles.map((title) => h('th', { scope: 'col', class: 'number', title: about }, title));
}

export function askedCells(cells: readonly AskedCell[]): readonly HTMLElement[] {
  return cells.map((cell) =>
    cell
      ? h(
          'td',
          { class: 'number', title: cell.withError },
          cell.percent,
          cell.change === '' ? undefined : h('span', { class: 'muted' }, ` ${cell.change}`),
        )
      : h('td', { class: 'number' }, '–'),
  );
}

function taskCell(task: TaskResult | undefined): AskedCell {
  const name = task && leadingMean(task);
  const mean = name && task.means[name];
  if (task === undefined || name === undefined || mean === undefined) return undefined;
  return { percent: formatPercent(mean.value), change: changeText(task, name), withError: formatMean(mean) };
}

/** Of the dense model, as a pruned one has it beside itself. */
function denseCell({ dense }: TaskResult): AskedCell {
  const name = dense && leadingMean({ means: dense });
  const mean = name && dense[name];
  return mean ? { percent: formatPercent(mean.value), change: '', withError: formatMean(mean) } : undefined;
}

function meanCell(of: MeanOfTasks | undefined): AskedCell {
  if (of === undefined) return undefined;
  const { mean, dense } = of;
  const change = dense && dense !== mean ? formatPoints(mean.value, dense.value) : '';
  return { percent: formatPercent(mean.value), change, withError: formatMean(mean) };
}
