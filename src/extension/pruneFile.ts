import * as vscode from 'vscode';
import type { OutlineDeclaration } from '../language/server/messages.ts';
import { tellInformation } from './messages.ts';

/** A `.prune` file that is open. */
export interface PruneFile {
  readonly uri: string;
  /** Of the cursor, from 0; undefined where the person is elsewhere, in the walkthrough say: then what is meant has to be asked for. */
  readonly line: number | undefined;
}

/** The file that a command without a target means: that of the active editor, or else one that is open. Where none is, the person is told. */
export async function pruneFile(): Promise<PruneFile | undefined> {
  const { activeTextEditor, visibleTextEditors } = vscode.window;
  if (activeTextEditor && isPrune(activeTextEditor.document)) {
    const { document, selection } = activeTextEditor;
    return { uri: document.uri.toString(), line: selection.active.line };
  }
  const visible = visibleTextEditors.find((editor) => isPrune(editor.document))?.document;
  const document = visible ?? vscode.workspace.textDocuments.find((each) => isPrune(each) && isInTab(each));
  if (document) {
    await vscode.window.showTextDocument(document, { preview: false });
    return { uri: document.uri.toString(), line: undefined };
  }
  const chosen = await tellInformation(
    'Open a .prune file first: it says what is evaluated and searched for.',
    'Open the Sample',
  );
  if (chosen) await vscode.commands.executeCommand('espalier.openSample');
  return undefined;
}

/** Whether the cursor is in a declaration. */
export function isInside(line: number | undefined, { start, end }: OutlineDeclaration['range']): boolean {
  return line !== undefined && start.line <= line && line <= end.line;
}

function isPrune({ languageId }: vscode.TextDocument): boolean {
  return languageId === 'prune';
}

function isInTab({ uri }: vscode.TextDocument): boolean {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  return tabs.some(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === uri.toString());
}
