import path from 'node:path';
import * as vscode from 'vscode';
import { foldEvent, newState } from '../../search/folds.ts';
import { checkWhole } from '../../runs/journalReader.ts';
import { journalOf } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import {
  masksAsCsv,
  masksAsJson,
  ratesAsCsv,
  ratesAsJson,
  recoveryAsCsv,
  recoveryAsJson,
  runAsCsv,
  runAsJson,
} from './exportRun.ts';
import { iconFree, tellInformation } from '../messages.ts';
import type { TrainedEvent } from '../../search/recovery/events.ts';
import type { StepEvent } from '../../search/masks/events.ts';

/** Asks where to, and writes everything that a run evaluated there. */
export async function saveExport(run: RunFolder, format: 'csv' | 'json'): Promise<void> {
  const file = await askWhere(run, format, format === 'csv' ? 'Comma-separated values' : 'JSON');
  if (!file) return;
  const text = await textOf(run, format);
  await vscode.workspace.fs.writeFile(file, Buffer.from(text));
  await offerToOpen(file);
}

async function textOf(run: RunFolder, format: 'csv' | 'json'): Promise<string> {
  const state = newState(run.record.plan.kind);
  const steps: StepEvent[] = [];
  const trained: TrainedEvent[] = [];
  const journal = journalOf(run);
  for await (const records of journal.more()) {
    for (const { event, at } of records) {
      foldEvent(state, event, at);
      if (event.kind === 'step') steps.push(event);
      if (event.kind === 'trained') trained.push(event);
    }
  }
  // Half a table looks like a whole one.
  checkWhole(journal);
  switch (state.kind) {
    case 'metrics':
      return format === 'csv' ? runAsCsv(state) : runAsJson(run.record, state);
    case 'rates':
      return format === 'csv' ? ratesAsCsv(state) : ratesAsJson(run.record, state);
    case 'masks':
      return format === 'csv' ? masksAsCsv(steps, state) : masksAsJson(run.record, state);
    case 'recovery':
      return format === 'csv' ? recoveryAsCsv(trained, state) : recoveryAsJson(run.record, trained, state);
  }
}

/** @param data a PNG in base64 */
export async function savePicture(run: RunFolder, data: string): Promise<void> {
  const file = await askWhere(run, 'png', 'Picture');
  if (!file) return;
  await vscode.workspace.fs.writeFile(file, Buffer.from(data, 'base64'));
  await offerToOpen(file);
}

async function askWhere(
  { root, record: run }: RunFolder,
  ending: string,
  what: string,
): Promise<vscode.Uri | undefined> {
  return vscode.window.showSaveDialog({
    title: `Export ${iconFree(run.plan.name)}`,
    defaultUri: vscode.Uri.file(path.join(root, `${run.id}.${ending}`)),
    filters: { [what]: [ending] },
  });
}

async function offerToOpen(file: vscode.Uri): Promise<void> {
  const chosen = await tellInformation(`Exported to ${vscode.workspace.asRelativePath(file)}.`, 'Open');
  if (chosen) await vscode.commands.executeCommand('vscode.open', file);
}
