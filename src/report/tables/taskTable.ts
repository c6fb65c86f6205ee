import { formatPercent, MEAN_NAMES, MEAN_TITLES, taskColumn } from '../../tasks/taskWords.ts';
import type { MeanName } from '../../tasks/taskWords.ts';
import type { TaskMean } from '../../experiment/taskSchema.ts';
import { code, column, NONE, text, words } from '../document.ts';
import type { Cell, Table } from '../document.ts';
import { methodKeys, taskKeys } from '../references/cited.ts';
import { readRemovalText } from '../repeat/removalText.ts';
import type { ReportedEvaluation } from '../reported.ts';
import { marked } from './marks.ts';
import { citing, ofModel, shortName, sparsityTitle } from './methods.ts';

/** Accuracies in percent with their standard errors, a column for each task, of the dense model first. Seeds apart. */
export function taskTable(
  evaluations: readonly ReportedEvaluation[],
  { id, second }: { readonly id: string; readonly second: boolean },
): Table | undefined {
  const asked = evaluations.filter(({ result }) => (result.tasks ?? []).length > 0);
  const [first] = asked;
  if (first === undefined) return undefined;
  const columns = new Map<string, { readonly task: string; readonly name: MeanName }>();
  for (const { result } of asked)
    for (const task of result.tasks!)
      for (const name of MEAN_NAMES)
        if (task.means[name]) columns.set(`${taskColumn(task)} ${MEAN_TITLES[name]}`, { task: taskColumn(task), name });
  const pruned = asked.filter(({ result }) => result.expression !== 'dense');
  const meansOf = ({ result }: ReportedEvaluation, of: 'means' | 'dense'): readonly (TaskMean | undefined)[] =>
    [...columns.values()].map(({ task, name }) => result.tasks!.find((one) => taskColumn(one) === task)?.[of]?.[name]);
  const dense = asked.find(({ result }) => result.expression === 'dense');
  const denseMeans = dense ? meansOf(dense, 'means') : pruned[0] && meansOf(pruned[0], 'dense');
  const all = pruned.map((one) => meansOf(one, 'means'));
  const cells = [...columns].map((_, i) => {
    const means = all.map((row) => row[i]);
    return marked(
      means.map(meanCell),
      means.map((mean) => mean?.value),
      { second, best: 'highest' },
    );
  });
  return {
    id,
    caption: [
      text('Accuracy in percent with its standard error '),
      ...ofModel(first),
      ...citing(taskKeys(first.result)),
      text(', higher is better.'),
    ],
    columns: [column('method'), column('at', 'right'), ...[...columns.keys()].map((title) => column(title, 'right'))],
    rows: [
      ...(denseMeans ? [[words('dense'), NONE, ...denseMeans.map(meanCell)]] : []),
      ...pruned.map((one, row) => [
        {
          line: [code(shortName(one.result.metric)), ...citing(methodKeys(readRemovalText(one.result)))],
          exact: one.result.metric,
        },
        words(sparsityTitle(one)),
        ...cells.map((of) => of[row]!),
      ]),
    ],
    ...(denseMeans && { headRows: 1 }),
    notes: documentNotes(first),
  };
}

function meanCell(mean: TaskMean | undefined): Cell {
  if (mean === undefined) return NONE;
  const spread = mean.error === null ? {} : { spread: formatPercent(mean.error) };
  const exact = mean.error === null ? String(mean.value) : `${mean.value} ± ${mean.error}`;
  return { line: [{ kind: 'number', text: formatPercent(mean.value), ...spread }], exact };
}

function documentNotes({ result }: ReportedEvaluation): Table['notes'] {
  const [task] = result.tasks!;
  const counts = result.tasks!.map((one) => `${taskColumn(one)} ${one.documents}`);
  return [[text(`Asked as lm-evaluation-harness ${task!.harness} does. Documents: ${counts.join(', ')}.`)]];
}
