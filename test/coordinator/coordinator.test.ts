import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { SYSTEM_CLOCK } from '../../src/coordinator/clock.ts';
import type { SearchRunOptions } from '../../src/coordinator/coordinator.ts';
import { CRASH_LIMITS } from '../../src/coordinator/crashBudget.ts';
import type { MetricSearchPlan } from '../../src/search/metrics/plan.ts';
import type { RunEvent } from '../../src/search/kinds.ts';
import { thisProcess } from '../../src/files/processIdentity.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import { encodeLine, firstLink } from '../../src/runs/journalLine.ts';
import type { JournalRecord } from '../../src/runs/journalLine.ts';
import { createRun, JOURNAL_FILE, journalOf, LOG_FILE } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { LOCK_FILE } from '../../src/runs/runLock.ts';
import { summariseRun } from '../../src/runs/runSummary.ts';
import { planOf } from '../search/metrics/simulation.ts';
import { failureOf } from '../support/expectCoded.ts';
import { driveScripted } from './drivenRun.ts';
import type { Driven } from './drivenRun.ts';
import { fullDisk } from './fullDisk.ts';
import type { Reaction, Script, ScriptedRequest } from './scriptedWorker.ts';

const roots: string[] = [];
afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
});

const PLAN = planOf(
  { population: 12, generations: 3, elites: 3, finalists: 2, seed: 3 },
  {
    baselines: [
      { metric: 'magnitude', expression: parsePrefix('W') },
      { metric: 'wanda', expression: parsePrefix('mul(W, sqrt(X))') },
    ],
    test: 'test.txt',
  },
);

async function newRun(plan: MetricSearchPlan = PLAN): Promise<RunFolder> {
  const root = await mkdtemp(path.join(tmpdir(), 'espalier-coordinator-'));
  roots.push(root);
  const absolute = { ...plan, model: path.join(root, 'model'), text: path.join(root, 'text.txt') };
  return createRun(plan.test === undefined ? absolute : { ...absolute, test: path.join(root, plan.test) }, {
    root,
    createdAt: new Date(1763804575000),
    versions: { espalier: '1' },
  });
}

const drive = (run: RunFolder, script: Script = {}, options: Partial<SearchRunOptions> = {}): Promise<Driven> =>
  driveScripted(run, script, options);

async function recordsOf(run: RunFolder): Promise<readonly JournalRecord[]> {
  const journal = journalOf(run);
  const records: JournalRecord[] = [];
  for await (const portion of journal.more()) records.push(...portion);
  expect(journal.damage).toBeUndefined();
  return records;
}

/** All that must be the same whatever the workers did: the search's own events, in order, without times. */
async function storyOf(run: RunFolder): Promise<readonly string[]> {
  const told = new Set<RunEvent['kind']>(['opened', 'baseline', 'candidate', 'generation', 'finalist', 'finished']);
  return (await recordsOf(run)).filter(({ event }) => told.has(event.kind)).map(({ event }) => JSON.stringify(event));
}

/** Nothing is measured twice. */
async function expectOnce(run: RunFolder): Promise<void> {
  const keys = (await recordsOf(run)).flatMap(({ event }) =>
    event.kind === 'probed'
      ? [`probe ${event.id} ${event.trial ?? ''}`]
      : event.kind === 'measured'
        ? [`${event.id}/${event.rung}`]
        : [],
  );
  expect(new Set(keys).size).toBe(keys.length);
}

let story: Promise<readonly string[]> | undefined;

/** That of an uninterrupted run with one worker. */
function uninterrupted(): Promise<readonly string[]> {
  story ??= (async () => {
    const run = await newRun();
    expect((await drive(run)).outcome.kind).toBe('finished');
    return storyOf(run);
  })();
  return story;
}

/** What another container's driver does that has heard nothing of this one for a while. @returns the journal as it finds it */
function takeOver({ folder }: RunFolder): string {
  const [lock, journal] = [LOCK_FILE, JOURNAL_FILE].map((name) => path.join(folder, name)) as [string, string];
  writeFileSync(`${lock}.new`, JSON.stringify({ ...thisProcess(), host: 'elsewhere', token: 'x' }));
  renameSync(`${lock}.new`, lock);
  copyFileSync(journal, `${journal}.new`);
  renameSync(`${journal}.new`, journal);
  return readFileSync(journal, 'utf8');
}

