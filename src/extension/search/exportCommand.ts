import path from 'node:path';
import * as vscode from 'vscode';
import { isMaskSearch, isMetricEvent, isRateSearch } from '../../search/kinds.ts';
import type { RunEvent } from '../../search/kinds.ts';
import type { StepEvent } from '../../search/rates/events.ts';
import { checkWhole } from '../../runs/journalReader.ts';
import { journalOf } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { foldMaskEvent, newMaskState } from '../../search/masks/state.ts';
import { foldRateEvent, newRateState } from '../../search/rates/state.ts';
import { foldEvent, newSearchState } from '../../search/metrics/state.ts';
import { masksAsCsv, masksAsJson, ratesAsCsv, ratesAsJson, runAsCsv, runAsJson } from './exportRun.ts';
import { iconFree, tellInformation } from '../messages.ts';

/** Asks where to, and writes everything that a run evaluated there. */
export async function saveExport(run: RunFolder, format: 'csv' | 'json'): Promise<void> {
  const file = await askWhere(run, format, format === 'csv' ? 'Comma-separated values' : 'JSON');
  if (!file) return;
  const text = await textOf(run, format);
  await vscode.workspace.fs.writeFile(file, Buffer.from(text));
  await offerToOpen(file);
}

async function textOf(run: RunFolder, format: 'csv' | 'json'): Promise<string> {
  const { plan } = run.run;
  if (isRateSearch(plan)) {
    const state = newRateState();
    await eachEvent(run, (event, at) => foldRateEvent(state, event, at));
    return format === 'csv' ? ratesAsCsv(state) : ratesAsJson(run.run, state);
  }
  if (isMaskSearch(plan)) {
    const state = newMaskState();
    const steps: StepEvent[] = [];
    await eachEvent(run, (event, at) => {
      foldMaskEvent(state, event, at);
      if (event.kind === 'step') steps.push(event);
    });
    return format === 'csv' ? masksAsCsv(steps, state) : masksAsJson(run.run, state);
  }
  const state = newSearchState();
  await eachEvent(run, (event, at) => {
    if (isMetricEvent(event)) foldEvent(state, event, at);
  });
  return format === 'csv' ? runAsCsv(state) : runAsJson(run.run, state);
}

async function eachEvent(run: RunFolder, take: (event: RunEvent, at: number) => unknown): Promise<void> {
  const journal = journalOf(run);
  for await (const records of journal.more()) for (const { event, at } of records) take(event, at);
  // Half a table looks like a whole one.
  checkWhole(journal);
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
    title: `Export ${iconFree(run.plan.name)}`,
    defaultUri: vscode.Uri.file(path.join(root, `${run.id}.${ending}`)),
    filters: { [what]: [ending] },
  });
}

async function offerToOpen(file: vscode.Uri): Promise<void> {
  const chosen = await tellInformation(`Exported to ${vscode.workspace.asRelativePath(file)}.`, 'Open');
  if (chosen) await vscode.commands.executeCommand('vscode.open', file);
}
