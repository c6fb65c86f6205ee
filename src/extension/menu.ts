import * as vscode from 'vscode';
import { DEVICES } from '../experiment/settings.ts';
import { formatCount } from '../experiment/format.ts';
import { chooseDevice, chooseModel, chosenDevice } from './configuration.ts';
import type { HubAccess } from './hub/hubAccess.ts';
import { checkpointPlace } from './workspacePaths.ts';
import type { Supervisor } from './worker/supervisor.ts';
import { iconFree, tellInformation } from './messages.ts';

export interface MenuView {
  readonly device: string;
  /** Checkpoint folder of the document at hand, absolute. */
  readonly checkpoint: string | undefined;
  readonly active: number;
  readonly trusted: boolean;
  /** Address of the machine's queue. */
  readonly queue: string | undefined;
}

type Item = vscode.QuickPickItem & { readonly run?: () => unknown };

/** What a click on the status bar item offers. */
export async function showMenu(
  view: MenuView,
  supervisor: Supervisor,
  modelHere: HubAccess['modelHere'],
): Promise<void> {
  const items: Item[] = [
    ...(view.active > 0
      ? [command('$(stop-circle) Cancel evaluation', 'espalier.cancel', `${view.active} running or waiting`)]
      : []),
    {
      label: '$(chip) Device',
      description: view.device,
      detail: 'Where evaluations run',
      run: () => selectDevice(supervisor, view.trusted),
    },
    {
      label: '$(database) Checkpoint',
      description:
        view.checkpoint === undefined ? 'none named by this file' : iconFree(checkpointPlace(view.checkpoint)),
      detail: iconFree(await describeCheckpoint(view, supervisor, modelHere)),
      run: selectModel,
    },
    command('$(server) Queue', 'espalier.showQueue', iconFree(view.queue ?? 'none: this machine computes')),
    command('$(comment-discussion) Language model', 'espalier.setUpLanguageModel', 'who proposes pruning rates'),
    command('$(output) Show log', 'espalier.showLog'),
    command('$(debug-restart) Restart worker', 'espalier.restartWorker', supervisor.state.kind),
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title: 'Espalier',
    placeHolder: 'Device, checkpoint, queue, language model, log, worker',
  });
  await chosen?.run?.();
}

/** Every device, with what it can do here; those that do not work say why. */
export async function selectDevice(supervisor: Supervisor, trusted: boolean): Promise<void> {
  const current = chosenDevice();
  const mark = (device: string): string => (device === current ? '$(check) ' : '');
  const automatic: Item = {
    label: `${mark('auto')}auto`,
    description: 'the fastest that works',
    run: () => chooseDevice('auto'),
  };
  const devices = async (): Promise<Item[]> => {
    // Trying a device out is the worker's work, and that needs trust.
    if (!trusted)
      return [automatic, ...DEVICES.map((name) => ({ label: `${mark(name)}${name}`, run: () => chooseDevice(name) }))];
    const reports = await supervisor.request('devices', {});
    return [
      automatic,
      ...reports.map(({ name, works, detail, float16 }): Item => {
        const label = `${mark(name)}${works ? '' : '$(circle-slash) '}${name}`;
        return {
          label,
          description: works ? (float16 ? 'float32 and float16' : 'float32') : 'does not work here',
          detail: iconFree(detail),
          run: () => chooseDevice(name),
        };
      }),
    ];
  };
  const chosen = await vscode.window.showQuickPick(devices(), {
    title: 'Espalier: Device',
    placeHolder: 'Where evaluations run; every device is tried out first',
  });
  await chosen?.run?.();
}

async function selectModel(): Promise<void> {
  const chosen = await vscode.window.showOpenDialog({
    title: 'Checkpoint: a folder with config.json, tokenizer.json and *.safetensors',
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: 'Use this checkpoint',
  });
  if (!chosen?.[0]) return;
  await chooseModel(chosen[0].fsPath);
  void tellInformation('This checkpoint is used by files that name none. Files that declare a `model` keep theirs.');
}

async function describeCheckpoint(
  { checkpoint, trusted }: MenuView,
  supervisor: Supervisor,
  modelHere: HubAccess['modelHere'],
): Promise<string> {
  const otherwise = 'Choose the checkpoint for files that name none';
  // Reading a checkpoint must not start a worker: the menu is for those that it fails, too.
  if (checkpoint === undefined || !trusted || supervisor.state.kind !== 'ready') return otherwise;
  try {
    const summary = await supervisor.request('describe', { model: await modelHere(checkpoint) });
    const { architecture, parameters, blocks, storedAs } = summary;
    return `${architecture}, ${formatCount(parameters)} parameters, ${blocks} blocks, ${storedAs.join(', ').toLowerCase()}`;
  } catch (error) {
    return error instanceof Error ? error.message : otherwise;
  }
}

function command(label: string, id: string, description?: string): Item {
  return { label, ...(description !== undefined && { description }), run: () => vscode.commands.executeCommand(id) };
}
