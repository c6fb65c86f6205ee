import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { TaskDocument, TaskMean, TaskResult } from '../../experiment/taskSchema.ts';
import { finalTaskResults } from '../../search/lifecycle/finalTaskResults.ts';
import type { EvaluatedFinal } from '../../search/lifecycle/finalTaskResults.ts';

/** Which model was asked. */
export type AskedModel = Pick<EvaluationResult, 'metric' | 'expression' | 'sparsity'>;

/**
 * One task of one model as `--json` prints it. Of an object with `task`, one with `documents` is a task, and one with `doc` a document; an
 * evaluation has no `task`. What is generated has its strict match as `acc`.
 */
export function taskJson(model: AskedModel, task: TaskResult): string {
  return JSON.stringify({ ...modelOf(model), ...taskObject(task) });
}

/** What finalists and baselines were asked, as the last object of a run has it; nothing where they were not. */
export function finalTasks(finalist: EvaluatedFinal): { readonly tasks?: readonly object[] } {
  const tasks = finalTaskResults(finalist);
  return tasks ? { tasks: tasks.map(taskObject) } : {};
}

function taskObject(task: TaskResult): object {
  const { means, dense, paired, parts, truncated, requests, tokens, documentsFile, documentsHash } = task;
  const [own, before] = [valuesOf(means), dense && valuesOf(dense)];
  return {
    task: task.task,
    documents: task.documents,
    shots: task.shots,
    harness: task.harness,
    ...own,
    ...(before && Object.fromEntries(Object.entries(before).map(([name, value]) => [`dense${capital(name)}`, value]))),
    ...(paired && {
      lost: leading(paired)?.lost,
      won: leading(paired)?.won,
      p: leading(paired)?.p,
      ...(paired.acc_norm && { pNorm: paired.acc_norm.p }),
      ...(paired.flexible_extract && { pFlexible: paired.flexible_extract.p }),
    }),
    ...(parts && {
      parts: parts.map(({ task: part, documents, means: of }) => ({ task: part, documents, ...valuesOf(of) })),
    }),
    ...{ requests, truncated, tokens, seconds: task.seconds, fingerprint: task.fingerprint },
    ...{ file: documentsFile, hash: documentsHash },
  };
}

/** One document as `--json --details` prints it, before its task: the fields are called as lm-evaluation-harness’s users know them. */
export function documentJson(model: AskedModel, document: TaskDocument): string {
  const { task, gold, greedy, tokens, sha, row } = document;
  return JSON.stringify({
    ...modelOf(model),
    task,
    doc: document.document,
    row,
    gold,
    pred: document.predicted,
    ...(document.predictedNorm !== undefined && { pred_norm: document.predictedNorm }),
    lls: document.logLikelihoods,
    ...{ greedy, tokens, sha },
  });
}

/** The documents of each task, as they were told: task after task in the order of the results; a task that is generated tells none. */
export function documentsOfTasks(
  tasks: readonly TaskResult[] = [],
  documents: readonly TaskDocument[],
): readonly (readonly TaskDocument[])[] {
  let next = 0;
  return tasks.map(({ task, documents: count }) => {
    const own = documents[next]?.task === task ? documents.slice(next, next + count) : [];
    next += own.length;
    return own;
  });
}

function modelOf({ metric, expression, sparsity }: AskedModel) {
  return { metric, expression, sparsity: sparsity === undefined ? null : printSparsity(sparsity) };
}

/** As fields beside each other: `acc`, `stderr`, `accNorm`, `stderrNorm`, `flexibleExtract`, `stderrFlexible`. */
function valuesOf(means: TaskResult['means']) {
  const { acc = means.strict_match, acc_norm: norm, flexible_extract: flexible } = means;
  return {
    ...fields('acc', 'stderr', acc),
    ...fields('accNorm', 'stderrNorm', norm),
    ...fields('flexibleExtract', 'stderrFlexible', flexible),
  };
}

function fields(name: string, error: string, mean: TaskMean | undefined): Record<string, number | null> {
  return mean ? { [name]: mean.value, [error]: mean.error } : {};
}

function leading({ acc, strict_match: strict }: TaskResult['paired'] & object) {
  return acc ?? strict;
}

function capital(name: string): string {
  return `${name[0]!.toUpperCase()}${name.slice(1)}`;
}
