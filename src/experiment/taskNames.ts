import { isTaskName, SEVEN, TASK_NAMES, TASKS } from './tasks.ts';
import type { TaskName } from './tasks.ts';

/** The subjects of MMLU (lm-evaluation-harness v0.4.12, `lm_eval/tasks/mmlu/default`), as `cais/mmlu` spells its configurations. */
export const MMLU_SUBJECTS: readonly string[] = [
  ...['abstract_algebra', 'anatomy', 'astronomy', 'business_ethics', 'clinical_knowledge', 'college_biology'],
  ...['college_chemistry', 'college_computer_science', 'college_mathematics', 'college_medicine', 'college_physics'],
  ...['computer_security', 'conceptual_physics', 'econometrics', 'electrical_engineering', 'elementary_mathematics'],
  ...['formal_logic', 'global_facts', 'high_school_biology', 'high_school_chemistry', 'high_school_computer_science'],
  ...['high_school_european_history', 'high_school_geography', 'high_school_government_and_politics'],
  ...['high_school_macroeconomics', 'high_school_mathematics', 'high_school_microeconomics', 'high_school_physics'],
  ...['high_school_psychology', 'high_school_statistics', 'high_school_us_history', 'high_school_world_history'],
  ...['human_aging', 'human_sexuality', 'international_law', 'jurisprudence', 'logical_fallacies', 'machine_learning'],
  ...['management', 'marketing', 'medical_genetics', 'miscellaneous', 'moral_disputes', 'moral_scenarios', 'nutrition'],
  ...['philosophy', 'prehistory', 'professional_accounting', 'professional_law', 'professional_medicine'],
  ...['professional_psychology', 'public_relations', 'security_studies', 'sociology', 'us_foreign_policy', 'virology'],
  'world_religions',
];

const SUBJECT_PREFIX = 'mmlu_';

/** Tasks that are named together, as a paper's table has them. */
export const TASK_GROUPS = { seven: SEVEN } as const satisfies Readonly<Record<string, readonly TaskName[]>>;
export type TaskGroup = keyof typeof TASK_GROUPS;

export function isTaskGroup(text: string): text is TaskGroup {
  return Object.hasOwn(TASK_GROUPS, text);
}

/** A task that Espalier knows: a row of TASKS, and of a subject of MMLU which. */
export interface KnownTask {
  readonly row: TaskName;
  readonly subject?: string;
}

/** The task of a name: `piqa`, `mmlu_astronomy`; undefined where it is none, or a group. */
export function knownTask(name: string): KnownTask | undefined {
  if (isTaskName(name)) return { row: name };
  const subject = name.startsWith(SUBJECT_PREFIX) ? name.slice(SUBJECT_PREFIX.length) : '';
  return MMLU_SUBJECTS.includes(subject) ? { row: 'mmlu', subject } : undefined;
}

/** Groups, tasks, and the subjects of MMLU. */
export const KNOWN_TASK_NAMES: readonly string[] = [
  ...Object.keys(TASK_GROUPS),
  ...TASK_NAMES,
  ...MMLU_SUBJECTS.map((subject) => `${SUBJECT_PREFIX}${subject}`),
];

/** As tables call it: `PIQA`, `MMLU astronomy`, or the name of a task of one's own. */
export function taskTitle(name: string): string {
  const known = knownTask(name);
  if (known === undefined) return name;
  const { title } = TASKS[known.row];
  return known.subject === undefined ? title : `${title} ${known.subject.replaceAll('_', ' ')}`;
}

/** Documents of the split that is evaluated, whole (the data sets' own cards). */
export const TASK_DOCUMENTS: Readonly<Record<TaskName, number>> = {
  boolq: 3270,
  rte: 277,
  hellaswag: 10_042,
  winogrande: 1267,
  arc_easy: 2376,
  arc_challenge: 1172,
  openbookqa: 500,
  piqa: 1838,
  mmlu: 14_042,
  gsm8k: 1319,
};
