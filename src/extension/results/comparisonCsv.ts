import { csv } from '../../base/csv.ts';
import { taskColumn, MEAN_NAMES } from '../../tasks/taskWords.ts';
import type { MeanName } from '../../tasks/taskWords.ts';
import type { TaskResult } from '../../experiment/taskSchema.ts';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import { removedText } from '../evaluate/structureText.ts';

/** A comparison as comma-separated values (RFC 4180), with all digits: of each task its accuracies, their errors, those of dense and McNemar's p. */
export function comparisonAsCsv(records: readonly EvaluationRecord[]): string {
  const columns = new Map<string, { readonly title: string; readonly name: MeanName }>();
  for (const task of records.flatMap(({ result: { tasks = [] } }) => tasks)) {
    for (const name of MEAN_NAMES) {
      if (task.means[name]) columns.set(columnOf(task, name), { title: columnOf(task, name), name });
    }
  }
  const asked = [...columns.values()];
  const head = [
    ...['metric', 'sparsity', 'formula', 'perplexity', 'dense perplexity'],
    ...asked.flatMap(({ title }) => [title, `${title} error`, `${title} dense`, `${title} p`]),
  ];
  const rows = records.map(({ result }) => {
    const { metric, expression, perplexity, densePerplexity, tasks = [] } = result;
    const own = new Map(tasks.flatMap((task) => MEAN_NAMES.map((name) => [columnOf(task, name), task] as const)));
    return [
      ...[metric, removedText(result), expression, perplexity ?? '', densePerplexity ?? ''],
      ...asked.flatMap(({ title, name }) => cellsOf(own.get(title), name)),
    ];
  });
  return csv([head, ...rows]);
}

function columnOf(task: TaskResult, name: MeanName): string {
  return `${taskColumn(task)} ${name}`;
}

function cellsOf(task: TaskResult | undefined, name: MeanName): readonly (string | number)[] {
  const mean = task?.means[name];
  return [mean?.value ?? '', mean?.error ?? '', task?.dense?.[name]?.value ?? '', task?.paired?.[name]?.p ?? ''];
}
