import { randomUUID } from 'node:crypto';
import { link, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { cancelledError, EspalierError } from '../base/errors.ts';
import { fileProblem, reasonOf } from '../files/fileProblem.ts';
import { createFile, openToRead } from '../files/openRegular.ts';
import { livenessOf, thisProcess } from '../files/processIdentity.ts';
import type { Liveness } from '../files/processIdentity.ts';
import { removeTemporary, temporaryBeside } from '../files/temporary.ts';

/** Inside a run's folder: who drives it. Its modification time is the heartbeat. */
export const LOCK_FILE = 'running';

/** Milliseconds between two heartbeats, and without one after which a driver that cannot be asked counts as gone. */
const HEARTBEAT = 2000;
const SILENCE = 15_000;
/** Milliseconds between two looks at a heartbeat, and at a lock that is just being put back. */
const GLANCE = 500;
const MOMENT = 100;

/** How often others may be faster. */
const ATTEMPTS = 10;

/** Of the file. */
const MAX_BYTES = 16 << 10;

const words = z.string().max(1000);
const holderSchema = z.strictObject({
  pid: z.int().min(1),
  host: words,
  started: words,
  // Earlier versions said neither.
  boot: words.default(''),
  space: words.default(''),
  /** Of this lock, and no other. */
  token: words,
});
type Holder = z.infer<typeof holderSchema>;

export interface LockOptions {
  /** Ends the waiting for whoever held it. */
  readonly signal?: AbortSignal;
  /** Told once, in a sentence, where it takes a while to find out whether whoever holds it is still there. */
  readonly onWait?: (message: string) => void;
  /** Milliseconds without a heartbeat. */
  readonly silence?: number;
}

export interface RunLock {
  /**
   * Asked before each write, and before what was written counts.
   *
   * @throws EspalierError `runs/in-use` where another has taken over: whoever slept longer than others wait must stop
   */
  check(): Promise<void>;
  /** Aborted when another has taken over, with that error as its reason; looked at with every heartbeat. */
  readonly lost: AbortSignal;
  /** Stops the heartbeat and lets go. */
  release(): Promise<void>;
}

/**
 * Makes this process the only one that drives a run. The lock of a process that is gone is taken over; where it cannot be asked
 * (another machine, another container), when its heartbeat has stood still for a while, as watched from here: clocks of two machines
 * are not compared.
 *
 * @throws EspalierError `runs/in-use`, `io/write`, `cancelled`
 */
export async function lockRun(folder: string, options: LockOptions = {}): Promise<RunLock> {
  const file = path.join(folder, LOCK_FILE);
  const mine: Holder = { ...thisProcess(), token: randomUUID() };
  let hasTakenAway = false;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const handle = await place(file, mine);
    if (handle) {
      const lock = new HeldLock(folder, mine.token, handle);
      return hasTakenAway ? settled(lock) : lock;
    }
    const found = await look(file);
    if (!found) continue;
    const liveness = livenessIn(found);
    const heartbeat = liveness === 'unknown' ? await listen(folder, found, options) : undefined;
    if (liveness === 'lives' || heartbeat === 'moves') throw inUseError(folder, found.holder);
    if (heartbeat === 'replaced') continue;
    await takeAway(file, found.holder?.token);
    hasTakenAway = true;
  }
  throw inUseError(folder, undefined);
}

