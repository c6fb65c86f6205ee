import type { PlannedTask } from '../experiment/taskSchema.ts';
import { documentError, fieldOf } from './document.ts';
import type { Document } from './document.ts';
import { taskOf } from './taskOf.ts';

/** Where a task's authors keep labels in a file beside the documents: the field that they stand for. */
const LABELS_BESIDE: Readonly<Record<string, string>> = { piqa: 'label', winogrande: 'answer' };

/** The field that a list of labels beside the documents would fill; undefined where no such list is read. */
export function labelsField(planned: PlannedTask, documents: readonly Document[]): string | undefined {
  const field = LABELS_BESIDE[taskOf(planned).known ?? ''];
  const [first] = documents;
  return field !== undefined && first && fieldOf(first, field) === undefined ? field : undefined;
}

/** Documents with the labels of a list beside them, line by line. @throws EspalierError `tasks/document` where there are more or fewer */
export function withLabels(
  documents: readonly Document[],
  field: string,
  labels: readonly string[],
  file: string,
): readonly Document[] {
  if (labels.length === documents.length)
    return documents.map((document, i) => ({ ...document, fields: { ...document.fields, [field]: labels[i]! } }));
  throw documentError(
    documents.at(Math.min(labels.length, documents.length - 1))!,
    `a label for each of the ${documents.length} documents in ${file}`,
    `${labels.length}`,
    'Fetch both files again: they belong together.',
  );
}