describe('a run that another process took over while this one slept', () => {
  it('stops at its next answer: nothing more of it is written, and no worker is left', async () => {
    const run = await newRun();
    let told = 0;
    let taken = '';
    const onEvent = (): void => {
      if (++told === 12) taken = takeOver(run);
    };
    const error = await failureOf(() => drive(run, {}, { onEvent, workers: 2 }));
    expect([error.code, error.data.actual]).toEqual([
      'runs/in-use',
      expect.stringContaining('on elsewhere, which took'),
    ]);
    expect(await readFile(path.join(run.folder, JOURNAL_FILE), 'utf8')).toBe(taken);
    expect(taken.split('\n').length).toBeGreaterThan(told);
    expect(await readFile(path.join(run.folder, LOCK_FILE), 'utf8')).toContain('elsewhere');
  });

  it('stops within a heartbeat while its workers compute', async () => {
    const run = await newRun();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      let asked = false;
      const react = (request: ScriptedRequest): Reaction => {
        asked ||= request === 'measure';
        return request === 'measure' ? 'hang' : 'answer';
      };
      const stuck = failureOf(() => drive(run, { react }));
      await expect.poll(() => asked).toBe(true);
      takeOver(run);
      vi.advanceTimersByTime(2500);
      expect((await stuck).code).toBe('runs/in-use');
    } finally {
      vi.useRealTimers();
    }
    expect(await readFile(path.join(run.folder, LOCK_FILE), 'utf8')).toContain('elsewhere');
  });
});

describe('a run that tunes constants comes to the same end', () => {
  const plan = planOf({ population: 16, generations: 5, elites: 3, finalists: 1, seed: 4, constants: 'all' });

  it('with more workers that overtake each other and die, and resumed from cuts of its journal', async () => {
    const whole = await newRun(plan);
    await drive(whole);
    const expected = await storyOf(whole);
    const records = await recordsOf(whole);
    const trials = records.filter(({ event }) => event.kind === 'probed' && event.trial !== undefined);
    expect(trials.length).toBeGreaterThan(5);

    const busy = await newRun(plan);
    const rng = new Rng(7);
    let probed = 0;
    const react = (request: ScriptedRequest): Reaction =>
      request === 'probe' && [3, 9, 15].includes(++probed) ? 'die' : 'answer';
    await drive(busy, { react, delay: () => rng.integer(6) }, { workers: 3 });
    expect(await storyOf(busy)).toEqual(expected);
    await expectOnce(busy);

    const text = await readFile(path.join(whole.folder, JOURNAL_FILE), 'utf8');
    const lines = text.split('\n');
    // In the middle of the trials of a generation, and after the last of all.
    for (const cut of [trials[1]!.seq, trials[trials.length >> 1]!.seq, trials.at(-1)!.seq]) {
      await writeFile(path.join(whole.folder, JOURNAL_FILE), `${lines.slice(0, cut + 1).join('\n')}\n`);
      await drive(whole, {}, { workers: 2 });
      expect(await storyOf(whole)).toEqual(expected);
      await expectOnce(whole);
    }
  });
});

