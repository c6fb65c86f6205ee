import * as vscode from 'vscode';

/**
 * The editor of the `.prune` file that a command without a target means: the active one, or else one that is open. In the walkthrough, say,
 * no text is active. Where none is open, the person is told.
 */
export async function pruneEditor(): Promise<vscode.TextEditor | undefined> {
  const { activeTextEditor, visibleTextEditors } = vscode.window;
  const visible = [activeTextEditor, ...visibleTextEditors].find((editor) => editor?.document.languageId === 'prune');
  if (visible) return visible;
  const hidden = vscode.workspace.textDocuments.find(({ languageId, uri }) => languageId === 'prune' && isInTab(uri));
  if (hidden) return vscode.window.showTextDocument(hidden, { preview: false });
  const chosen = await vscode.window.showInformationMessage(
    'Open a .prune file first: it says what is evaluated and searched for.',
    'Open the Sample',
  );
  if (chosen) await vscode.commands.executeCommand('espalier.openSample');
  return undefined;
}

function isInTab(uri: vscode.Uri): boolean {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  return tabs.some(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === uri.toString());
}
