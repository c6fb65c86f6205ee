import * as vscode from 'vscode';
import { SYSTEM_CLOCK } from '../../base/clock.ts';

/** Milliseconds: what changes together is read once. */
const QUIET = 300;

/**
 * Has the records of each workspace folder read again when git or another window has written some. Of a folder that is moved, nothing but the
 * folder itself is told.
 */
export function watchRecords(reload: (folder: string) => Promise<void>): vscode.Disposable {
  const watcher = vscode.workspace.createFileSystemWatcher(
    '**/{.espalier,.espalier/evaluations,.espalier/evaluations/*.json}',
  );
  let withdraw: (() => void) | undefined;
  const soon = (): void => {
    withdraw?.();
    withdraw = SYSTEM_CLOCK.after(QUIET, () => {
      for (const folder of vscode.workspace.workspaceFolders ?? []) void reload(folder.uri.fsPath);
    });
  };
  watcher.onDidCreate(soon);
  watcher.onDidChange(soon);
  watcher.onDidDelete(soon);
  return watcher;
}
