import type { SettingTable } from './settingRow.ts';
import { BEGINNINGS, HARNESSES, MAX_SHOTS } from './tasks.ts';

/** How all tasks of a plan are asked. */
export const TASKS_SETTINGS = {
  harness: {
    kind: 'choice',
    default: '0.4',
    choices: HARNESSES,
    documentation:
      'version of lm-evaluation-harness whose numbers are computed: 0.4 (v0.4.12), or 0.3 as Wanda and Pruner-Zero name it, which shuffles documents and draws other examples',
  },
  bos: {
    kind: 'choice',
    default: 'tokenizer',
    choices: BEGINNINGS,
    documentation:
      'token that begins a text, before every question: as the tokenizer has it (the harness from 0.4.9.2 on), none (before, and 0.3, whose default it is), or always',
  },
} as const satisfies SettingTable;

/** What is said of one task. */
export const TASK_SETTINGS = {
  documents: {
    kind: 'text',
    default: '',
    documentation:
      'file of the documents, or folder that holds it; without it the cache of the Hugging Face hub is looked through',
  },
  examples: {
    kind: 'text',
    default: '',
    documentation: 'file that examples are taken of; without it the one that belongs to the documents',
  },
  shots: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: MAX_SHOTS,
    documentation: 'examples before each question, as the harness draws them (gsm8k: 5, all others: 0)',
  },
  limit: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    documentation: 'documents that are asked, from the first on; 0 takes all',
  },
} as const satisfies SettingTable;

/** What a task of one's own says besides: how a document becomes a question. */
export const TEMPLATE_SETTINGS = {
  context: {
    kind: 'text',
    default: '{question}\\nAnswer:',
    documentation:
      'template of the question: text with `{field}` where a value of the document goes, `\\n` for a line feed',
  },
  choices: {
    kind: 'text',
    default: '{choices}',
    documentation: 'field that lists the choices, or a list with a template for each: `["{a}", "{b}"]`',
  },
  gold: {
    kind: 'text',
    default: 'label',
    documentation: 'field that says which choice is right: its place, counted from 0, its letter, or its text',
  },
} as const satisfies SettingTable;

export type TasksSetting = keyof typeof TASKS_SETTINGS;
export type TaskArgument = keyof typeof TASK_SETTINGS | keyof typeof TEMPLATE_SETTINGS;
