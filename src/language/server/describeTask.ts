import { markdownBlock, markdownCode, markdownText } from '../../base/markdown.ts';
import { isTaskGroup, knownTask, TASK_DOCUMENTS, TASK_GROUPS, taskTitle } from '../../experiment/taskNames.ts';
import { TASKS } from '../../experiment/tasks.ts';
import type { TaskMetric } from '../../experiment/tasks.ts';
import { EspalierError } from '../../base/errors.ts';
import { ownQuestion } from '../../tasks/ownQuestion.ts';
import { choiceCount, contextOf, continuationOf } from '../../tasks/question.ts';
import type { TaskDeclaration } from '../check/document.ts';
import type { FirstDocuments } from './firstDocuments.ts';

/** Tasks as Markdown: what they are, and what of their documents becomes of them. */

const METRICS: Readonly<Record<TaskMetric, string>> = {
  acc: '`acc`, the share of documents whose right choice has the greatest log-likelihood',
  acc_norm: '`acc_norm`, the same by log-likelihood per character of the choice',
  exact_match: '`exact_match`, the share of generated answers that are the number of the document',
};

/** A task that Espalier knows, or a group of such. */
export function describeKnownTask(name: string): string {
  if (isTaskGroup(name)) {
    const listed = TASK_GROUPS[name].map((task) => `\`${task}\``).join(', ');
    return `${code(`tasks: ${name}`)}\n\n${listed}: the tasks that Wanda, Pruner-Zero and Self-Pruner report, without examples. Beside each stands the mean of their \`acc\`.`;
  }
  const known = knownTask(name);
  if (known === undefined) return '';
  const { metrics, dataSet, configuration, split, examples, shots } = TASKS[known.row];
  const { row, subject } = known;
  const count = subject === undefined ? ` (${TASK_DOCUMENTS[row]} documents)` : '';
  const config = subject ?? (configuration === 'default' ? undefined : configuration);
  const parts = [
    `**${markdownText(taskTitle(name))}**, as lm-evaluation-harness asks it.`,
    metrics.map((metric) => `- ${METRICS[metric]}`).join('\n'),
    `Data: \`${dataSet}\`${config === undefined ? '' : `, \`${config}\``}, its ${split} split${count}; examples from its ${examples} split.`,
    ...(shots > 0 ? [`${shots} examples before each question, where \`shots\` says nothing else.`] : []),
    ...(row === 'mmlu' && subject === undefined ? ['57 subjects; each alone is `mmlu_astronomy`, for example.'] : []),
  ];
  return [code(`tasks: ${name}`), ...parts].join('\n\n');
}

/** What the declaration of a task comes to on the first of its documents. @param first undefined where nobody has looked */
export function describeOwnTask({ task, file }: TaskDeclaration, first: FirstDocuments | undefined): string {
  if (task === undefined || file === undefined) return 'It has errors.';
  if (first === undefined) return '';
  if ('problem' in first) return `${markdownText(file)}: ${markdownText(first.problem)}`;
  const [document] = first.documents;
  if (document === undefined) return `${markdownText(file)} has no documents.`;
  try {
    const question = ownQuestion(task.template)({ file, row: 0, fields: document });
    const context = contextOf(question, 0);
    const choices = Array.from({ length: choiceCount(question) }, (_, i) => continuationOf(question, i));
    const listed = choices
      .slice(0, MOST_CHOICES)
      .map((choice, i) => `- ${markdownCode(shortened(choice))}${i === question.gold ? ' ← right' : ''}`);
    const more = choices.length > MOST_CHOICES ? [`- … ${choices.length - MOST_CHOICES} more`] : [];
    const right = question.gold >= MOST_CHOICES ? [`right: ${markdownCode(shortened(choices[question.gold]!))}`] : [];
    return [
      'The first document, as it is asked; a blank stands before each choice:',
      markdownBlock(shortened(context), 'text'),
      [...listed, ...more].join('\n'),
      ...right,
    ].join('\n\n');
  } catch (thrown) {
    if (!(thrown instanceof EspalierError)) throw thrown;
    const { expected, actual } = thrown.data;
    return `Its first document does not fit: expected ${markdownText(expected)}, got ${markdownText(actual)}.`;
  }
}

const MOST_CHOICES = 12;
const MOST_SHOWN = 2000;

function shortened(text: string): string {
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}…`;
}

function code(source: string): string {
  return markdownBlock(source, 'prune');
}
