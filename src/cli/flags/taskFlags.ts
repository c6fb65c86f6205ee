import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { isInRange, rangeText } from '../../experiment/settingRow.ts';
import type { NumberValues } from '../../experiment/settingRow.ts';
import { TASK_SETTINGS, TASKS_SETTINGS } from '../../experiment/taskSettings.ts';
import type { TasksSetting } from '../../experiment/taskSettings.ts';
import type { BlockContent, SaidTask } from '../../language/check/document.ts';
import { locate } from '../../language/plan/plannedInputs.ts';
import type { TasksOverlay } from '../../language/plan/plannedTasks.ts';
import { collect, usageError } from '../commands/commandContext.ts';
import { said } from './saidFlags.ts';
import type { Options, SaidFlag } from './saidFlags.ts';
import { addFlags, settingFlag } from './settingFlags.ts';

/** The flags that say what models are asked beside their perplexity. */

const { shots, limit } = TASK_SETTINGS;

export function addTaskFlags(command: Command): Command {
  return addAskingFlags(command, 'what models are asked', '--text is not needed then; ').option(
    '--details',
    'with --json every document of the tasks, too: its choices’ log-likelihoods',
  );
}

/** Of a run: what is asked of that alone which is evaluated at its end. */
export function addFinalTaskFlags(command: Command): Command {
  return addAskingFlags(command, 'what finalists and baselines are asked at the end', '');
}

function addAskingFlags(command: Command, what: string, how: string): Command {
  command
    .option(
      '--tasks <list>',
      `${what}, as piqa,arc_easy=FILE,seven=FOLDER, a task of the file, or as a file says it: "piqa (shots: 5)"; ${how}may be repeated`,
      collect,
    )
    .addOption(settingFlag('shots', shotsRow()).argParser((typed) => parseCount(typed, shots)))
    .addOption(settingFlag('limit', limit).argParser((typed) => parseCount(typed, limit)));
  return addFlags(command, TASKS_SETTINGS, (name) => name);
}

/** What was typed of tasks, as properties of an experiment. @throws EspalierError `cli/usage` */
export function saidTasks(options: Options): readonly SaidFlag[] {
  const tasks = said(options, 'tasks', 'tasks', { like: 'piqa,arc_easy=FILE', wrap: writtenTasks });
  return [...tasks, ...(Object.keys(TASKS_SETTINGS) as TasksSetting[]).flatMap((name) => said(options, name, name))];
}

/** What was typed of all tasks, and the files that were typed with paths from the current folder. */
export function taskOverlay(
  options: Options,
  { tasks }: Pick<BlockContent, 'tasks'>,
  folder: string,
): { readonly tasks?: readonly SaidTask[]; readonly ofTasks?: TasksOverlay } {
  // Each was parsed as a number.
  const typed = options as { readonly shots?: number; readonly limit?: number };
  const ofTasks: TasksOverlay = {
    ...(typed.shots !== undefined && { shots: typed.shots }),
    ...(typed.limit !== undefined && { limit: typed.limit }),
  };
  return {
    ...(tasks && { tasks: tasks.map((task) => fromFolder(task, folder)) }),
    ...(Object.keys(ofTasks).length > 0 && { ofTasks }),
  };
}

/** Flags that change nothing where no tasks are asked. */
export const ASKING_FLAGS = ['shots', 'limit', 'details', ...Object.keys(TASKS_SETTINGS)] as const;

/** What a declaration says stays relative to its file. */
function fromFolder({ documents, examples, ...task }: SaidTask, folder: string): SaidTask {
  return {
    ...task,
    ...(documents !== undefined && { documents: locate(folder, documents) }),
    ...(examples !== undefined && { examples: locate(folder, examples) }),
  };
}

/** `piqa,arc_easy=FILE` as the language says it: `piqa, arc_easy (documents: "FILE")`. */
function writtenTasks(typed: string): string {
  return itemsOf(typed).map(writtenTask).join(', ');
}

function writtenTask(item: string): string {
  const [, name, file] = /^\s*([^\s"(=]+)\s*=(.*)$/s.exec(item) ?? [];
  if (name === undefined || file === undefined) return item;
  if (file.trim() === '' || /["\n\r]/.test(file)) {
    const actual = file.trim() === '' ? `${name}= without one` : `a quote or a line end in ${JSON.stringify(file)}`;
    throw usageError(`--tasks with a file or folder behind ${name}=`, actual, 'Name it, or leave the = out.');
  }
  return `${name} (documents: "${file.trim()}")`;
}

/** What commas part that stand in no parentheses and no quotes. */
function itemsOf(typed: string): readonly string[] {
  const items: string[] = [];
  let item = '';
  let depth = 0;
  for (const [piece] of typed.matchAll(/"[^"]*"?|[^"]/gs)) {
    if (piece === '(') depth++;
    if (piece === ')') depth = Math.max(0, depth - 1);
    if (piece === ',' && depth === 0) {
      items.push(item);
      item = '';
    } else item += piece;
  }
  return [...items, item];
}

/** Of the flag nothing is the default: files and tasks have their own. */
function shotsRow() {
  return { ...shots, documentation: `${shots.documentation}; of all tasks` };
}

function parseCount(typed: string, values: NumberValues): number {
  const value = /^\d{1,16}$/.test(typed.trim()) ? Number(typed) : NaN;
  if (isInRange(values, value)) return value;
  throw new InvalidArgumentError(`It takes ${rangeText(values)}.`);
}