/** Of several that took the same lock away at the same moment, one stays. */
async function settled(lock: HeldLock): Promise<RunLock> {
  try {
    await pause(2 * MOMENT);
    await lock.check();
    return lock;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * Whether some process, here or on another machine, drives the run now. Does not wait: of one that cannot be asked the age of its
 * heartbeat tells at first, and from then on whether it has moved since the last look.
 */
export async function isRunning(folder: string): Promise<boolean> {
  const file = path.join(folder, LOCK_FILE);
  const found = await look(file);
  if (!found) {
    glances.delete(file);
    return false;
  }
  const liveness = livenessIn(found);
  return liveness === 'lives' || (liveness === 'unknown' && glance(file, found));
}

/** A lock as it is found. */
interface Found {
  /** Undefined where nobody can be made out. */
  readonly holder: Holder | undefined;
  /** Another one with each heartbeat. */
  readonly beat: string;
  /** Milliseconds since 1970, by the clock of whoever wrote it. */
  readonly at: number;
  /** A link, a pipe, a folder: no driver puts that there. */
  readonly isForeign: boolean;
}

class HeldLock implements RunLock {
  private readonly folder: string;
  private readonly file: string;
  private readonly token: string;
  /** Of the file that is this lock: whatever else gets its name is not touched. */
  private readonly handle: FileHandle;
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private beating: Promise<void> | undefined;

  constructor(folder: string, token: string, handle: FileHandle) {
    this.folder = folder;
    this.file = path.join(folder, LOCK_FILE);
    this.token = token;
    this.handle = handle;
    this.timer = setInterval(() => {
      this.beating ??= this.beat();
    }, HEARTBEAT);
    this.timer.unref();
  }

  get lost(): AbortSignal {
    return this.controller.signal;
  }

  async check(): Promise<void> {
    let found: Found | undefined;
    // Somebody who found a stale lock there a moment ago may have taken this one away, and is putting it back.
    for (let attempt = 0; attempt < 4; attempt++) {
      this.lost.throwIfAborted();
      if (attempt > 0) await pause(MOMENT);
      found = await look(this.file);
      if (found?.holder?.token === this.token) return;
      if (found?.holder) break;
    }
    clearInterval(this.timer);
    this.controller.abort(takenOverError(this.folder, found?.holder));
    this.lost.throwIfAborted();
  }

  async release(): Promise<void> {
    clearInterval(this.timer);
    await this.beating;
    if (!this.lost.aborted) await takeAway(this.file, this.token);
    await this.handle.close().catch(() => undefined);
  }

  private async beat(): Promise<void> {
    try {
      await this.check();
      const now = new Date();
      await this.handle.utimes(now, now);
    } catch {
      // Whoever drives is told by `lost`. A heartbeat that the disk did not take is followed by another.
    } finally {
      this.beating = undefined;
    }
  }
}

/** Puts the lock there, whole or not at all; undefined where there is one. @returns the open lock */
async function place(file: string, mine: Holder): Promise<FileHandle | undefined> {
  const content = JSON.stringify(mine);
  const temporary = temporaryBeside(file);
  try {
    const handle = await createWhole(temporary, content);
    try {
      await link(temporary, file);
      return handle;
    } catch (error) {
      // A network disk may have done it and lost the answer.
      if (codeOf(error) === 'EEXIST' && (await look(file))?.holder?.token === mine.token) return handle;
      await handle?.close();
      if (codeOf(error) === 'EEXIST') return undefined;
      if (NO_LINKS.has(codeOf(error))) return await createWhole(file, content);
      throw error;
    } finally {
      await removeTemporary(temporary);
    }
  } catch (error) {
    throw new EspalierError(
      {
        code: 'io/write',
        operation: `writing ${file}`,
        expected: 'a run’s folder that can be written to',
        actual: reasonOf(error),
        remedy: 'Make the folder writable, or make room, and try again.',
        file,
      },
      { cause: error },
    );
  }
}

/** What file systems without hard links (FAT, some network disks) say: there a lock that does not become whole is removed again. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EISDIR']);

async function createWhole(file: string, content: string): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    handle = await createFile(file);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
  try {
    await handle.writeFile(content);
    await handle.datasync();
    return handle;
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(file, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Removes the lock with this token; one that another process has put there meanwhile goes back. */
async function takeAway(file: string, token: string | undefined): Promise<void> {
  const found = await look(file);
  if (!found || found.holder?.token !== token) return;
  const aside = temporaryBeside(file);
  try {
    await rename(file, aside);
    if ((await look(aside))?.holder?.token !== token) await link(aside, file);
  } catch {
    // It is gone, or there is another by now.
  } finally {
    await removeTemporary(aside);
  }
}

/** Undefined where there is no lock. */
async function look(file: string): Promise<Found | undefined> {
  try {
    // Opened, and not only looked at: a network disk then asks its server, and does not tell what it remembers.
    const handle = await openToRead(file, { links: 'refuse' });
    try {
      const { mtimeNs, mtimeMs } = await handle.stat({ bigint: true });
      const buffer = Buffer.alloc(MAX_BYTES);
      const { bytesRead } = await handle.read(buffer, 0, MAX_BYTES, 0);
      const holder = holderIn(buffer.toString('utf8', 0, bytesRead));
      return { holder, beat: `${holder?.token ?? ''} ${mtimeNs}`, at: Number(mtimeMs), isForeign: false };
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { kind } = fileProblem(error);
    if (kind === 'missing') return undefined;
    const isForeign = kind === 'link' || kind === 'special' || kind === 'folder';
    return { holder: undefined, beat: kind, at: 0, isForeign };
  }
}

function holderIn(content: string): Holder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(content)).data;
  } catch {
    return undefined;
  }
}

