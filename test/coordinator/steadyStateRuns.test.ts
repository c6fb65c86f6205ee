import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { encodeLine, firstLink } from '../../src/runs/journalLine.ts';
import { createRun, JOURNAL_FILE } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import type { RunEvent } from '../../src/search/kinds.ts';
import type { Acknowledged, MetricEvent } from '../../src/search/metrics/events.ts';
import { questionKey } from '../../src/search/metrics/questionKey.ts';
import { planOf, simulate, simulation } from '../search/metrics/simulation.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import { failureOf } from '../support/expectCoded.ts';
import { driveScripted, eventsOf, storyOf } from './drivenRun.ts';
import type { Reaction } from './scriptedWorker.ts';

const PLAN = planOf(
  {
    ...{ evolution: 'steady-state', population: 7, generations: 3, elites: 2, finalists: 2, seed: 3, constants: 'all' },
  },
  { baselines: [{ metric: 'magnitude', expression: parsePrefix('W') }] },
);

const roots: string[] = [];
afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
});

async function newRun(): Promise<RunFolder> {
  const root = await mkdtemp(path.join(tmpdir(), 'espalier-steady-'));
  roots.push(root);
  const absolute = { ...PLAN, model: path.join(root, 'model'), text: path.join(root, 'text.txt') };
  return createRun(absolute, { root, createdAt: new Date(1763804575000), versions: { espalier: '1' } });
}

const journalFile = (run: RunFolder): string => path.join(run.folder, JOURNAL_FILE);

const acknowledgedIn = (events: readonly RunEvent[]): Acknowledged[] =>
  events.filter(
    (event): event is Acknowledged =>
      event.kind === 'probed' || event.kind === 'workers' || (event.kind === 'measured' && event.id >= 0),
  );

/** What the search says of itself, without times. */
const saidIn = (events: readonly RunEvent[]): RunEvent[] =>
  events.filter(({ kind }) => kind === 'candidate' || kind === 'generation');

/** Nothing is asked twice, and the search said what the order of its answers makes it say. */
async function expectReplayed(run: RunFolder): Promise<void> {
  const events = await eventsOf(run);
  const acknowledged = acknowledgedIn(events);
  const keys = acknowledged.flatMap((event) => (event.kind === 'workers' ? [] : [questionKey(event)]));
  expect(new Set(keys).size).toBe(keys.length);
  const said: MetricEvent[] = [];
  let at = 0;
  await simulate(PLAN, simulation(1), {
    singly: { ask: () => undefined, next: () => Promise.resolve(acknowledged[at++]!) },
    onEvent: (event) => said.push(event),
  });
  expect(at).toBe(acknowledged.length);
  expect(said.filter(({ kind }) => kind !== 'baseline')).toEqual(saidIn(events));
}

describe('a run without generations', () => {
  it('by one worker comes to the same end, killed after every event and resumed', async () => {
    const whole = await newRun();
    await driveScripted(whole, {});
    const expected = await storyOf(whole);
    const lines = (await readFile(journalFile(whole), 'utf8')).split('\n');
    expect(lines.length).toBeGreaterThan(45);
    for (let cut = 1; cut < lines.length - 2; cut++) {
      await writeFile(journalFile(whole), `${lines.slice(0, cut).join('\n')}\n`);
      await driveScripted(whole, {});
      expect(await storyOf(whole)).toEqual(expected);
    }
    await expectReplayed(whole);
  });

  it('by several workers that overtake each other keeps the order of what was acknowledged, killed after every event', async () => {
    const rng = new Rng(5);
    const script = { delay: () => rng.integer(6) };
    const whole = await newRun();
    await driveScripted(whole, script, { workers: 3 });
    await expectReplayed(whole);
    const before = acknowledgedIn(await eventsOf(whole));
    const lines = (await readFile(journalFile(whole), 'utf8')).split('\n');
    const ends = new Set<string>();
    for (let cut = 1; cut < lines.length - 2; cut += 3) {
      await writeFile(journalFile(whole), `${lines.slice(0, cut).join('\n')}\n`);
      const kept = acknowledgedIn(await eventsOf(whole)).length;
      // Others than before, and more or fewer.
      await driveScripted(whole, script, { workers: 1 + (cut % 4) });
      await expectReplayed(whole);
      const events = await eventsOf(whole);
      expect(acknowledgedIn(events).slice(0, kept)).toEqual(before.slice(0, kept));
      ends.add(JSON.stringify(saidIn(events)));
    }
    expect(ends.size, 'orders differ, and so do searches').toBeGreaterThan(2);
  });

  it('quarantines what ends two workers, and goes on', async () => {
    const run = await newRun();
    const undisturbed = await newRun();
    await driveScripted(undisturbed, {});
    // Of the first population, which is the same in both.
    const culprits = (await eventsOf(undisturbed)).flatMap((event) =>
      event.kind === 'candidate' && 'expression' in event && event.id < 7 && event.outcome.kind === 'stopped'
        ? [event.expression]
        : [],
    );
    const react = (request: string, about: readonly string[]): Reaction =>
      request === 'measure' && about.some((one) => culprits.includes(one)) ? 'die' : 'answer';
    await driveScripted(run, { react }, { workers: 2 });
    await expectReplayed(run);
    const events = await eventsOf(run);
    const quarantined = events.flatMap((event) => (event.kind === 'quarantined' ? [event.id] : []));
    expect(quarantined.length).toBeGreaterThan(0);
    for (const id of quarantined) {
      const candidate = events.find((event) => event.kind === 'candidate' && event.id === id);
      expect(candidate).toMatchObject({ outcome: { kind: 'invalid', reason: 'quarantined' } });
    }
  });

  it.each<[string, (event: RunEvent) => RunEvent]>([
    [
      'of another metric',
      (event) => (event.kind === 'probed' && event.id === 5 ? { ...event, expression: 'sqrt(W)' } : event),
    ],
    ['that nobody asked for', (event) => (event.kind === 'measured' && event.id === 1 ? { ...event, id: 90 } : event)],
  ])('is not gone on with where its journal has an answer %s', async (_, change) => {
    const run = await newRun();
    await driveScripted(run, {});
    const events = (await eventsOf(run)).filter(({ kind }) => kind !== 'finished' && kind !== 'finalist');
    let link = firstLink(run.record);
    const text = events.map((event, seq) => {
      const { line, next } = encodeLine({ seq, at: 1763804575000, event: change(event) }, link);
      link = next;
      return line;
    });
    await writeFile(journalFile(run), text.join(''));
    expect((await failureOf(() => driveScripted(run, {}))).code).toBe('runs/diverged');
  });

  it('pauses while answers are out, and goes on', async () => {
    const run = await newRun();
    const pause = new AbortController();
    let events = 0;
    const rng = new Rng(1);
    const { outcome } = await driveScripted(
      run,
      { delay: () => rng.integer(4) },
      {
        workers: 3,
        signal: pause.signal,
        onEvent: () => {
          if (++events === 25) pause.abort();
        },
      },
    );
    expect([outcome.kind, (await eventsOf(run)).at(-1)!.kind]).toEqual(['paused', 'paused']);
    expect((await driveScripted(run, {}, { workers: 2 })).outcome.kind).toBe('finished');
    await expectReplayed(run);
  });
});
