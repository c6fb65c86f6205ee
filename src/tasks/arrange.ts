import { EspalierError } from '../base/errors.ts';
import { PythonRandom } from '../base/pythonRandom.ts';
import type { PlannedTask } from '../experiment/taskSchema.ts';
import type { Harness } from '../experiment/tasks.ts';
import { documentError, fieldOf, quoted, sameFields } from './document.ts';
import type { Document } from './document.ts';
import { contextOf, continuationOf } from './question.ts';
import type { Question } from './question.ts';
import { taskOf } from './taskOf.ts';
import type { Task } from './taskOf.ts';

/** A document in the place in which it is asked, with what stands before its own question: description and examples. */
export interface ArrangedDocument {
  readonly document: Document;
  readonly question: Question;
  readonly head: string;
}

/** Documents of a task and what examples are drawn of; undefined where that is not there. */
export interface TaskDocuments {
  readonly documents: readonly Document[];
  readonly pool: readonly Document[] | undefined;
}

/** Characters of all prompts of a task: what does not fit into memory is refused before it is made. */
const MOST_CHARACTERS = 2 ** 30;
const SEED = { '0.4': 1234, '0.3': 42 } as const satisfies Readonly<Record<Harness, number>>;

/**
 * The documents in the order of the evaluation, each with its examples, as the harness draws them.
 *
 * 0.4 (`api/samplers.py`): in file order, one `Random(1234)` for all documents of a task. Where the data set has no test split k + 1 are drawn and
 * those equal to the document left out. 0.3 (`evaluator.py`, `base.py` of df3da98): `Random(42)` puts the documents into another order, then draws k.
 * MMLU has the first k of its subject.
 *
 * @throws EspalierError `tasks/…`
 */
export function arrange(planned: PlannedTask, from: TaskDocuments, harness: Harness): readonly ArrangedDocument[] {
  const task = taskOf(planned);
  const random = new PythonRandom(SEED[harness]);
  const all = withSubject(task, from.documents);
  const ordered = harness === '0.3' ? random.shuffled(all) : all;
  const documents = planned.limit === 0 ? ordered : ordered.slice(0, planned.limit);
  if (documents.length === 0) throw noDocuments(planned.task, task, from.documents);
  const examples = exampleReader({ planned, task, harness, random }, from);
  let characters = 0;
  return documents.map((document) => {
    const question = task.questionOf(document);
    const head = description(task, document, question) + examples({ document, question });
    characters += head.length + question.contexts.join('').length + question.continuations.join('').length;
    if (characters > MOST_CHARACTERS) throw tooLarge(document);
    return { document, question, head };
  });
}

interface Drawing {
  readonly planned: PlannedTask;
  readonly task: Task;
  readonly harness: Harness;
  readonly random: PythonRandom;
}

/** The text of a document's examples. Called once for each, in order: they are drawn by one generator. */
function exampleReader(
  { planned: { task: name, shots }, task, harness, random }: Drawing,
  { documents, pool: given }: TaskDocuments,
): (asked: Omit<ArrangedDocument, 'head'>) => string {
  if (shots === 0) return () => '';
  // A task of one's own need not have a file for them.
  const pool = withSubject(task, given ?? (task.known === undefined ? documents : []));
  const texts = new Map<Document, string>();
  const textOf = (example: Document): string => {
    const text = texts.get(example) ?? exampleText(task.questionOf(example));
    texts.set(example, text);
    return text;
  };
  const require = (count: number, of: readonly Document[], which = ''): void => {
    if (of.length < count) throw fewExamples(name, shots, count, `${of.length}${which}`);
  };
  if (task.known === 'mmlu') {
    const subjects = new Map<unknown, Document[]>();
    for (const each of pool) {
      const subject = subjectIn(task, each);
      const listed = subjects.get(subject);
      if (listed) listed.push(each);
      else subjects.set(subject, [each]);
    }
    return ({ question: { subject = task.subject } }) => {
      const first = subjects.get(subject) ?? [];
      require(shots, first, ` of ${quoted(subject ?? '')}`);
      return first.slice(0, shots).map(textOf).join('');
    };
  }
  const isOwnPool = given === undefined || given === documents;
  const leavesOut = harness === '0.4' ? !task.hasTest : isOwnPool;
  const count = shots + Number(leavesOut);
  require(count, pool);
  return ({ document }) => {
    const drawn = random.sample(pool.length, count).map((place) => pool[place]!);
    const kept = leavesOut ? drawn.filter((example) => !sameFields(example, document)).slice(0, shots) : drawn;
    return kept.map(textOf).join('');
  };
}

function exampleText(question: Question): string {
  return `${contextOf(question, question.gold)} ${continuationOf(question, question.gold)}\n\n`;
}

function description({ known, subject: alone }: Task, document: Document, { subject = alone }: Question): string {
  if (known !== 'mmlu') return '';
  if (subject !== undefined)
    return `The following are multiple choice questions (with answers) about ${subject.replaceAll('_', ' ')}.\n\n`;
  const remedy = 'Name the subject, as in mmlu_astronomy, or give each document its field.';
  throw documentError(document, 'a text in "subject"', 'no such field', remedy);
}

/** Those of the subject that is asked for; who does not say one has it by being here. */
function withSubject(task: Task, documents: readonly Document[]): readonly Document[] {
  return task.subject === undefined ? documents : documents.filter((each) => subjectIn(task, each) === task.subject);
}

function subjectIn({ subject }: Task, document: Document): unknown {
  return fieldOf(document, 'subject') ?? subject;
}

function noDocuments(name: string, { subject }: Task, documents: readonly Document[]): EspalierError {
  const others = [...new Set(documents.map((document) => String(fieldOf(document, 'subject'))))];
  const isOther = subject !== undefined && documents.length > 0;
  return new EspalierError({
    code: 'tasks/empty',
    operation: `reading the documents of ${name}`,
    expected: isOther ? `some of ${quoted(subject)}` : 'one document at least',
    actual: isOther ? `those of ${others.slice(0, 6).map(quoted).join(', ')}` : 'none',
    remedy: isOther
      ? 'Correct the name of the subject, or choose the file that has it.'
      : 'Choose a file with documents.',
  });
}

function fewExamples(name: string, shots: number, needed: number, actual: string): EspalierError {
  const more = needed > shots ? ' (one more than shots: the document itself may be drawn, and is left out)' : '';
  return new EspalierError({
    code: 'tasks/examples',
    operation: `drawing examples for ${name}`,
    expected: `at least ${needed} documents to draw ${shots} of${more}`,
    actual,
    remedy: `Ask for fewer shots, or name a file of examples; beside the documents it is found as ${name}.train.jsonl.`,
  });
}

function tooLarge(document: Document): EspalierError {
  return documentError(
    document,
    `prompts of at most ${MOST_CHARACTERS} characters in all`,
    'more up to here',
    'Ask for fewer shots, or set a limit of documents.',
    'tasks/too-large',
  );
}
