import * as vscode from 'vscode';
import { tellWarning } from './messages.ts';

/** Says why a command does nothing in a workspace that is not trusted, and leads to where that is changed. */
export function explainTrust(): void {
  const text =
    'Evaluating reads checkpoints and runs a worker process, which Espalier does only in a workspace that you trust. Editing, checks and hover work without.';
  void tellWarning(text, 'Manage Trust').then(
    (chosen) => chosen && vscode.commands.executeCommand('workbench.trust.manage'),
  );
}
