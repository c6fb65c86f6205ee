import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { MetricEvent } from '../src/search/metrics/events.ts';
import { panelItems } from '../src/view/panelItems.ts';
import { RunFollower } from '../src/extension/search/runFollower.ts';
import { Journal } from '../src/runs/journal.ts';
import { createRun, JOURNAL_FILE } from '../src/runs/runFolder.ts';
import { syntheticPlan, syntheticSearch } from '../test/support/syntheticSearch.ts';

// npm run bench:panel: how long the extension host takes to read a run of 10 000 candidates and to pack it for the panel, and for how
// long at most it does nothing else meanwhile. The other half, in the panel's page, is timed by scripts/panelPreview.mjs.

const GENERATIONS = 200;
const POPULATION = 50;

async function main(): Promise<void> {
  const root = mkdtempSync(path.join(tmpdir(), 'espalier-panel-'));
  try {
    const plan = { ...syntheticPlan({ generations: GENERATIONS, population: POPULATION }), model: root };
    const run = await createRun(plan, { root, createdAt: new Date(), versions: {} });
    const file = path.join(run.folder, JOURNAL_FILE);
    const { journal } = await Journal.open(file, run.record, { now: () => Date.now() });
    await journal.append(eventsOf(plan));
    await journal.close();
    console.log(`journal of ${GENERATIONS * POPULATION} candidates: ${(statSync(file).size / 1e6).toFixed(1)} MB`);
    for (let round = 0; round < 3; round++) await measure(run);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function measure(run: ConstructorParameters<typeof RunFollower>[0]): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let bytes = 0;
  const follower = new RunFollower(run, {
    clock: { now: () => performance.now(), after: () => () => undefined },
    // What VS Code does with a message, more or less.
    onRecords: (records) => (bytes += JSON.stringify(panelItems(records)).length),
  });
  delay.enable();
  const began = performance.now();
  await follower.look();
  const milliseconds = performance.now() - began;
  delay.disable();
  follower.dispose();
  console.log(
    `extension host: ${milliseconds.toFixed(0)} ms, never blocked for more than ${(delay.max / 1e6).toFixed(0)} ms; ${(bytes / 1e6).toFixed(1)} MB of messages, ${follower.state.kind === 'metrics' ? follower.state.candidates.length : 0} candidates`,
  );
}

/** With the checks and measurements that a real search has. */
function eventsOf(plan: Parameters<typeof syntheticSearch>[0]): MetricEvent[] {
  return syntheticSearch(plan).flatMap(({ event }): MetricEvent[] => {
    if (event.kind !== 'candidate') return [event];
    const { id, expression, outcome } = event;
    const probe = { kind: 'ranks', fingerprint: 'a'.repeat(64), whole: false } as const;
    const loss = { kind: 'loss', blocks: 21, loss: 5.0123456789 } as const;
    return [
      { kind: 'probed', id, expression, probe, seconds: 0.0123456 },
      ...(outcome.kind === 'full' || outcome.kind === 'stopped'
        ? [{ kind: 'measured', id, rung: 0, measure: loss, seconds: 0.123456 } as const]
        : []),
      event,
    ];
  });
}

void main();
