import { codePoints } from '../base/pythonText.ts';
import type { PlannedTask } from '../experiment/taskSchema.ts';
import type { Harness } from '../experiment/tasks.ts';
import { arrange } from './arrange.ts';
import type { TaskDocuments } from './arrange.ts';
import { choiceCount, contextOf, continuationOf } from './question.ts';

/** What the likelihood of a continuation behind a context is asked of. */
export interface TaskRequest {
  readonly context: string;
  /** With the blank before it. */
  readonly continuation: string;
}

/** A document as it is asked. */
export interface AskedDocument {
  /** File and place in it, counted from 0: for errors and details. */
  readonly file: string;
  readonly row: number;
  /** One for each choice. */
  readonly requests: readonly TaskRequest[];
  /** Place of the right choice. */
  readonly gold: number;
  /** Characters (code points) of each choice without the blank: what acc_norm divides by. */
  readonly lengths: readonly number[];
  /** Of MMLU. */
  readonly subject?: string;
}

/**
 * The requests of a task, text for text those of lm-evaluation-harness (tasks.md of the design, docs/tasks.md), in the order of the evaluation.
 *
 * @throws EspalierError `tasks/…`, naming document and field
 */
export function requestsOf(planned: PlannedTask, from: TaskDocuments, harness: Harness): readonly AskedDocument[] {
  return arrange(planned, from, harness).map(({ document: { file, row }, question, head }) => {
    // One string for all choices that share a context.
    const contexts = question.contexts.map((context) => head + context);
    const choices = Array.from({ length: choiceCount(question) }, (_, choice) => choice);
    return {
      ...{ file, row, gold: question.gold },
      requests: choices.map((choice) => ({
        context: contextOf({ ...question, contexts }, choice),
        continuation: ` ${continuationOf(question, choice)}`,
      })),
      lengths: choices.map((choice) => codePoints(continuationOf(question, choice))),
      ...(question.subject !== undefined && { subject: question.subject }),
    };
  });
}

/** A document whose answer is generated. */
export interface PromptedDocument {
  readonly file: string;
  readonly row: number;
  readonly prompt: string;
  /** The whole solution, with the answer behind `####`. */
  readonly answer: string;
}

/** The prompts of a task that generates (GSM8K), in the order of the evaluation. @throws EspalierError `tasks/…` */
export function promptsOf(planned: PlannedTask, from: TaskDocuments, harness: Harness): readonly PromptedDocument[] {
  return arrange(planned, from, harness).map(({ document: { file, row }, question, head }) => ({
    ...{ file, row },
    prompt: head + contextOf(question, 0),
    answer: continuationOf(question, 0),
  }));
}
