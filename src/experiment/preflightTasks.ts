import { formatCount } from './format.ts';
import type { Preflight } from './preflightSchema.ts';
import { taskTitle } from './taskNames.ts';

/** What a plan's tasks ask of each model: `PIQA 160 documents, ARC-Easy 2376 documents: 9824 requests, 402k tokens for each model`. */
export function preflightTasks({ list, requests, tokens }: NonNullable<Preflight['tasks']>): string {
  const each = list.map(
    ({ task, documents }) => `${taskTitle(task)} ${documents} ${documents === 1 ? 'document' : 'documents'}`,
  );
  return `${each.join(', ')}: ${requests} requests, ${formatCount(tokens)} tokens for each model`;
}
