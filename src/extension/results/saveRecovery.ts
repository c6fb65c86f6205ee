import path from 'node:path';
import * as vscode from 'vscode';
import { formatBytes } from '../../experiment/format.ts';
import type { Ask } from '../../protocol/requests.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { savingOf } from '../../runs/savedRecovery.ts';
import type { RecoveredForm } from '../../search/recovery/events.ts';
import { signalOf } from '../cancellation.ts';
import { iconFree, tellInformation, withNotification } from '../messages.ts';
import { progressInto } from './exportModel.ts';

const FORMS: Readonly<Record<RecoveredForm, { readonly what: string; readonly ending: string }>> = {
  merged: { what: 'merged model', ending: 'recovered' },
  adapter: { what: 'adapter', ending: 'adapter' },
};

/** *Save adapter…* and *Save merged model…* of a recovery's panel: asks where to, and writes it. */
export async function saveRecovery(run: RunFolder, as: RecoveredForm, ask: Ask<'saveRecovery'>): Promise<void> {
  const { what, ending } = FORMS[as];
  // Refused before anybody is asked anything.
  await savingOf(run, as, '');
  const name = run.record.plan.name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 40) || 'recovery';
  const folder = await vscode.window.showSaveDialog({
    title: `Save ${what} of ${iconFree(run.record.plan.name)}: a folder that is not there yet, or empty`,
    saveLabel: 'Save',
    defaultUri: vscode.Uri.file(path.join(run.root, `${name}-${ending}`)),
  });
  if (!folder) return;
  const saving = await savingOf(run, as, folder.fsPath);
  const saved = await withNotification(`Saving the ${what}`, (progress, token) =>
    ask(saving, { onProgress: progressInto(progress), signal: signalOf(token) }),
  );
  const place = vscode.workspace.asRelativePath(saved.folder);
  const chosen = await tellInformation(`Saved the ${what}: ${place} (${formatBytes(saved.bytes)}).`, 'Reveal');
  if (chosen) await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(saved.folder));
}
