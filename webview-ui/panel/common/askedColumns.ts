import type { TaskResult } from '../../../src/experiment/taskSchema.ts';
import type { FinalistEvent } from '../../../src/search/lifecycle/events.ts';
import { finalTaskResults } from '../../../src/search/lifecycle/finalTaskResults.ts';
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
import { h } from '../../shared/dom.ts';

type Asked = Pick<FinalistEvent, 'result' | 'test'>;

/** The columns of a table of finalists for what they were asked: one for each task, and their mean. Empty where nothing was. */
export interface AskedColumns {
  readonly titles: readonly HTMLElement[];
  cells(of: Asked): readonly HTMLElement[];
  readonly dense: readonly HTMLElement[];
}

export function askedColumns(rows: readonly Asked[]): AskedColumns {
  const first = rows.map(finalTaskResults).find((tasks) => tasks !== undefined) ?? [];
  const hasMean = meanOfResults(first) !== undefined;
  const names = [...first.map(taskColumn), ...(hasMean ? ['mean'] : [])];
  return {
    titles: names.map((name) =>
      h('th', { scope: 'col', class: 'number', title: `Accuracy in percent. ${MARK_MEANS}` }, name),
    ),
    cells: (of) => {
      const tasks = finalTaskResults(of);
      const mean = tasks && meanOfResults(tasks);
      return [
        ...first.map((_, place) => taskCell(tasks?.[place])),
        ...(hasMean
          ? [
              mean
                ? cell(
                    mean.mean.value,
                    mean.dense ? formatPoints(mean.mean.value, mean.dense.value) : '',
                    formatMean(mean.mean),
                  )
                : noCell(),
            ]
          : []),
      ];
    },
    dense: [
      ...first.map(({ dense }) => {
        const name = dense && leadingMean({ means: dense });
        const mean = name && dense[name];
        return mean ? cell(mean.value, '', formatMean(mean)) : noCell();
      }),
      ...(hasMean ? [denseMean(first)] : []),
    ],
  };
}

/** `61.2 −2.4†` */
function taskCell(task: TaskResult | undefined): HTMLElement {
  const name = task && leadingMean(task);
  const mean = name && task.means[name];
  return task && name && mean ? cell(mean.value, changeText(task, name), formatMean(mean)) : noCell();
}

function denseMean(tasks: readonly TaskResult[]): HTMLElement {
  const dense = meanOfResults(tasks)?.dense;
  return dense ? cell(dense.value, '', formatMean(dense)) : noCell();
}

function cell(share: number, change: string, withError: string): HTMLElement {
  return h(
    'td',
    { class: 'number', title: withError },
    formatPercent(share),
    change === '' ? undefined : h('span', { class: 'muted' }, ` ${change}`),
  );
}

function noCell(): HTMLElement {
  return h('td', { class: 'number' }, '–');
}
