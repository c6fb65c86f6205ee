import * as vscode from 'vscode';

/** Where the sample lies in the extension, and under which name a person gets a copy of it. */
const SAMPLE = ['media', 'sample'];
const COPY = 'espalier-sample';
const FILE = 'metrics.prune';

/**
 * Opens the sample that ships. A copy is made, since people write into it and runs are kept beside it: in the open folder, or, where
 * none is open, in one that they choose. A copy that is there already is opened as it is.
 */
export async function openSample(context: vscode.ExtensionContext): Promise<void> {
  const parent = vscode.workspace.workspaceFolders?.[0]?.uri ?? (await chooseFolder());
  if (!parent) return;
  const folder = vscode.Uri.joinPath(parent, COPY);
  const file = vscode.Uri.joinPath(folder, FILE);
  const exists = await vscode.workspace.fs.stat(file).then(
    () => true,
    () => false,
  );
  if (!exists) {
    const source = vscode.Uri.joinPath(context.extensionUri, ...SAMPLE);
    await vscode.workspace.fs.copy(source, folder, { overwrite: false });
  }
  if (vscode.workspace.workspaceFolders?.[0]) {
    await vscode.window.showTextDocument(file, { preview: false, viewColumn: vscode.ViewColumn.One });
    return;
  }
  // The window opens again with the folder; the file is one click away.
  await vscode.commands.executeCommand('vscode.openFolder', folder);
}

async function chooseFolder(): Promise<vscode.Uri | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: 'Where the sample is to be copied (4 MB)',
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: 'Copy the sample here',
  });
  return chosen?.[0];
}