describe('a run comes to the same end', () => {
  it.each([1, 2, 5])('with %d workers that overtake each other', async (workers) => {
    const run = await newRun();
    const rng = new Rng(workers);
    const { outcome } = await drive(run, { delay: () => rng.integer(6) }, { workers });
    expect(outcome.kind).toBe('finished');
    expect(await storyOf(run)).toEqual(await uninterrupted());
    await expectOnce(run);
  });

  it.each([1, 2, 3])('with workers that die now and then (seed %d)', async (seed) => {
    const run = await newRun();
    const rng = new Rng(seed);
    const hit = new Set<string>();
    let deaths = 0;
    const { outcome } = await drive(
      run,
      {
        delay: () => rng.integer(3),
        // By chance, that is never twice on the same metric.
        react: (_, expressions) => {
          if (rng.uniform() > 0.2 || deaths === 8 || expressions.some((expression) => hit.has(expression)))
            return 'answer';
          for (const expression of expressions) hit.add(expression);
          deaths++;
          return 'die';
        },
      },
      { workers: 2, limits: { ...CRASH_LIMITS, backoff: 1, restarts: 8 } },
    );
    expect(deaths).toBeGreaterThan(2);
    expect(outcome.kind).toBe('finished');
    expect(await storyOf(run)).toEqual(await uninterrupted());
    await expectOnce(run);
  });

  it('with a worker that hangs once', async () => {
    const run = await newRun();
    let measured = 0;
    let limit = 0;
    const { workers } = await drive(
      run,
      { react: (request) => (request === 'measure' && ++measured === 8 ? 'hang' : 'answer') },
      {
        clock: {
          ...SYSTEM_CLOCK,
          // Time flies where somebody waits for minutes.
          after: (milliseconds, callback) => {
            if (milliseconds < 60_000 || milliseconds > 3_600_000) return SYSTEM_CLOCK.after(milliseconds, callback);
            limit = milliseconds;
            return SYSTEM_CLOCK.after(200, callback);
          },
        },
      },
    );
    expect([workers.length, limit]).toEqual([2, 600_000]);
    expect(await storyOf(run)).toEqual(await uninterrupted());
    await expectOnce(run);
  });

  it('that another driver has finished meanwhile is told whole, once nobody else can add to it', async () => {
    const run = await newRun();
    await drive(run);
    const [recalled, told]: [JournalRecord[], JournalRecord[]] = [[], []];
    const { outcome } = await drive(run, {}, { onRecalled: (r) => recalled.push(r), onEvent: (r) => told.push(r) });
    expect(outcome.kind).toBe('finished');
    expect(recalled).toEqual(await recordsOf(run));
    expect(told).toEqual([]);
  });

  it('resumed from every cut of its journal', async () => {
    const whole = await newRun();
    await drive(whole);
    const text = await readFile(path.join(whole.folder, JOURNAL_FILE));
    const expected = await uninterrupted();
    for (let cut = 1; cut < text.length; cut += Math.ceil(text.length / 8)) {
      await writeFile(path.join(whole.folder, JOURNAL_FILE), text.subarray(0, cut));
      await drive(whole, {}, { workers: 2 });
      expect(await storyOf(whole)).toEqual(expected);
      await expectOnce(whole);
    }
  });

  it('paused again and again', async () => {
    const run = await newRun();
    let pauses = 0;
    for (let patience = 12; ; patience += 2) {
      const pause = new AbortController();
      let events = 0;
      const { outcome } = await drive(
        run,
        {},
        {
          workers: 2,
          signal: pause.signal,
          onEvent: () => {
            if (++events === patience) pause.abort();
          },
        },
      );
      if (outcome.kind === 'finished') break;
      pauses++;
      expect((await summariseRun(run.folder)).state).toBe('paused');
      expect((await recordsOf(run)).at(-1)!.event.kind).toBe('paused');
    }
    expect(pauses).toBeGreaterThan(2);
    expect(await storyOf(run)).toEqual(await uninterrupted());
    await expectOnce(run);
    // And a finished run starts nobody.
    const { workers, outcome } = await drive(run);
    expect([workers.length, outcome.kind]).toEqual([0, 'finished']);
  });
});

