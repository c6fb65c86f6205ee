import { formatBytes, formatSeconds } from '../../experiment/format.ts';
import { needsConfirmation } from '../../experiment/preflight.ts';
import { preflightTasks } from '../../experiment/preflightTasks.ts';
import type { Preflight } from '../../experiment/preflightSchema.ts';
import { askModal } from '../messages.ts';

/** Asks before an evaluation that takes long, or more than there is; true where there is nothing to ask. */
export async function confirmEvaluation(name: string, preflight: Preflight): Promise<boolean> {
  if (!needsConfirmation(preflight)) return true;
  const proceed = 'Evaluate';
  const title = `Evaluating ${name} takes about ${formatSeconds(preflight.seconds)} on ${preflight.deviceName}.`;
  const chosen = await askModal(title, detailOf(preflight), proceed);
  return chosen === proceed;
}

function detailOf({ costs, free, problems, warnings, gradients, tasks, budgets = [] }: Preflight): readonly string[] {
  const lines = costs.map(({ name, kind, bytes }) => `${name}: ${formatBytes(bytes)} of ${kind}`);
  const room = `Free: ${formatBytes(free.memory)} of memory, ${formatBytes(free.disk)} of disk.`;
  const kept = gradients === 'to compute' ? ['Gradients are computed once and kept.'] : [];
  const asked = tasks ? [`Tasks: ${preflightTasks(tasks)}.`] : [];
  return [
    ...warnings.map((warning) => `Mind: ${warning}.`),
    ...problems,
    ...budgets,
    ...asked,
    ...lines,
    room,
    ...kept,
  ];
}
