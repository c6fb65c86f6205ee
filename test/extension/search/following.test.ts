import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunFollower } from '../../../src/extension/search/runFollower.ts';
import { isReadable, RunLibrary } from '../../../src/extension/search/runLibrary.ts';
import type { MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import { Journal } from '../../../src/runs/journal.ts';
import { createRun, JOURNAL_FILE } from '../../../src/runs/runFolder.ts';
import type { RunFolder } from '../../../src/runs/runFolder.ts';
import { lockRun } from '../../../src/runs/runLock.ts';
import { syntheticPlan, syntheticSearch } from '../../support/syntheticSearch.ts';
import { FakeClock } from '../fakeWorker.ts';
import type { MetricState } from '../../../src/search/metrics/state.ts';

const root = mkdtempSync(path.join(tmpdir(), 'espalier-follow-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const small = { population: 6, generations: 3 };
let second = 0;

function begin(plan: MetricSearchPlan, folder = root): Promise<RunFolder<MetricSearchPlan>> {
  return createRun(plan, { root: folder, createdAt: new Date(Date.UTC(2026, 10, 22, 10, 0, second++)), versions: {} });
}

async function write(run: RunFolder<MetricSearchPlan>, from: number, to?: number): Promise<void> {
  const { journal } = await Journal.open(path.join(run.folder, JOURNAL_FILE), run.record, { now: () => 1 });
  await journal.append(
    syntheticSearch(run.record.plan)
      .slice(from, to)
      .map(({ event }) => event),
  );
  await journal.close();
}

describe('a run that is followed', () => {
  it('is read to its end, and on as it grows, whoever writes it', async () => {
    const run = await begin(syntheticPlan(small));
    const told: [records: number, complete: boolean][] = [];
    const clock = new FakeClock();
    const follower = new RunFollower(run, {
      clock,
      onRecords: (records, complete) => told.push([records.length, complete]),
    });
    await follower.look();
    expect([told, follower.isComplete, follower.isDriven]).toEqual([[[0, true]], true, false]);
    const lock = await lockRun(run.folder);
    await write(run, 0, 10);
    await follower.look();
    expect([told.at(-1), follower.isDriven]).toEqual([[10, true], true]);
    await write(run, 10);
    await lock.release();
    await follower.look();
    expect(follower.state.status).toBe('finished');
    expect((follower.state as MetricState).candidates).toHaveLength(18);
    expect(follower.isDriven).toBe(false);
    expect(clock.pending).toBe(1);
    follower.dispose();
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['whose last line is torn shows what stands before it', 'last', 8, undefined],
    ['whose journal is damaged in its middle says so, and shows what stands before', 'middle', 4, 'runs/damaged'],
  ] as const)('%s', async (_, place, shown, error) => {
    const run = await begin(syntheticPlan(small));
    await write(run, 0, 8);
    const file = path.join(run.folder, JOURNAL_FILE);
    if (place === 'last') appendFileSync(file, '{"seq":8,"at":1,"event":{"ki');
    else {
      const lines = readFileSync(file, 'utf8').split('\n');
      writeFileSync(file, lines.with(4, lines[4]!.replace('"at":1', '"at":2')).join('\n'));
    }
    const follower = new RunFollower(run, { clock: new FakeClock(), onRecords: () => undefined });
    await follower.look();
    expect([follower.state.revision, follower.error?.code]).toEqual([shown, error]);
    follower.dispose();
  });
});

describe('the runs of a workspace', () => {
  const folder = path.join(root, 'workspace');
  const plan = syntheticPlan(small);
  const random = (changes: Partial<MetricSearchPlan['search']>): MetricSearchPlan => ({
    ...plan,
    name: 'random',
    search: { ...plan.search, method: 'random', ...changes },
  });
  let runs: RunFolder<MetricSearchPlan>[];

  beforeAll(async () => {
    runs = [
      await begin(plan, folder),
      await begin(random({}), folder),
      await begin(random({ seed: 9, elites: 1, workers: 4 }), folder),
      await begin(random({ population: 7 }), folder),
    ];
    await write(runs[0]!, 0);
  });

  it('are listed newest first, and read again only where they changed', async () => {
    let changes = 0;
    const library = new RunLibrary({ roots: () => [folder], clock: new FakeClock(), onChange: () => changes++ });
    expect(library.isLoaded).toBe(false);
    await library.load();
    expect(library.runs.map(({ id }) => id)).toEqual(runs.map(({ record: run }) => run.id).reverse());
    const [first] = library.runs;
    await library.load();
    expect([changes, library.runs[0] === first]).toEqual([1, true]);
    const finished = library.find(runs[0]!.folder)!;
    expect(isReadable(finished) && finished.state).toBe('finished');
  });

  it('have a random search beside one that asks the same with the same budget', async () => {
    const library = new RunLibrary({ roots: () => [folder], clock: new FakeClock(), onChange: () => undefined });
    await library.load();
    // Its seed and what only evolution uses may differ; the newest is taken, but not one of another size.
    expect(library.randomBeside(runs[0]!.record.plan)?.folder).toBe(runs[2]!.folder);
    expect(library.randomBeside({ ...runs[0]!.record.plan, text: 'another.txt' })).toBeUndefined();
  });
});
