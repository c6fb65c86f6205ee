import * as z from 'zod';
import { listRuns as runsOf } from '../runs/runSummary.ts';
import type { RunSummary } from '../runs/runSummary.ts';
import { runMethod } from '../search/runMethod.ts';
import { plannedLength } from '../search/kinds.ts';
import { parsePrefix } from '../metric/parsePrefix.ts';
import { printInfix } from '../metric/print.ts';
import { agentTool } from './agentTool.ts';

const MOST = 200;

export const listRuns = agentTool({
  name: 'list_runs',
  title: 'List searches and recoveries',
  description:
    'The runs of this workspace (searches for metrics, rates and masks; recoveries), the newest first, with state and the best that each has found.',
  access: 'read',
  input: z.strictObject({ limit: z.int().min(1).max(MOST).default(50) }),
  asks: () => 'list the runs of the workspace',
  answer: async ({ limit }, { root }) => {
    const runs = await runsOf(root);
    return {
      runs: runs.slice(0, limit).map((run) => ('run' in run ? summaryOf(run) : { run: run.id, state: 'unreadable' })),
      of: runs.length,
    };
  },
});

/** What a list, and the beginning of a run's story, say of it. */
export function summaryOf({ id, run, state, generation, best, notes }: RunSummary): object {
  const { plan, createdAt } = run.record;
  return {
    run: id,
    name: notes.name ?? plan.name,
    ...(notes.note !== undefined && { note: notes.note }),
    method: runMethod(plan).name,
    finds: plan.kind,
    state,
    createdAt,
    ...(generation !== undefined && { done: generation + 1 }),
    of: plannedLength(plan),
    ...(best && {
      best: best.kind === 'metric' ? { ...best, formula: printInfix(parsePrefix(best.expression)) } : best,
    }),
  };
}
