import path from 'node:path';
import { DEFAULT_ROWS, saidOfRows } from '../../experiment/corpusRows.ts';
import type { PlannedText } from '../../experiment/corpusRows.ts';
import { hubNameOf } from '../../experiment/hubName.ts';
import { isHubReference } from '../../experiment/hubReference.ts';
import type { PlanInputs } from '../../experiment/planSchema.ts';
import { protocolSettings } from '../../experiment/protocols.ts';
import { recoveryText } from '../../experiment/recovery.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import { settingsWith } from '../../experiment/settingRow.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import type { SettingName } from '../../experiment/settings.ts';
import type { PlannedTasks } from '../../experiment/taskSchema.ts';

/** Where paths of a `.prune` file start, and which of them are written relative to it. */
export interface Places {
  /** Folder of the file, absolute. */
  readonly folder: string;
  /** Workspace folder: what lies in it is named relative to the file, so that both can be moved together. */
  readonly root: string;
}

/** Why something cannot be said in a `.prune` file. */
export class Unsayable extends Error {}

/** A path as the file names it: relative with slashes below the workspace, by its commit in the cache of the hub, absolute elsewhere. */
export function writtenPath(file: string, { folder, root }: Places): string {
  const written = isHubReference(file) ? file : (hubPath(file) ?? localPath(file, folder, root));
  if (/["\n\r]/.test(written)) throw new Unsayable('a path with a quote or a line break in it, which no file can name');
  return written;
}

function hubPath(file: string): string | undefined {
  const hub = hubNameOf(file);
  if (hub === undefined || (hub.kind === 'dataset' && hub.file === '')) return undefined;
  return `hf:${hub.id}${hub.file === '' ? '' : `/${hub.file}`}@${hub.commit}`;
}

function localPath(file: string, folder: string, root: string): string {
  const below = path.relative(root, file);
  const isBelow = below !== '..' && !below.startsWith(`..${path.sep}`) && !path.isAbsolute(below);
  return (isBelow ? path.relative(folder, file) || '.' : file).split(path.sep).join('/');
}

/** The properties of an experiment that say on what, and how; a line each. @throws Unsayable */
export function inputLines(
  inputs: PlanInputs,
  tasks: PlannedTasks | undefined,
  recovery: Recovery | undefined,
  places: Places,
): readonly string[] {
  const { protocol, rows = {} } = inputs;
  const text = (name: PlannedText, file: string): string => {
    const said = Object.entries(saidOfRows(rows[name]) ?? (protocol === undefined ? {} : DEFAULT_ROWS));
    const settings = said
      .filter(([, value]) => value !== '')
      .map(([setting, value]) => `${setting}: ${setting === 'field' ? quoted(String(value)) : String(value)}`);
    return `${quoted(writtenPath(file, places))}${settings.length === 0 ? '' : ` (${settings.join(', ')})`}`;
  };
  const texts = [
    ['evaluate', 'text'],
    ['calibrate', 'calibration'],
    ['gradients', 'gradients'],
    ...(recovery
      ? ([
          ['train', 'train'],
          ['validate', 'validate'],
        ] as const)
      : []),
  ] as const;
  return [
    ...(protocol === undefined ? [] : [`protocol: ${protocol}`]),
    `model: ${quoted(writtenPath(inputs.model, places))}`,
    ...texts.flatMap(([property, name]) => {
      const file = inputs[name];
      return file === undefined ? [] : [`${property}: ${text(name, file)}`];
    }),
    ...settingLines(inputs),
    ...(recovery ? [`recover: ${recoveryText(recovery)}`] : []),
    ...(tasks ? taskLines(tasks, places) : []),
  ];
}

/** Those that are not what the protocol, or nobody, says. */
function settingLines({ protocol, settings }: PlanInputs): readonly string[] {
  const expected = settingsWith(SETTINGS, protocolSettings(protocol));
  return (Object.keys(SETTINGS) as SettingName[])
    .filter((name) => name !== 'threads' && settings[name] !== expected[name])
    .map((name) => `${name === 'calibrate' ? 'calibration' : name}: ${String(settings[name])}`);
}

function taskLines({ list, harness, beginning }: PlannedTasks, places: Places): readonly string[] {
  const tasks = list.map(({ task, documents, examples, shots, limit, template }) => {
    if (template) throw new Unsayable(`the task ${task}, which is described in another file`);
    const said = [
      ...(documents === undefined ? [] : [`documents: ${quoted(writtenPath(documents, places))}`]),
      ...(examples === undefined ? [] : [`examples: ${quoted(writtenPath(examples, places))}`]),
      `shots: ${shots}`,
      ...(limit === 0 ? [] : [`limit: ${limit}`]),
    ];
    return `${task} (${said.join(', ')})`;
  });
  return [`tasks: ${tasks.join(', ')}`, `harness: ${harness}`, `bos: ${beginning}`];
}

function quoted(text: string): string {
  if (/["\n\r]/.test(text)) throw new Unsayable('a text with a quote or a line break in it, which no file can say');
  return `"${text}"`;
}
