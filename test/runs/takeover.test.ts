import { copyFile, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MetricEvent } from '../../src/search/metrics/events.ts';
import { Journal } from '../../src/runs/journal.ts';
import type { JournalFile, JournalOptions } from '../../src/runs/journal.ts';
import { JournalReader } from '../../src/runs/journalReader.ts';
import { JOURNAL_FILE } from '../../src/runs/runFolder.ts';
import { LOCK_FILE, lockRun } from '../../src/runs/runLock.ts';
import type { RunLock } from '../../src/runs/runLock.ts';
import { failureOf } from '../support/expectCoded.ts';

// Two that drive one run: the first sleeps for longer than others wait, and wakes up at the most unfortunate moment.

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-takeover-'));
  file = path.join(folder, JOURNAL_FILE);
});
afterEach(() => rm(folder, { recursive: true }));

const paused: MetricEvent = { kind: 'paused' };
const resumed: MetricEvent = { kind: 'resumed' };

const OWNER = { id: 'run', plan: { kind: 'metrics' } } as const;

interface Driver {
  readonly lock: RunLock;
  readonly journal: Journal;
  readonly found: number;
}

async function drive(lock: RunLock, options: Partial<JournalOptions> = {}): Promise<Driver> {
  const { journal, records } = await Journal.open(file, OWNER, { now: () => 1, check: () => lock.check(), ...options });
  return { lock, journal, found: records.length };
}

/** Another container's driver, which has heard nothing of the one before. */
async function takeOver(): Promise<Driver> {
  const lock = path.join(folder, LOCK_FILE);
  const holder = JSON.parse(await readFile(lock, 'utf8')) as object;
  await writeFile(lock, JSON.stringify({ ...holder, host: 'elsewhere' }));
  return drive(await lockRun(folder, { silence: 100 }));
}

async function end({ lock, journal }: Driver): Promise<void> {
  await journal.close();
  await lock.release();
}

async function kinds(): Promise<readonly string[]> {
  const reader = new JournalReader(file, OWNER);
  const found: string[] = [];
  for await (const records of reader.more()) found.push(...records.map(({ event }) => event.kind));
  expect(reader.damage).toBeUndefined();
  expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(found.length + 1);
  return found;
}

describe('a driver that slept while another took over', () => {
  it('writes nothing more, and says that the run is the other’s', async () => {
    const asleep = await drive(await lockRun(folder));
    await asleep.journal.append([paused]);
    const other = await takeOver();
    expect(other.found).toBe(1);
    await other.journal.append([resumed]);
    const error = await failureOf(() => asleep.journal.append([paused, paused]));
    expect(error.code).toBe('runs/in-use');
    expect((await failureOf(() => asleep.journal.append([paused]))).code).toBe('runs/in-use');
    await end(asleep);
    await other.journal.append([resumed]);
    await end(other);
    expect(await kinds()).toEqual(['paused', 'resumed', 'resumed']);
    expect(await readdir(folder)).toEqual([JOURNAL_FILE]);
  });

  it.each(['before it wrote', 'before it flushed', 'after it flushed'])(
    'just %s, damages nothing: it is not acknowledged, and the other goes on from what it found',
    async (moment) => {
      let other: Driver | undefined;
      const steal = async (when: string): Promise<void> => {
        if (when === moment && armed) other ??= await takeOver();
      };
      let armed = false;
      const asleep = await drive(await lockRun(folder), {
        openFile: async (name) => {
          const handle = await open(name, 'r+');
          const wrapped: JournalFile = {
            write: async (...about) => {
              await steal('before it wrote');
              return handle.write(...about);
            },
            datasync: async () => {
              await steal('before it flushed');
              await handle.datasync();
              await steal('after it flushed');
            },
            truncate: (length) => {
              if (armed) throw new Error('it cuts what is not its own');
              return handle.truncate(length);
            },
            close: () => handle.close(),
          };
          return wrapped;
        },
      });
      await asleep.journal.append([paused]);
      armed = true;
      expect((await failureOf(() => asleep.journal.append([paused]))).code).toBe('runs/in-use');
      await other!.journal.append([resumed]);
      await end(asleep);
      await end(other!);
      expect(await kinds()).toEqual([...Array<string>(other!.found).fill('paused'), 'resumed']);
    },
  );

  it('writes into a file that is the journal no more, even without looking', async () => {
    let handle: Awaited<ReturnType<typeof open>> | undefined;
    const asleep = await drive(await lockRun(folder), {
      openFile: async (name) => (handle = await open(name, 'r+')),
    });
    await asleep.journal.append([paused]);
    const other = await takeOver();
    await other.journal.append([resumed]);
    await handle!.write(Buffer.from('what a stale driver writes'), 0, 26, 0);
    await handle!.truncate(3);
    await other.journal.append([resumed]);
    await end(other);
    await end(asleep);
    expect(await kinds()).toEqual(['paused', 'resumed', 'resumed']);
  });

  it('while it opened the journal, does not put its old copy in the place of the newer one', async () => {
    const first = await drive(await lockRun(folder));
    await first.journal.append([paused]);
    await end(first);
    const lock = await lockRun(folder);
    let other: Driver | undefined;
    // It has looked, the run is still its own, and then it sleeps.
    const check = async (): Promise<void> => {
      await lock.check();
      other = await takeOver();
      await other.journal.append([resumed]);
    };
    const error = await failureOf(() => drive(lock, { check }));
    expect(error.code).toMatch(/^(io\/write|runs\/in-use)$/);
    await other!.journal.append([resumed]);
    await end(other!);
    expect(await kinds()).toEqual(['paused', 'resumed', 'resumed']);
    await lock.release();
    expect(await readdir(folder)).toEqual([JOURNAL_FILE]);
  });
});

it('a copy that a killed process left is removed by the next that drives', async () => {
  const first = await drive(await lockRun(folder));
  await first.journal.append([paused]);
  await end(first);
  await copyFile(file, path.join(folder, `${LOCK_FILE}.journal.x.tmp`));
  const second = await drive(await lockRun(folder));
  expect(second.found).toBe(1);
  expect((await readdir(folder)).sort()).toEqual([JOURNAL_FILE, LOCK_FILE]);
  await end(second);
});
