import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Journal } from '../../src/runs/journal.ts';
import { firstLink } from '../../src/runs/journalLine.ts';
import type { JournalRecord } from '../../src/runs/journalLine.ts';
import { isSelfPruner } from '../../src/search/rates/selfPruner/plan.ts';
import { createRun, JOURNAL_FILE, journalOf, openRun, RUN_FILE } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { summariseRun } from '../../src/runs/runSummary.ts';
import type { SearchEvent, RunPlan, SearchPlan } from '../../src/search/kinds.ts';
import { syntheticPlan, syntheticSearch } from '../support/syntheticSearch.ts';
import { syntheticMaskPlan, syntheticMasks, syntheticRatePlan, syntheticRates } from '../support/syntheticStructure.ts';

const FIXTURES = path.join(import.meta.dirname, 'fixtures');
const root = await mkdtemp(path.join(tmpdir(), 'espalier-format-'));
afterAll(() => rm(root, { recursive: true }));

/** How format 1 said it. */
const OLD_KINDS: Readonly<Record<'rates' | 'masks', Readonly<Record<string, string>>>> = {
  rates: {
    ...{ opened: 'structure-opened', baseline: 'rate-baseline', measured: 'configuration-measured' },
    ...{ candidate: 'configuration', generation: 'iteration', finalist: 'structure-finalist' },
    finished: 'rates-finished',
  },
  masks: { opened: 'structure-opened', finalist: 'structure-finalist', finished: 'masks-finished' },
};

function inFormat1(kind: RunPlan['kind'], event: SearchEvent): object {
  // Came with format 2.
  if (kind === 'recovery') throw new Error('format 1 has no recoveries');
  if (kind === 'metrics') {
    if (event.kind !== 'baseline' && event.kind !== 'finalist') return event;
    const { name, ...rest } = event;
    return { ...rest, metric: name };
  }
  const old: Record<string, unknown> = { ...event, kind: OLD_KINDS[kind][event.kind] ?? event.kind };
  if (event.kind === 'measured') delete old['rung'];
  if (kind === 'rates' && 'counts' in event) {
    const { candidates, ...counts } = event.counts;
    old['counts'] = { configurations: candidates, ...counts };
  }
  return old;
}

async function readAll(run: RunFolder): Promise<JournalRecord[]> {
  const reader = journalOf(run);
  const records: JournalRecord[] = [];
  for await (const portion of reader.more()) records.push(...portion);
  expect(reader.damage).toBeUndefined();
  return records;
}

/** The lines of a journal as format 1 wrote them. */
function linesOf(run: RunFolder, events: readonly SearchEvent[]): string {
  let { check } = firstLink(run.record);
  return events
    .map((event, seq) => {
      const body = JSON.stringify({ seq, at: 1000 + seq, event: inFormat1(run.record.plan.kind, event) }).slice(0, -1);
      check = createHash('sha256').update(check).update(Buffer.from(body)).digest('hex').slice(0, 16);
      return `${body},"check":"${check}"}\n`;
    })
    .join('');
}

describe('a run of format 1', () => {
  const plans: readonly [SearchPlan, readonly SearchEvent[]][] = [
    [syntheticPlan({ population: 8, generations: 3 }), []],
    [syntheticRatePlan({ population: 6, mutations: 2, crossovers: 2, generations: 3 }), []],
    [syntheticMaskPlan({ steps: 40, checkpoints: 4 }), []],
  ];
  const eventsOf = (plan: SearchPlan): readonly SearchEvent[] => {
    if (plan.kind === 'metrics') return syntheticSearch(plan).map(({ event }) => event);
    if (isSelfPruner(plan)) return syntheticRates(plan, { seed: 1 }).map(({ event }) => event);
    if (plan.kind !== 'masks') throw new Error(`no events of ${plan.search.method}`);
    return syntheticMasks(plan, { seed: 1 }).map(({ event }) => event);
  };

  it.each(plans.map(([plan]) => [plan.kind, plan] as const))(
    'that searches for %s says what it said, and goes on in format 2',
    async (kind, plan) => {
      const { folder, record: run } = await createRun(plan, { root, createdAt: new Date(1), versions: {} });
      const { kind: said, ...unsaid } = run.plan;
      const old = { ...run, format: 'espalier-run-1', plan: kind === 'metrics' ? unsaid : { kind: said, ...unsaid } };
      await writeFile(path.join(folder, RUN_FILE), JSON.stringify(old));
      const events = eventsOf(plan);
      const interrupted = events.slice(0, -3);
      const opened = await openRun(folder);
      expect(opened.record.plan).toEqual(run.plan);
      await writeFile(path.join(folder, JOURNAL_FILE), linesOf(opened, interrupted));
      expect((await readAll(opened)).map(({ event }) => event)).toEqual(interrupted);
      expect(await summariseRun(folder)).toMatchObject({ state: 'interrupted' });

      const { journal, records } = await Journal.open(path.join(folder, JOURNAL_FILE), opened.record, { now: () => 9 });
      expect(records).toHaveLength(interrupted.length);
      await journal.append(events.slice(-3));
      await journal.close();
      expect((await readAll(opened)).map(({ event }) => event)).toEqual(events);
      expect(await summariseRun(folder)).toMatchObject({ state: 'finished' });

      const text = await readFile(path.join(folder, JOURNAL_FILE), 'utf8');
      await writeFile(path.join(folder, JOURNAL_FILE), text.replace('"seq":2,', '"seq":3,'));
      expect(await summariseRun(folder)).toMatchObject({ state: 'damaged' });
    },
  );

  it('that an earlier version has written holds what it holds in format 2', async () => {
    const [old, now] = await Promise.all(['run-1', 'run-2'].map((name) => openRun(path.join(FIXTURES, name))));
    expect(old!.record.plan).toEqual(now!.record.plan);
    expect(old!.record.fingerprint).toBe(now!.record.fingerprint);
    expect(await readAll(old!)).toEqual(await readAll(now!));
    const copy = path.join(root, 'copy');
    await cp(path.join(FIXTURES, 'run-1'), copy, { recursive: true });
    expect(await summariseRun(copy)).toMatchObject({ state: 'finished', best: { id: 8 } });
  });
});
