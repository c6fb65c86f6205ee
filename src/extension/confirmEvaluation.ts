import * as vscode from 'vscode';
import { formatBytes, formatSeconds } from '../experiment/format.ts';
import { needsConfirmation } from '../experiment/preflight.ts';
import type { Preflight } from '../experiment/preflight.ts';

/** Asks before an evaluation that takes long, or more than there is; true where there is nothing to ask. */
export async function confirmEvaluation(name: string, preflight: Preflight): Promise<boolean> {
  if (!needsConfirmation(preflight)) return true;
  const proceed = 'Evaluate';
  const title = `Evaluating ${name} takes about ${formatSeconds(preflight.seconds)} on ${preflight.deviceName}.`;
  const chosen = await vscode.window.showWarningMessage(title, { modal: true, detail: detailOf(preflight) }, proceed);
  return chosen === proceed;
}

function detailOf({ costs, free, problems, gradients }: Preflight): string {
  const lines = costs.map(({ name, kind, bytes }) => `${name}: ${formatBytes(bytes)} of ${kind}`);
  const room = `Free: ${formatBytes(free.memory)} of memory, ${formatBytes(free.disk)} of disk.`;
  const kept = gradients === 'to compute' ? ['Gradients are computed once and kept.'] : [];
  return [...problems, ...lines, room, ...kept].join('\n');
}
