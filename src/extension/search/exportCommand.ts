import path from 'node:path';
import * as vscode from 'vscode';
import { isMetricEvent } from '../../experiment/runPlan.ts';
import { journalOf } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { foldEvent, newSearchState } from '../../search/searchState.ts';
import { runAsCsv, runAsJson } from './exportRun.ts';

/** Asks where to, and writes all candidates of a run there. */
export async function saveExport(run: RunFolder, format: 'csv' | 'json'): Promise<void> {
  const file = await askWhere(run, format, format === 'csv' ? 'Comma-separated values' : 'JSON');
  if (!file) return;
  const state = newSearchState();
  for await (const records of journalOf(run).more()) {
    for (const { event, at } of records) if (isMetricEvent(event)) foldEvent(state, event, at);
  }
  const text = format === 'csv' ? runAsCsv(state) : runAsJson(run.run, state);
  await vscode.workspace.fs.writeFile(file, Buffer.from(text));
  await offerToOpen(file);
}

/** @param data a PNG in base64 */
export async function savePicture(run: RunFolder, data: string): Promise<void> {
  const file = await askWhere(run, 'png', 'Picture');
  if (!file) return;
  await vscode.workspace.fs.writeFile(file, Buffer.from(data, 'base64'));
  await offerToOpen(file);
}

async function askWhere({ root, run }: RunFolder, ending: string, what: string): Promise<vscode.Uri | undefined> {
  return vscode.window.showSaveDialog({
    title: `Export ${run.plan.name}`,
    defaultUri: vscode.Uri.file(path.join(root, `${run.id}.${ending}`)),
    filters: { [what]: [ending] },
  });
}

async function offerToOpen(file: vscode.Uri): Promise<void> {
  const chosen = await vscode.window.showInformationMessage(
    `Exported to ${vscode.workspace.asRelativePath(file)}.`,
    'Open',
  );
  if (chosen) await vscode.commands.executeCommand('vscode.open', file);
}
