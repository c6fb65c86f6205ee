import { EspalierError } from '../base/errors.ts';
import type { PlannedTask } from '../experiment/taskSchema.ts';
import { isTaskName, TASK_NAMES, TASKS } from '../experiment/tasks.ts';
import type { TaskName } from '../experiment/tasks.ts';
import type { Document } from './document.ts';
import { ownQuestion } from './ownQuestion.ts';
import type { Question } from './question.ts';
import { QUESTIONS } from './questions.ts';

/** What a task's name means. */
export interface Task {
  /** A row of TASKS; undefined of a task of one's own. */
  readonly known: TaskName | undefined;
  /** Of MMLU, where one is asked for alone. */
  readonly subject: string | undefined;
  readonly questionOf: (document: Document) => Question;
  /** Whether its data set has a test split with labels, which is what is evaluated then: how examples are drawn hangs on it. */
  readonly hasTest: boolean;
}

const SUBJECT = /^mmlu_(.+)$/;

/** @throws EspalierError `tasks/unknown`, `tasks/template` */
export function taskOf({ task: name, template }: Pick<PlannedTask, 'task' | 'template'>): Task {
  if (template) return { known: undefined, subject: undefined, questionOf: ownQuestion(template), hasTest: false };
  const subject = SUBJECT.exec(name)?.[1];
  const known = subject === undefined ? name : 'mmlu';
  if (isTaskName(known))
    return { known, subject, questionOf: QUESTIONS[known], hasTest: TASKS[known].split === 'test' };
  throw new EspalierError({
    code: 'tasks/unknown',
    operation: 'reading the tasks of a plan',
    expected: `one of ${TASK_NAMES.join(', ')}, mmlu_SUBJECT, or one that has a template`,
    actual: JSON.stringify(name),
    remedy: 'Correct the name, or say how its documents become questions.',
  });
}
