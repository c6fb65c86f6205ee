import * as vscode from 'vscode';
import type { EvaluationSettings, SettingName } from '../experiment/settings.ts';
import { COLUMN_STYLE, WIDTHS } from '../figures/printStyle.ts';
import type { PrintStyle } from '../figures/printStyle.ts';
import type { PlanParams } from '../language/server/messages.ts';
import { RESULT_FORMS } from './results/resultForm.ts';
import type { ResultForm } from './results/resultForm.ts';

const SECTION = 'espalier';

/** Settings of an evaluation that the editor offers; the manifest declares them under these names (a test compares them). */
export const EVALUATION_SETTINGS = {
  device: 'device',
  threads: 'threads',
  samples: 'evaluation.samples',
  length: 'evaluation.length',
  calibrationLength: 'evaluation.calibrationLength',
  offsets: 'evaluation.offsets',
  seed: 'evaluation.seed',
  group: 'evaluation.group',
  calibrate: 'evaluation.calibrate',
  blocks: 'evaluation.blocks',
} as const satisfies Partial<Record<SettingName, string>>;

/** What a `.prune` file leaves open, from the settings. */
export function fallbackFor(document: vscode.Uri): NonNullable<PlanParams['fallback']> {
  const configuration = vscode.workspace.getConfiguration(SECTION, document);
  const settings: Partial<Record<SettingName, unknown>> = {};
  for (const [name, key] of Object.entries(EVALUATION_SETTINGS)) {
    // Only what someone chose: the defaults are the language's.
    const { globalValue, workspaceValue, workspaceFolderValue } = configuration.inspect(key) ?? {};
    const chosen = workspaceFolderValue ?? workspaceValue ?? globalValue;
    if (chosen !== undefined) settings[name as SettingName] = chosen;
  }
  const file = (key: string): string | undefined => resolved(configuration.get<string>(key, ''), document);
  const [model, text, calibration] = [file('model'), file('text'), file('calibration')];
  return {
    ...(model !== undefined && { model }),
    ...(text !== undefined && { text }),
    ...(calibration !== undefined && { calibration }),
    settings: settings as Partial<EvaluationSettings>,
  };
}

export function chosenDevice(): string {
  return vscode.workspace.getConfiguration(SECTION).get<string>('device', 'auto');
}

/** How much of a result stands beside its line. */
export function chosenForm(): ResultForm {
  const chosen = vscode.workspace.getConfiguration(SECTION).get<string>('results.form', 'auto');
  return RESULT_FORMS.find((form) => form === chosen) ?? 'auto';
}

/** How charts are saved for print. */
export function chosenPrintStyle(): PrintStyle {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  const width = configuration.get<string>('figures.width', 'column') === 'page' ? WIDTHS.page : WIDTHS.column;
  const serif = configuration.get<string>('figures.font', 'sans-serif') === 'serif';
  const colours = configuration.get<string>('figures.colours', 'print') === 'grey' ? 'grey' : 'print';
  return { ...COLUMN_STYLE, width, serif, colours };
}

/** The machine's setting: a device is a property of the machine, not of a project. */
export async function chooseDevice(device: string): Promise<void> {
  await vscode.workspace.getConfiguration(SECTION).update('device', device, vscode.ConfigurationTarget.Global);
}

export async function chooseModel(folder: string): Promise<void> {
  const target = vscode.workspace.workspaceFolders
    ? vscode.ConfigurationTarget.Workspace
    : vscode.ConfigurationTarget.Global;
  await vscode.workspace.getConfiguration(SECTION).update('model', folder, target);
}

/** A path of the settings starts at the workspace folder, as those of other settings do. */
function resolved(file: string, document: vscode.Uri): string | undefined {
  if (file === '') return undefined;
  // Of the hub.
  if (file.startsWith('hf:')) return file;
  const folder = vscode.workspace.getWorkspaceFolder(document)?.uri ?? vscode.Uri.joinPath(document, '..');
  return isAbsolute(file) ? file : vscode.Uri.joinPath(folder, file).fsPath;
}

function isAbsolute(file: string): boolean {
  return /^([/\\]|[A-Za-z]:[/\\])/.test(file);
}