function livenessIn({ holder, isForeign }: Found): Liveness {
  if (isForeign) return 'gone';
  return holder ? livenessOf(holder) : 'unknown';
}

/** Watches a lock until its heartbeat moves, has stood still for long enough, or the lock is gone or another's. */
async function listen(
  folder: string,
  first: Found,
  { signal, onWait, silence = SILENCE }: LockOptions,
): Promise<'moves' | 'silent' | 'replaced'> {
  const file = path.join(folder, LOCK_FILE);
  const seconds = Math.ceil(silence / 1000);
  const who = nameOf(first.holder);
  onWait?.(`${who} may still drive this run; it goes on here when nothing is heard of it for ${seconds} s`);
  let before = performance.now();
  for (let silent = 0; silent < silence;) {
    if (signal?.aborted) throw cancelledError(`waiting for ${who}`);
    await pause(Math.min(GLANCE, silence));
    const found = await look(file);
    if (!found || found.holder?.token !== first.holder?.token) return 'replaced';
    if (found.beat !== first.beat) return 'moves';
    const now = performance.now();
    // While this process slept, so perhaps did the other: that time counts for nothing.
    silent += Math.min(now - before, 2 * GLANCE);
    before = now;
  }
  return 'silent';
}

/** What was last seen of the heartbeats of locks whose holders cannot be asked. */
const glances = new Map<string, { readonly beat: string; readonly moved: number; readonly lives: boolean }>();

function glance(file: string, { beat, at }: Found): boolean {
  const now = performance.now();
  const before = glances.get(file);
  const isSame = before?.beat === beat;
  const moved = isSame ? before.moved : now;
  const lives =
    before === undefined ? Math.abs(Date.now() - at) < SILENCE : !isSame || (before.lives && now - moved < SILENCE);
  glances.set(file, { beat, moved, lives });
  return lives;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function nameOf(holder: Holder | undefined): string {
  return holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
}

function inUseError(folder: string, holder: Holder | undefined): EspalierError {
  return new EspalierError({
    code: 'runs/in-use',
    operation: `opening the run ${path.basename(folder)}`,
    expected: 'a run that nobody drives',
    actual: `one that is driven by ${nameOf(holder)}`,
    remedy: 'Pause it there first, or watch it: what it finds is in its journal.',
  });
}

function takenOverError(folder: string, holder: Holder | undefined): EspalierError {
  return new EspalierError({
    code: 'runs/in-use',
    operation: `driving the run ${path.basename(folder)}`,
    expected: 'to be the only one that drives it',
    actual: holder
      ? `${nameOf(holder)}, which took it over while nothing was heard of this one`
      : `a run whose lock (${LOCK_FILE}) was removed or cannot be read`,
    remedy: 'Nothing that was acknowledged is lost. Watch the run there, or resume it when nobody drives it.',
  });
}
