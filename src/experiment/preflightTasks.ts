import { formatBytes, formatCount, formatSeconds } from './format.ts';
import type { Preflight } from './preflightSchema.ts';
import { taskTitle } from './taskNames.ts';

/**
 * What a plan's tasks ask of each model, and what that takes: `PIQA 160 documents, ARC-Easy 2376 documents: 9824 requests, 402k tokens for each model,
 * about 3 min; 412 MB of hidden states for each in memory`.
 */
export function preflightTasks(tasks: NonNullable<Preflight['tasks']>): string {
  const { list, requests, tokens, seconds, bytes, kept } = tasks;
  const each = list.map(
    ({ task, documents }) => `${taskTitle(task)} ${documents} ${documents === 1 ? 'document' : 'documents'}`,
  );
  const states = `${formatBytes(bytes)} of hidden states for each ${kept === 'disk' ? 'on disk' : 'in memory'}`;
  const asked = `${requests} requests, ${formatCount(tokens)} tokens for each model`;
  return `${each.join(', ')}: ${asked}, about ${formatSeconds(seconds)}; ${states}`;
}
