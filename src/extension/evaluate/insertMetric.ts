import * as vscode from 'vscode';
import type { Outlines } from '../outlines.ts';

export function newLineOf(document: vscode.TextDocument): string {
  return document.eol === vscode.EndOfLine.CRLF ? '\r\n' : '\n';
}

/** Writes a declaration below the last metric of an open file. @returns whether it could be edited */
export async function insertBelowMetrics(
  document: vscode.TextDocument,
  outlines: Outlines,
  declaration: string,
): Promise<boolean> {
  const newLine = newLineOf(document);
  const metrics = outlines
    .evaluable(document.uri.toString())
    .filter(({ kind, range }) => kind === 'metric' && range.end.line < document.lineCount);
  const last = metrics.reduce((line, { range }) => Math.max(line, range.end.line), -1);
  const place = document.lineAt(last < 0 ? document.lineCount - 1 : last).range.end;
  const edit = new vscode.WorkspaceEdit();
  const isLastLine = place.line === document.lineCount - 1;
  const before = document.getText().trim() === '' ? '' : `${newLine}${newLine}`;
  edit.insert(document.uri, place, `${before}${declaration}${isLastLine ? newLine : ''}`);
  return vscode.workspace.applyEdit(edit);
}

/** Shows the metric of this name and selects the name. */
export async function revealMetric(document: vscode.TextDocument, name: string): Promise<void> {
  const at = new RegExp(`^[ \\t]*metric\\s+(${name})\\b`, 'm').exec(document.getText());
  const shown = vscode.window.visibleTextEditors.find((editor) => editor.document === document);
  const editor = await vscode.window.showTextDocument(document, {
    viewColumn: shown?.viewColumn ?? vscode.ViewColumn.One,
    preserveFocus: false,
    preview: false,
  });
  if (!at) return;
  const end = at.index + at[0].length;
  const range = new vscode.Range(document.positionAt(end - name.length), document.positionAt(end));
  editor.selection = new vscode.Selection(range.start, range.end);
  editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
