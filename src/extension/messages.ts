import * as vscode from 'vscode';
import { plainLine } from '../base/plainText.ts';
import { printable } from '../base/printable.ts';

/**
 * What a person is told in notifications, dialogs and lists: the one way there. VS Code reads `[text](command:…)` in a notification as a link
 * that runs the command, and `$(name)` in a list or in the status bar as an icon. Names, paths and errors come from files that others
 * wrote, so both are broken up here.
 */

/** More is cut off by VS Code itself. */
const LONGEST_MESSAGE = 1000;
const LONGEST_ENTRY = 10_000;

/** Text of a notification, without links. */
export function linkFree(text: string): string {
  return plainLine(text, LONGEST_MESSAGE).replace(/\](?=\()/g, '] ');
}

/** Text of a list, of the tree or of the status bar, without icons. */
export function iconFree(text: string): string {
  return plainLine(text).replace(/\$(?=\()/g, '$ ');
}

/** Text for the log: what a file or a process said forges no line of ours there. */
export function logLine(text: string): string {
  return printable(text.length > LONGEST_ENTRY ? `${text.slice(0, LONGEST_ENTRY)}…` : text);
}

export function tellInformation<Action extends string>(
  text: string,
  ...actions: readonly Action[]
): Thenable<Action | undefined> {
  return vscode.window.showInformationMessage(linkFree(text), ...actions);
}

export function tellWarning<Action extends string>(
  text: string,
  ...actions: readonly Action[]
): Thenable<Action | undefined> {
  return vscode.window.showWarningMessage(linkFree(text), ...actions);
}

export function tellError<Action extends string>(
  text: string,
  ...actions: readonly Action[]
): Thenable<Action | undefined> {
  return vscode.window.showErrorMessage(linkFree(text), ...actions);
}

/** A question that is answered before anything else is done. @param lines below it, each a line of its own */
export function askModal<Action extends string>(
  text: string,
  lines: readonly string[],
  ...actions: readonly Action[]
): Thenable<Action | undefined> {
  const detail = lines.map(linkFree).join('\n');
  return vscode.window.showWarningMessage(linkFree(text), { modal: true, detail }, ...actions);
}

export type Progress = vscode.Progress<{ readonly message?: string; readonly increment?: number }>;

/** Runs a task while a notification says how far it is. */
export function withNotification<Result>(
  title: string,
  task: (progress: Progress, token: vscode.CancellationToken) => Thenable<Result>,
  { cancellable = true } = {},
): Thenable<Result> {
  const options = { location: vscode.ProgressLocation.Notification, title: linkFree(title), cancellable };
  return vscode.window.withProgress(options, (progress, token) => {
    const report: Progress['report'] = ({ message, ...rest }) => {
      progress.report({ ...rest, ...(message !== undefined && { message: linkFree(message) }) });
    };
    return task({ report }, token);
  });
}

/** Items for a list whose words come from elsewhere. */
export function plainItems<Item extends vscode.QuickPickItem>(items: readonly Item[]): Item[] {
  return items.map((item) => ({
    ...item,
    label: iconFree(item.label),
    ...(item.description !== undefined && { description: iconFree(item.description) }),
    ...(item.detail !== undefined && { detail: iconFree(item.detail) }),
  }));
}
