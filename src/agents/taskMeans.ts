import type { EvaluationResult } from '../experiment/resultSchema.ts';

/** What the tasks of an evaluation gave, as few numbers as say it: the means by task, with their standard errors. */
export function taskMeans({ tasks }: Pick<EvaluationResult, 'tasks'>): { readonly tasks?: readonly object[] } {
  return tasks ? { tasks: tasks.map(({ task, documents, means }) => ({ task, documents, means })) } : {};
}