describe('a metric that ends its workers', () => {
  it('is quarantined, alone, and the search goes on', async () => {
    const run = await newRun();
    const culprits = (await recordsOfUninterrupted()).flatMap(({ event }) =>
      event.kind === 'candidate' && 'expression' in event && [3, 7, 20].includes(event.id) ? [event.expression] : [],
    );
    let deaths = 0;
    const { outcome } = await drive(run, {
      react: (request, expressions) =>
        (request === 'probe' || request === 'measure') &&
        expressions.some((expression) => culprits.includes(expression))
          ? (deaths++, 'die')
          : 'answer',
    });
    expect(outcome.kind).toBe('finished');
    const events = (await recordsOf(run)).map(({ event }) => event);
    const quarantined = events.filter((event) => event.kind === 'quarantined');
    expect(quarantined.length).toBeGreaterThanOrEqual(2);
    for (const { id, expression, error } of quarantined) {
      expect(culprits).toContain(expression);
      expect(error).toMatchObject({
        code: 'worker/exited',
        actual: expect.stringContaining('segmentation fault') as string,
      });
      expect(events.find((event) => event.kind === 'candidate' && event.id === id)).toMatchObject({
        outcome: { kind: 'invalid', reason: 'quarantined' },
      });
    }
    expect(await readFile(path.join(run.folder, LOG_FILE), 'utf8')).toMatch(
      /^\S+Z .*SIGSEGV; its last words: segmentation fault\\u001b\[2J/m,
    );
    // Each ends two workers that work on nothing else, and at most one more that worked on others too.
    expect(deaths).toBeLessThanOrEqual(3 * quarantined.length);
    await expectOnce(run);
  });

  it('as a finalist fails alone', async () => {
    const run = await newRun();
    await drive(run, {
      react: (request, [expression]) => (request === 'evaluate' && expression === 'W' ? 'die' : 'answer'),
    });
    const finalists = (await recordsOf(run)).flatMap(({ event }) => (event.kind === 'finalist' ? [event] : []));
    expect(finalists.find(({ name }) => name === 'magnitude')?.error?.code).toBe('worker/exited');
    expect(finalists.filter(({ error }) => error === undefined)).toHaveLength(3);
  });
});

describe('a run fails with a reason, and can be resumed', () => {
  it.each([
    ['when they start', 'open'],
    ['whatever they are asked', 'probe'],
  ])('workers that die %s', async (_, deadly) => {
    const run = await newRun();
    const script: Script = { react: (request) => (request === deadly ? 'die' : 'answer') };
    const error = await failureOf(() => drive(run, script, { workers: 2 }));
    expect(error.code).toBe('worker/gave-up');
    expect((await recordsOf(run)).at(-1)!.event).toMatchObject({ kind: 'failed', error: { code: 'worker/gave-up' } });
    expect((await summariseRun(run.folder)).state).toBe('failed');
    await drive(run);
    expect((await summariseRun(run.folder)).state).toBe('finished');
    if (deadly === 'open') expect(await storyOf(run)).toEqual(await uninterrupted());
  });

  it('a disk that is full', async () => {
    const run = await newRun();
    for (const room of [0, 500, 5000, 20_000]) {
      const error = await failureOf(() => drive(run, {}, { openFile: fullDisk(room) }));
      expect(error.code).toBe('io/write');
      expect(error.data.actual).toContain('ENOSPC');
      // Nothing half written is left.
      const text = await readFile(path.join(run.folder, JOURNAL_FILE), 'utf8');
      expect(text === '' || text.endsWith('"}\n')).toBe(true);
      expect(text.split('\n').length - 1).toBe((await recordsOf(run)).length);
      expect((await summariseRun(run.folder)).state).toBe('interrupted');
    }
    await drive(run);
    expect(await storyOf(run)).toEqual(await uninterrupted());
    await expectOnce(run);
  });
});

describe('a run is not gone on with', () => {
  it('while another drives it', async () => {
    const run = await newRun();
    const pause = new AbortController();
    const first = drive(run, { react: () => 'hang' }, { signal: pause.signal });
    await expect.poll(async () => (await summariseRun(run.folder)).state).toBe('running');
    expect((await failureOf(() => drive(run))).code).toBe('runs/in-use');
    pause.abort();
    expect((await first).outcome.kind).toBe('paused');
    expect((await summariseRun(run.folder)).state).toBe('paused');
  });

  it('on other inputs, once something was measured', async () => {
    const run = await newRun();
    const text = path.join(run.folder, JOURNAL_FILE);
    await drive(run);
    const lines = (await readFile(text, 'utf8')).split('\n');
    await writeFile(text, lines.slice(0, 40).join('\n') + '\n');
    const error = await failureOf(() => drive(run, { opening: { fingerprint: 'another' } }));
    expect(error.code).toBe('runs/changed');
    // Before anything was measured it may begin again.
    await writeFile(text, `${lines[0]!}\n`);
    await drive(run, { opening: { fingerprint: 'another' } });
    const openings = (await recordsOf(run)).filter(({ event }) => event.kind === 'opened');
    expect(openings).toHaveLength(2);
  });

  it('when it would ask something else than it did', async () => {
    const run = await newRun();
    await drive(run);
    const records = await recordsOf(run);
    const changed = records.slice(0, 60).map(({ seq, at, event }) => ({
      seq,
      at,
      event: event.kind === 'probed' && event.id === 5 ? { ...event, expression: 'sqrt(W)' } : event,
    }));
    let link = firstLink(run.record);
    let text = '';
    for (const record of changed) {
      const { line, next } = encodeLine(record, link);
      text += line;
      link = next;
    }
    await writeFile(path.join(run.folder, JOURNAL_FILE), text);
    const error = await failureOf(() => drive(run));
    expect(error.code).toBe('runs/diverged');
    expect(error.data.operation).toContain('candidate 5');
  });
});

async function recordsOfUninterrupted(): Promise<readonly JournalRecord[]> {
  const run = await newRun();
  await drive(run);
  return recordsOf(run);
}

describe('pausing', () => {
  it('is acknowledged at once, even where a worker is deep in a native call', async () => {
    const run = await newRun();
    const pause = new AbortController();
    let asked = 0;
    const driven = drive(
      run,
      { react: (request) => (request === 'measure' && ++asked > 3 ? 'hang' : 'answer') },
      { signal: pause.signal },
    );
    await expect.poll(() => asked).toBeGreaterThan(3);
    const began = performance.now();
    pause.abort();
    expect((await driven).outcome.kind).toBe('paused');
    expect(performance.now() - began).toBeLessThan(500);
    await drive(run);
    expect(await storyOf(run)).toEqual(await uninterrupted());
  });
});
