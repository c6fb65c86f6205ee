import path from 'node:path';
import * as vscode from 'vscode';
import type { ErrorData } from '../base/errors.ts';
import { hubNameOf, inputText } from '../experiment/hubName.ts';

/** Where a checkpoint is, for a person: from the workspace, or what is written to have it from the hub. */
export function checkpointPlace(folder: string): string {
  return hubNameOf(folder) ? inputText(folder) : vscode.workspace.asRelativePath(folder);
}

/** An error for a person: what lies in the workspace is named from there, as the person names it. */
export function withRelativePaths(error: ErrorData): ErrorData {
  const { operation, expected, actual, remedy, file } = error;
  return {
    ...error,
    operation: relative(operation),
    expected: relative(expected),
    actual: relative(actual),
    remedy: relative(remedy),
    ...(file !== undefined && { file: relative(file) }),
  };
}

function relative(text: string): string {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.reduce((shorter, { uri }) => shorter.replaceAll(`${uri.fsPath}${path.sep}`, ''), text);
}
