import path from 'node:path';
import * as vscode from 'vscode';

/** Calls back whenever a file is written, made or removed, wherever it is. @param file absolute */
export function watchFile(file: string, onChange: () => void): vscode.Disposable {
  // By the folder: the file's own name may have signs that mean something in a pattern.
  const pattern = new vscode.RelativePattern(vscode.Uri.file(path.dirname(file)), '*');
  const watcher = vscode.workspace.createFileSystemWatcher(pattern);
  const changed = ({ fsPath }: vscode.Uri): void => {
    if (fsPath === file) onChange();
  };
  watcher.onDidCreate(changed);
  watcher.onDidChange(changed);
  watcher.onDidDelete(changed);
  return watcher;
}
