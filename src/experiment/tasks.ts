/** Versions of lm-evaluation-harness whose numbers can be had: 0.4 is v0.4.12, 0.3 the commit df3da98 that Wanda and Pruner-Zero name. */
export const HARNESSES = ['0.4', '0.3'] as const;
export type Harness = (typeof HARNESSES)[number];

/** Whether a token that begins a text stands before every request: as the tokenizer has it (the harness from 0.4.9.2 on), never (before), always. */
export const BEGINNINGS = ['tokenizer', 'none', 'always'] as const;
export type Beginning = (typeof BEGINNINGS)[number];

/** What a task is judged by, beside its standard error: accuracy, accuracy by likelihood per character, exact match of what was generated. */
export const TASK_METRICS = ['acc', 'acc_norm', 'exact_match'] as const;
export type TaskMetric = (typeof TASK_METRICS)[number];

interface TaskRow {
  /** As tables call it. */
  readonly title: string;
  readonly metrics: readonly TaskMetric[];
  /** Of the data set on the hub, and its configuration there. */
  readonly dataSet: string;
  readonly configuration: string;
  /** Split that is evaluated. */
  readonly split: 'validation' | 'test';
  /** Split that examples are taken of. */
  readonly examples: 'train' | 'dev';
  /** Examples where nothing else is said. */
  readonly shots: number;
}

const row = (of: Omit<TaskRow, 'examples' | 'shots'> & Partial<TaskRow>): TaskRow => ({
  examples: 'train',
  shots: 0,
  ...of,
});

/** The tasks that Espalier knows, as lm-evaluation-harness v0.4.12 has them (its `lm_eval/tasks`): the one table. */
export const TASKS = {
  boolq: row({
    ...{ title: 'BoolQ', metrics: ['acc'], dataSet: 'aps/super_glue', configuration: 'boolq', split: 'validation' },
  }),
  rte: row({ title: 'RTE', metrics: ['acc'], dataSet: 'nyu-mll/glue', configuration: 'rte', split: 'validation' }),
  hellaswag: row({
    ...{ title: 'HellaSwag', metrics: ['acc', 'acc_norm'], dataSet: 'Rowan/hellaswag', configuration: 'default' },
    split: 'validation',
  }),
  winogrande: row({
    ...{ title: 'WinoGrande', metrics: ['acc'], dataSet: 'allenai/winogrande', configuration: 'winogrande_xl' },
    split: 'validation',
  }),
  arc_easy: row({
    ...{ title: 'ARC-Easy', metrics: ['acc', 'acc_norm'], dataSet: 'allenai/ai2_arc', configuration: 'ARC-Easy' },
    split: 'test',
  }),
  arc_challenge: row({
    ...{ title: 'ARC-Challenge', metrics: ['acc', 'acc_norm'], dataSet: 'allenai/ai2_arc' },
    ...{ configuration: 'ARC-Challenge', split: 'test' },
  }),
  openbookqa: row({
    ...{ title: 'OpenBookQA', metrics: ['acc', 'acc_norm'], dataSet: 'allenai/openbookqa', configuration: 'main' },
    split: 'test',
  }),
  piqa: row({
    ...{ title: 'PIQA', metrics: ['acc', 'acc_norm'], dataSet: 'baber/piqa', configuration: 'default' },
    split: 'validation',
  }),
  mmlu: row({
    ...{ title: 'MMLU', metrics: ['acc'], dataSet: 'cais/mmlu', configuration: 'all', split: 'test', examples: 'dev' },
  }),
  gsm8k: row({
    ...{ title: 'GSM8K', metrics: ['exact_match'], dataSet: 'openai/gsm8k', configuration: 'main', split: 'test' },
    shots: 5,
  }),
} as const satisfies Readonly<Record<string, TaskRow>>;

export type TaskName = keyof typeof TASKS;
export const TASK_NAMES = Object.keys(TASKS) as readonly TaskName[];

export function isTaskName(text: string): text is TaskName {
  return Object.hasOwn(TASKS, text);
}

/** What Wanda, Pruner-Zero and Self-Pruner report, in the order of their tables (Wanda, `lib/eval.py`). */
export const SEVEN = [
  'boolq',
  'rte',
  'hellaswag',
  'winogrande',
  'arc_easy',
  'arc_challenge',
  'openbookqa',
] as const satisfies readonly TaskName[];

/** Shots and limits beyond any use. */
export const MAX_SHOTS = 1000;
export const MAX_TASKS = 256;
