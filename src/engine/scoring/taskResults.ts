import { createHash } from 'node:crypto';
import type { TaskDocument, TaskResult } from '../../experiment/taskSchema.ts';
import { groupOf, judge, type Judged, meansOf, pairedRights, rightsOf } from '../../tasks/judge.ts';
import { taskOf } from '../../tasks/taskOf.ts';
import type { OpenedTask, OpenedTasks } from './openTasks.ts';
import type { Scores } from './scoredStream.ts';

/** What scores of a plan's tasks are worth, and what they took. */
export interface TaskOutcome {
  readonly scores: Scores;
  /** Tokens that went through the model for each sequence. */
  readonly fed: Int32Array;
  /** Of all tasks together: each gets its share by its tokens. */
  readonly seconds: number;
}

/**
 * The results of a plan's tasks, in its order.
 *
 * @param dense scores of the dense model on the same sequences; absent of itself
 */
export function taskResults(
  { tasks }: OpenedTasks,
  { scores, fed, seconds }: TaskOutcome,
  dense?: Scores,
): readonly TaskResult[] {
  const total = Math.max(1, sum(fed));
  return tasks.map((task) => {
    const { planned, harness, asked, lengths, first, truncated, fingerprint, hash } = task;
    const rights = rightsOf(planned, asked, judgedOf(task, scores));
    const requests = lengths.reduce((count, { length }) => count + length, 0);
    const tokens = sum(fed.subarray(first, first + requests));
    const ofDense = dense && rightsOf(planned, asked, judgedOf(task, dense));
    const isGroup = taskOf(planned).known === 'mmlu' && taskOf(planned).subject === undefined;
    const { means, parts } = isGroup ? groupOf(asked, rights) : { means: meansOf(rights), parts: undefined };
    return {
      ...{ task: planned.task, harness, shots: planned.shots, documents: asked.length, means },
      ...(ofDense && {
        dense: isGroup ? groupOf(asked, ofDense).means : meansOf(ofDense),
        paired: pairedRights(ofDense, rights),
      }),
      ...(parts && { parts }),
      ...{ requests, truncated, tokens },
      seconds: (seconds * tokens) / total,
      ...{ fingerprint, documentsFile: planned.documents!, documentsHash: hash },
    };
  });
}

/** Each document of the tasks with what its choices got. */
export function taskDocuments(
  { tasks }: OpenedTasks,
  { scores }: Pick<TaskOutcome, 'scores'>,
): readonly TaskDocument[] {
  return tasks.flatMap((task) => {
    const judged = judgedOf(task, scores);
    const places = placesOf(task);
    return task.asked.map(({ row, gold, requests }, document) => {
      const own = places[document]!;
      const { predicted, predictedNorm } = judged[document]!;
      const hasNorm = rightsOf(task.planned, [], []).acc_norm !== undefined;
      return {
        ...{ task: task.planned.task, document, row, gold, predicted },
        ...(hasNorm && { predictedNorm }),
        logLikelihoods: own.map((place) => scores.logLikelihoods[place]!),
        greedy: own.map((place) => scores.greedy[place] === 1),
        tokens: task.lengths[document]!.map(([context, continuation]): [number, number] => [context, continuation]),
        sha: requests.map(({ context, continuation }) =>
          createHash('sha256').update(`${context}\0${continuation}`).digest('hex').slice(0, 12),
        ),
      };
    });
  });
}

function judgedOf(task: OpenedTask, { logLikelihoods }: Scores): readonly Judged[] {
  const places = placesOf(task);
  return task.asked.map((document, i) =>
    judge(
      document,
      places[i]!.map((place) => logLikelihoods[place]!),
    ),
  );
}

/** Of each document, of each choice: the place of its sequence. */
function placesOf({ lengths, first }: OpenedTask): readonly (readonly number[])[] {
  let next = first;
  return lengths.map((choices) => choices.map(() => next++));
}

function sum(values: Int32Array): number {
  return values.reduce((total, value) => total + value, 0);
}
