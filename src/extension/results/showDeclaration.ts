import * as vscode from 'vscode';
import { metricName } from '../evaluate/updateText.ts';

/**
 * Opens a file and selects the name of a metric or experiment in it.
 *
 * @param name as results have it: `scaled(0.5)` is a value of `scaled`, `scaled then admm` its update
 * @returns false where there is no such file, or no such declaration
 */
export async function showDeclaration(uri: vscode.Uri, name: string): Promise<boolean> {
  const document = await Promise.resolve(vscode.workspace.openTextDocument(uri)).catch(() => undefined);
  if (!document) return false;
  const declared = metricName(name);
  const place = placeOf(document.getText(), declared);
  const start = document.positionAt(place ?? 0);
  const selection = new vscode.Range(start, place === undefined ? start : document.positionAt(place + declared.length));
  const shown = vscode.window.visibleTextEditors.find((editor) => editor.document === document);
  await vscode.window.showTextDocument(document, {
    selection,
    viewColumn: shown?.viewColumn ?? vscode.ViewColumn.Active,
  });
  return place !== undefined;
}

/** Where a declaration's name begins in a text. */
export function placeOf(text: string, name: string): number | undefined {
  // A name is compared, never made a pattern of.
  for (const match of text.matchAll(/^[ \t]*(?:metric|experiment)[ \t]+([A-Za-z_][A-Za-z0-9_-]*)/gm))
    if (match[1] === name) return match.index + match[0].length - name.length;
  return undefined;
}
