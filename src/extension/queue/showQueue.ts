import * as vscode from 'vscode';
import { toErrorData } from '../../base/errors.ts';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import { Beats } from '../../queue/beats.ts';
import { Directory } from '../../queue/directory.ts';
import { readQueueAddress } from '../../queue/queueAddress.ts';
import { QueueServer } from '../../queue/queueServer.ts';
import { iconFree, tellInformation } from '../messages.ts';
import type { AskedQueue } from './queueAccess.ts';
import { queueItems } from './queueItems.ts';
import type { QueueItem } from './queueItems.ts';
import { withQueueRemedy } from './queueRemedies.ts';
import { askAddress, setQueuePassword } from './setUpQueue.ts';
import type { SetUpQueueParts } from './setUpQueue.ts';
import { workerCommand } from './workerCommand.ts';

/** Milliseconds between looks while the list is open. */
const LOOK = 2000;

type Row = QueueItem & { readonly run?: () => unknown };

/** *Show the Queue*: who is there, for as long as one looks, and what one may want to do about it. */
export async function showQueue(parts: SetUpQueueParts): Promise<void> {
  const asked = await parts.access.asked();
  if (!asked) {
    await askAddress(parts);
    return;
  }
  const list = vscode.window.createQuickPick<Row>();
  const closed = new AbortController();
  list.title = iconFree(`Espalier: ${asked.shown}`);
  list.placeholder = 'Connecting …';
  list.busy = true;
  list.matchOnDescription = list.matchOnDetail = true;
  const actions = actionsOf(asked, parts);
  list.items = actions;
  list.onDidHide(() => {
    closed.abort();
    list.dispose();
  });
  list.onDidAccept(() => {
    const run = list.activeItems[0]?.run;
    if (!run) return;
    list.hide();
    void run();
  });
  list.show();
  try {
    await follow(asked, parts, closed.signal, (rows, words) => {
      list.placeholder = words;
      showRows(list, rows, actions);
    });
  } catch (error) {
    if (closed.signal.aborted) return;
    const { operation, actual, remedy } = withQueueRemedy(toErrorData(error, `looking at ${asked.shown}`));
    parts.log(`${operation}: ${actual}`);
    const problem: Row = {
      id: 'problem',
      label: '$(error) Not there',
      description: iconFree(actual),
      detail: iconFree(remedy),
    };
    list.placeholder = 'The queue cannot be looked at';
    showRows(list, [problem], actions);
  } finally {
    if (!closed.signal.aborted) list.busy = false;
  }
}

/** Reads who is there again and again, until the list is closed. */
async function follow(
  { grant }: AskedQueue,
  { log }: SetUpQueueParts,
  signal: AbortSignal,
  show: (rows: readonly Row[], words: string) => void,
): Promise<void> {
  const beats = new Beats(2 * LOOK);
  const onReach = (isThere: boolean): void => {
    if (!isThere) show([], 'The server is gone, and waited for …');
  };
  const server = await QueueServer.connect(readQueueAddress(grant.address, grant.password), { log, onReach });
  const directory = new Directory(server);
  // Whoever closes the list does not wait for a server that is gone.
  signal.addEventListener('abort', () => void server.close(), { once: true });
  try {
    for (;;) {
      const [runs, workers] = await Promise.all([directory.runs.list(), directory.workers.list()]);
      if (signal.aborted) return;
      const foreign = runs.foreign + workers.foreign;
      const rows = queueItems({ runs: runs.entries, workers: workers.entries, foreign, at: Date.now() }, beats);
      show(rows, wordsOf(runs.entries.length, workers.entries.length));
      await pause(LOOK, signal);
    }
  } finally {
    await directory.close();
    await server.close();
  }
}

function wordsOf(runs: number, workers: number): string {
  if (workers === 0) return 'Nobody is there yet: start workers with the command below';
  const asking = runs === 0 ? 'no run asks anything' : `${runs} ${runs === 1 ? 'run' : 'runs'}`;
  return `${workers} ${workers === 1 ? 'worker' : 'workers'}, ${asking}`;
}

/** What stands in the list changes while one looks: the row that is looked at stays. */
function showRows(list: vscode.QuickPick<Row>, rows: readonly Row[], actions: readonly Row[]): void {
  const active = list.activeItems[0]?.id;
  list.keepScrollPosition = true;
  list.items = [...rows, ...actions];
  const same = list.items.filter(({ id }) => id === active);
  if (same.length > 0) list.activeItems = same;
}

function actionsOf({ grant, shown }: AskedQueue, parts: SetUpQueueParts): Row[] {
  const command = workerCommand(grant.address);
  return [
    { id: '', label: '', kind: vscode.QuickPickItemKind.Separator },
    {
      id: 'copy',
      label: '$(copy) Copy the command that starts a worker',
      detail: iconFree(command),
      run: () => copyWorkerCommand(command),
    },
    { id: 'password', label: '$(key) Set the password…', run: () => setQueuePassword(parts) },
    { id: 'address', label: '$(edit) Change the address…', run: () => askAddress(parts) },
    {
      id: 'clear',
      label: '$(device-desktop) Compute on this machine again',
      detail: iconFree(`Clears the setting espalier.queue; ${shown} keeps its workers`),
      run: () => parts.access.choose(''),
    },
  ];
}

/** Puts it where it can be pasted from. */
export async function copyWorkerCommand(command: string): Promise<void> {
  await vscode.env.clipboard.writeText(command);
  void tellInformation(`Copied: ${command}. Run it on any machine that has the same files.`);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const undo = SYSTEM_CLOCK.after(milliseconds, resolve);
    signal.addEventListener(
      'abort',
      () => {
        undo();
        resolve();
      },
      { once: true },
    );
  });
}
