import type { HubText } from '../experiment/hubReference.ts';
import { isTaskName, TASKS } from '../experiment/tasks.ts';
import type { TaskName } from '../experiment/tasks.ts';

/** What of a task a file holds. */
export type TaskPart = 'documents' | 'examples';

/** A task as data sets know it: MMLU's subjects are configurations of one. */
export interface TaskData {
  readonly known: TaskName;
  readonly subject: string | undefined;
}

/** Undefined of a task of one's own. */
export function taskDataOf(name: string): TaskData | undefined {
  const subject = /^mmlu_(.+)$/.exec(name)?.[1];
  const known = subject === undefined ? name : 'mmlu';
  return isTaskName(known) ? { known, subject } : undefined;
}

/** What data sets were called before; of some there are copies. */
const OTHER_IDS: Readonly<Record<TaskName, readonly string[]>> = {
  boolq: ['super_glue'],
  rte: ['glue'],
  hellaswag: ['hellaswag'],
  winogrande: ['winogrande'],
  arc_easy: ['ai2_arc'],
  arc_challenge: ['ai2_arc'],
  openbookqa: ['openbookqa'],
  piqa: ['ybisk/piqa', 'piqa'],
  mmlu: ['mmlu'],
  gsm8k: ['gsm8k'],
};

/** Splits of the hub that hold a part of a task, that of the harness first. */
export function taskReferences({ known, subject }: TaskData, part: TaskPart): readonly HubText[] {
  const { dataSet, configuration, split, examples } = TASKS[known];
  const configurations = subject === undefined ? [configuration] : [subject, configuration];
  return [dataSet, ...OTHER_IDS[known]].flatMap((id) =>
    configurations.map((config): HubText => {
      const of = { ...(config !== 'default' && { config }), split: part === 'documents' ? split : examples };
      return { kind: 'dataset', id, part: of };
    }),
  );
}

/** How files may end, the best first. */
const ENDINGS = ['jsonl', 'json', 'parquet', 'arrow', 'csv', 'tsv'];

/** Files of a folder that hold a part of a task: those with its name, then those of its authors. Paths in the folder, parted by /. */
export function namesInFolder(name: string, part: TaskPart): readonly string[] {
  const stem = part === 'documents' ? name : `${name}.train`;
  return [...ENDINGS.map((ending) => `${stem}.${ending}`), ...authorsNames(taskDataOf(name), part)];
}

function authorsNames(data: TaskData | undefined, part: TaskPart): readonly string[] {
  if (!data) return [];
  if (data.known !== 'mmlu') return AUTHORS[data.known][part];
  const split = part === 'documents' ? 'test' : 'dev';
  const inside = data.subject === undefined ? split : `${split}/${data.subject}_${split}.csv`;
  return [inside, `data/${inside}`];
}

type Names = Readonly<Record<TaskPart, readonly string[]>>;

const arc = (set: string): Names => ({
  documents: [`${set}-Test.jsonl`, `${set}/${set}-Test.jsonl`],
  examples: [`${set}-Train.jsonl`, `${set}/${set}-Train.jsonl`],
});

const AUTHORS: Readonly<Record<Exclude<TaskName, 'mmlu'>, Names>> = {
  boolq: { documents: ['BoolQ/val.jsonl', 'val.jsonl', 'dev.jsonl'], examples: ['BoolQ/train.jsonl', 'train.jsonl'] },
  rte: {
    documents: ['RTE/dev.tsv', 'RTE/val.jsonl', 'dev.tsv', 'val.jsonl'],
    examples: ['RTE/train.tsv', 'RTE/train.jsonl', 'train.tsv', 'train.jsonl'],
  },
  hellaswag: { documents: ['hellaswag_val.jsonl'], examples: ['hellaswag_train.jsonl'] },
  winogrande: {
    documents: ['dev.jsonl'],
    examples: ['xl', 'l', 'm', 's', 'xs'].map((size) => `train_${size}.jsonl`),
  },
  arc_easy: arc('ARC-Easy'),
  arc_challenge: arc('ARC-Challenge'),
  openbookqa: {
    documents: ['test.jsonl', 'Main/test.jsonl', 'Data/Main/test.jsonl'],
    examples: ['train.jsonl', 'Main/train.jsonl', 'Data/Main/train.jsonl'],
  },
  piqa: { documents: ['valid.jsonl'], examples: ['train.jsonl'] },
  gsm8k: { documents: ['test.jsonl'], examples: ['train.jsonl'] },
};

const SPLIT = /validation|valid|dev|val|test/i;

/**
 * Where examples may be beside a file of documents: under the task's name, under the file's own, under the other split's, and where the authors have them.
 *
 * @param file its name, without folders
 * @returns paths from its folder
 */
export function namesBeside(name: string, file: string): readonly string[] {
  const [, stem = file, ending = ''] = /^(.+?)((?:\.[a-z]+){1,2})$/i.exec(file) ?? [];
  const data = taskDataOf(name);
  const split = data ? TASKS[data.known].examples : 'train';
  const swapped = file.replace(SPLIT, (found) =>
    /^[A-Z]/.test(found) ? `${split[0]!.toUpperCase()}${split.slice(1)}` : split,
  );
  const authors = data?.known === 'mmlu' ? [`../dev/${swapped}`] : authorsNames(data, 'examples');
  const own = [...ENDINGS.map((each) => `${name}.train.${each}`), `${stem}.train${ending}`, swapped];
  return [...own, ...authors].filter((each) => each !== file);
}
