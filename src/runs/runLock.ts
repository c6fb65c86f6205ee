import { randomUUID } from 'node:crypto';
import { link, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { EspalierError } from '../base/errors.ts';
import { createFile } from '../files/openRegular.ts';
import { readText } from '../files/readBytes.ts';
import { readSystemFile } from '../files/systemFile.ts';

/** Inside a run's folder: who drives it. Its modification time is the heartbeat. */
export const LOCK_FILE = 'running';

/** Milliseconds between two heartbeats, and after which a driver that cannot be asked counts as gone. */
const HEARTBEAT = 2000;
const SILENCE = 15_000;

/** Of the file. */
const MAX_BYTES = 16 << 10;

const holderSchema = z.strictObject({
  pid: z.int().min(1),
  host: z.string().max(1000),
  /** What the system says about when the process started; empty where it says nothing. */
  started: z.string().max(100),
  token: z.string().max(100),
});
type Holder = z.infer<typeof holderSchema>;

export interface RunLock {
  /** Stops the heartbeat and lets go. */
  release(): Promise<void>;
}

/**
 * Makes this process the only one that drives a run. The lock of a process that is gone is taken over.
 *
 * @throws EspalierError `runs/in-use`, `io/write`
 */
export async function lockRun(folder: string): Promise<RunLock> {
  const file = path.join(folder, LOCK_FILE);
  const mine: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid), token: randomUUID() };
  for (let attempt = 0; !(await create(file, mine)); attempt++) {
    const holder = await driverOf(folder);
    if (holder || attempt > 10) throw inUseError(folder, holder);
    await takeAway(file);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, HEARTBEAT);
  heartbeat.unref();
  return {
    release: async () => {
      clearInterval(heartbeat);
      if ((await holderIn(file))?.token === mine.token) await rm(file, { force: true });
    },
  };
}

/** Whether some process, here or on another machine, drives the run now. */
export async function isRunning(folder: string): Promise<boolean> {
  return (await driverOf(folder)) !== undefined;
}

async function driverOf(folder: string): Promise<Pick<Holder, 'pid' | 'host'> | undefined> {
  const file = path.join(folder, LOCK_FILE);
  const [holder, age] = await Promise.all([holderIn(file), ageOf(file)]);
  if (age === undefined) return undefined;
  // Not yet written, or not by us: only its age says something.
  if (!holder) return age < SILENCE ? { pid: 0, host: 'unknown' } : undefined;
  if (holder.host !== hostname()) return age < SILENCE ? holder : undefined;
  if (!isAlive(holder.pid)) return undefined;
  if (holder.started !== '') return holder.started === startOf(holder.pid) ? holder : undefined;
  // The process's number may be another's by now; a living driver has a heartbeat.
  return age < SILENCE ? holder : undefined;
}

async function create(file: string, holder: Holder): Promise<boolean> {
  try {
    const handle = await createFile(file);
    try {
      await handle.writeFile(JSON.stringify(holder));
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new EspalierError(
      {
        code: 'io/write',
        operation: `writing ${file}`,
        expected: 'a run’s folder that can be written to',
        actual: error instanceof Error ? error.message : String(error),
        remedy: 'Make the folder writable, or make room, and try again.',
        file,
      },
      { cause: error },
    );
  }
}

/** Removes a lock whose holder is gone; one that another process has put there meanwhile goes back. */
async function takeAway(file: string): Promise<void> {
  const stale = await holderIn(file);
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  if ((await holderIn(aside))?.token !== stale?.token) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

async function holderIn(file: string): Promise<Holder | undefined> {
  try {
    const parsed = holderSchema.safeParse(JSON.parse(await readText(file, { maxBytes: MAX_BYTES, links: 'refuse' })));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

async function ageOf(file: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(file)).mtimeMs;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Start time in clock ticks since boot: with it a process's number names one process for ever. Only Linux says it cheaply. */
function startOf(pid: number): string {
  const text = readSystemFile(`/proc/${pid}/stat`);
  // The name before it stands in parentheses and may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; only its parent does not know yet.
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '');
}

function inUseError(folder: string, holder: Pick<Holder, 'pid' | 'host'> | undefined): EspalierError {
  const who = holder && holder.pid > 0 ? `process ${holder.pid} on ${holder.host}` : 'another process';
  return new EspalierError({
    code: 'runs/in-use',
    operation: `opening the run ${path.basename(folder)}`,
    expected: 'a run that nobody drives',
    actual: `one that is driven by ${who}`,
    remedy: 'Pause it there first, or watch it: what it finds is in its journal.',
  });
}
