import { expect } from 'vitest';
import { runSearchOf } from '../../src/coordinator/coordinator.ts';
import type { RunOutcome, SearchRunOptions } from '../../src/coordinator/coordinator.ts';
import { CRASH_LIMITS } from '../../src/coordinator/crashBudget.ts';
import { journalOf } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import type { RunEvent } from '../../src/search/kinds.ts';
import { ScriptedWorker } from './scriptedWorker.ts';
import type { Script } from './scriptedWorker.ts';

export interface Driven {
  readonly outcome: RunOutcome;
  readonly workers: readonly ScriptedWorker[];
}

/** Drives a run with scripted workers, none of which outlives it. */
export async function driveScripted(
  run: RunFolder,
  script: Script,
  options: Partial<SearchRunOptions> = {},
): Promise<Driven> {
  const workers: ScriptedWorker[] = [];
  try {
    const outcome = await runSearchOf(run, {
      spawn: () => {
        const worker = new ScriptedWorker(script);
        workers.push(worker);
        return worker;
      },
      signal: new AbortController().signal,
      limits: { ...CRASH_LIMITS, backoff: 1 },
      ...options,
    });
    return { outcome, workers };
  } finally {
    expect(
      workers.every(({ gone }) => gone),
      'no worker outlives the search',
    ).toBe(true);
  }
}

export async function eventsOf(run: RunFolder): Promise<readonly RunEvent[]> {
  const journal = journalOf(run);
  const events: RunEvent[] = [];
  for await (const portion of journal.more()) events.push(...portion.map(({ event }) => event));
  expect(journal.damage).toBeUndefined();
  return events;
}

const TOLD: ReadonlySet<RunEvent['kind']> = new Set<RunEvent['kind']>([
  ...(['opened', 'baseline', 'candidate', 'generation', 'proposed', 'fallback', 'finished'] as const),
  ...(['scores', 'step', 'probabilities', 'finalist', 'finished', 'llm-asked', 'llm-replied'] as const),
  ...(['trained', 'validated', 'stopped'] as const),
]);

/** All that must be the same whatever the workers did, without times. */
export async function storyOf(run: RunFolder): Promise<readonly string[]> {
  return (await eventsOf(run))
    .filter(({ kind }) => TOLD.has(kind))
    .map((event) => JSON.stringify(event, (key, value: unknown) => (key === 'seconds' ? undefined : value)));
}
