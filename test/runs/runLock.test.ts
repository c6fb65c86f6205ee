import { execFileSync, spawn } from 'node:child_process';
import {
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import type * as promises from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { livenessOf, thisProcess } from '../../src/files/processIdentity.ts';
import { isRunning, LOCK_FILE, lockRun } from '../../src/runs/runLock.ts';
import type { RunLock } from '../../src/runs/runLock.ts';
import { deleteRun } from '../../src/runs/runFolder.ts';
import { failureOf } from '../support/expectCoded.ts';

const links = vi.hoisted(() => ({ refusal: undefined as string | undefined }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof promises>();
  return {
    ...real,
    link: (from: string, to: string) =>
      links.refusal === undefined
        ? real.link(from, to)
        : Promise.reject(Object.assign(new Error(links.refusal), { code: links.refusal })),
  };
});

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-lock-'));
  file = path.join(folder, LOCK_FILE);
});
afterEach(async () => {
  vi.useRealTimers();
  links.refusal = undefined;
  await rm(folder, { recursive: true });
});

const old = new Date(Date.now() - 60_000);
const future = new Date(Date.now() + 3_600_000);

/** As written by a process of another container, with the very number of this one. */
const inContainer = { ...thisProcess(), space: 'pid:[1]', token: 'x' };
const elsewhere = { ...thisProcess(), host: 'elsewhere', boot: 'another', token: 'x' };

const write = (holder: object | string): Promise<void> =>
  writeFile(file, typeof holder === 'string' ? holder : JSON.stringify(holder));

/** A heartbeat that goes on, by a clock that is an hour behind. */
function beatingHeart(): () => void {
  let beats = 0;
  const timer = setInterval(() => {
    const at = new Date(Date.now() - 3_600_000 + beats++ * 2000);
    void utimes(file, at, at).catch(() => undefined);
  }, 100);
  return () => {
    clearInterval(timer);
  };
}

/** Somebody takes over what `lock` holds, as if its holder could not be asked and had slept. */
async function takeOver(): Promise<RunLock> {
  const holder = JSON.parse(await readFile(file, 'utf8')) as object;
  await write({ ...holder, host: 'elsewhere' });
  return lockRun(folder, { silence: 100 });
}

describe('who drives a run', () => {
  it('is one, of any number that want to', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lockRun(folder)));
    const locks = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(locks).toHaveLength(1);
    expect(outcomes.find((outcome) => outcome.status === 'rejected')).toMatchObject({
      reason: { data: { code: 'runs/in-use', actual: expect.stringContaining(`process ${process.pid} on`) as string } },
    });
    expect(await isRunning(folder)).toBe(true);
    await locks[0]!.check();
    await locks[0]!.release();
    expect(await isRunning(folder)).toBe(false);
    await (await lockRun(folder)).release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is one, of any number that take over at once from somebody who is not heard of any more', async () => {
    await write(elsewhere);
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => lockRun(folder, { silence: 300 })));
    const locks = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(locks).toHaveLength(1);
    await locks[0]!.check();
    await locks[0]!.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it.each<[string, object | string, boolean, Date?]>([
    ['a process that is gone', { ...thisProcess(), pid: 0x3fffffff, token: 'x' }, false],
    ['a process whose number is another’s by now', { ...thisProcess(), started: 'long ago', token: 'x' }, false],
    ['this very process, however old its heartbeat', { ...thisProcess(), token: 'x' }, true, old],
    ['a machine that was heard of just now', elsewhere, true],
    ['a machine that was not heard of for a minute', elsewhere, false, old],
    [
      'a container that was heard of just now, whose numbers mean nothing here',
      { ...inContainer, pid: 0x3fffffff },
      true,
    ],
    ['an earlier version that was heard of just now', { pid: 1, host: hostname(), started: '', token: 'x' }, true],
    ['nobody that can be made out, for a minute', '{', false, old],
  ])('held by %s: %s', async (_, content, running, at) => {
    await write(content);
    if (at) await utimes(file, at, at);
    expect(await isRunning(folder)).toBe(running);
  });

  it('is nobody once the process was killed', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const started = (await readFile(`/proc/${child.pid!}/stat`, 'utf8').catch(() => '')).split(' ')[21] ?? '';
    await write({ ...thisProcess(), pid: child.pid, started, token: 'x' });
    expect(await isRunning(folder)).toBe(true);
    expect((await failureOf(() => lockRun(folder))).code).toBe('runs/in-use');
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(await isRunning(folder)).toBe(false);
    await (await lockRun(folder)).release();
  });

  it.each([
    ['of a container', inContainer, future],
    ['of another machine, whose clock is behind', elsewhere, old],
    ['that cannot be made out', '', old],
  ])('a holder %s keeps its run while its heart beats, and loses it when it stands still', async (_, holder, at) => {
    await write(holder);
    await utimes(file, at, at);
    const stop = beatingHeart();
    const waited: string[] = [];
    const error = await failureOf(() => lockRun(folder, { silence: 2000, onWait: (said) => waited.push(said) }));
    stop();
    expect(error.code).toBe('runs/in-use');
    expect(waited).toEqual([expect.stringMatching(/ may still drive this run; .* for 2 s$/)]);
    await utimes(file, future, future);
    const lock = await lockRun(folder, { silence: 600 });
    await lock.check();
    await lock.release();
  });

  it('is waited for no longer than one wants to', async () => {
    await write(elsewhere);
    const stop = new AbortController();
    const waiting = failureOf(() =>
      lockRun(folder, {
        signal: stop.signal,
        onWait: () => {
          stop.abort();
        },
      }),
    );
    expect((await waiting).code).toBe('cancelled');
    expect(await readFile(file, 'utf8')).toContain('elsewhere');
  });

  it('in a list is told by whether the heart beats, when it is looked at again', async () => {
    await write(elsewhere);
    await utimes(file, old, old);
    expect(await isRunning(folder)).toBe(false);
    const later = new Date(old.getTime() + 2000);
    await utimes(file, later, later);
    expect([await isRunning(folder), await isRunning(folder)]).toEqual([true, true]);
    vi.useFakeTimers({ toFake: ['performance'], now: 0 });
    expect(await isRunning(folder)).toBe(true);
    vi.advanceTimersByTime(1e9);
    expect(await isRunning(folder)).toBe(false);
  });
});

describe('the lock', () => {
  it('is heard of every other second', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const lock = await lockRun(folder);
    await utimes(file, old, old);
    vi.advanceTimersByTime(2500);
    await expect.poll(async () => Date.now() - (await stat(file)).mtimeMs).toBeLessThan(10_000);
    await lock.release();
  });

  it('that another has taken over is lost: a check says so, the other’s stays as it is, and release leaves it alone', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const asleep = await lockRun(folder);
    const other = await takeOver();
    const before = await readFile(file, 'utf8');
    await utimes(file, old, old);
    const error = await failureOf(() => asleep.check());
    expect([error.code, error.data.actual]).toEqual(['runs/in-use', expect.stringContaining('took it over')]);
    expect(asleep.lost.reason).toBe(error);
    vi.advanceTimersByTime(0);
    await asleep.release();
    expect(await readFile(file, 'utf8')).toBe(before);
    await other.check();
    await other.release();
  });

  it('that is lost is noticed by the heartbeat, without any check', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const asleep = await lockRun(folder);
    const other = await takeOver();
    vi.advanceTimersByTime(2500);
    await expect.poll(() => asleep.lost.aborted).toBe(true);
    await asleep.release();
    await other.release();
  });

  it('is not beaten into whatever has its name: a link leads nowhere', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const lock = await lockRun(folder);
    const outside = path.join(folder, 'outside');
    await writeFile(outside, 'mine');
    await utimes(outside, old, old);
    await rm(file);
    await symlink(outside, file);
    vi.advanceTimersByTime(2500);
    await expect.poll(() => lock.lost.aborted).toBe(true);
    await lock.release();
    expect(Math.round((await stat(outside)).mtimeMs)).toBe(old.getTime());
    expect(await readFile(outside, 'utf8')).toBe('mine');
  });

  it('that was removed is lost, but not one that was away for a moment', async () => {
    const lock = await lockRun(folder);
    await rename(file, `${file}.away`);
    const checked = lock.check();
    await rename(`${file}.away`, file);
    await checked;
    await rm(file);
    const error = await failureOf(() => lock.check());
    expect([error.code, error.data.actual]).toEqual(['runs/in-use', expect.stringContaining('was removed')]);
    await lock.release();
  });

  it.skipIf(process.platform === 'win32').each<[string, () => Promise<unknown>]>([
    ['a link', () => symlink(path.join(folder, 'kept'), file)],
    ['a pipe', () => Promise.resolve(execFileSync('mkfifo', [file]))],
    ['a folder', () => mkdir(file)],
  ])('is nobody’s where %s has its name', async (_, make) => {
    await writeFile(path.join(folder, 'kept'), JSON.stringify(elsewhere));
    await make();
    expect(await isRunning(folder)).toBe(false);
    await (await lockRun(folder)).release();
    expect(await readdir(folder)).toEqual(['kept']);
    expect(await readFile(path.join(folder, 'kept'), 'utf8')).toBe(JSON.stringify(elsewhere));
  });

  it('is there without hard links, too', async () => {
    links.refusal = 'EPERM';
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => lockRun(folder)));
    const locks = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(locks).toHaveLength(1);
    await locks[0]!.check();
    expect(await readdir(folder)).toEqual([LOCK_FILE]);
    await locks[0]!.release();
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a process, as other machines and containers see it', () => {
  it.each<[string, Partial<ReturnType<typeof thisProcess>>, string]>([
    ['here', {}, 'lives'],
    ['here, with a number that nobody has', { pid: 0x3fffffff }, 'gone'],
    ['here, but begun at another time', { started: '1' }, 'gone'],
    ['here, but nobody knows since when', { started: '' }, 'unknown'],
    ['on another machine', { host: 'elsewhere', pid: 0x3fffffff }, 'unknown'],
    ['before the machine was switched off', { boot: 'before', pid: 0x3fffffff }, 'unknown'],
    ['in another container', { space: 'pid:[1]', pid: 0x3fffffff }, 'unknown'],
    ['where numbers cannot be trusted', { space: '', pid: 0x3fffffff }, 'unknown'],
  ])('%s', (_, changes, liveness) => {
    expect(livenessOf({ ...thisProcess(), ...changes })).toBe(liveness);
  });
});

const tmpfs = mountable();

describe.skipIf(!tmpfs)(`on a full disk${tmpfs ? '' : ' (skipped: no file system may be mounted here)'}`, () => {
  let disk: string;
  beforeEach(async () => {
    disk = await mkdtemp(path.join(tmpdir(), 'espalier-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
  });
  afterEach(async () => {
    execFileSync('umount', [disk]);
    await rm(disk, { recursive: true });
  });

  it('no lock is left behind, and with room again the run is free at once', async () => {
    const filler = path.join(disk, 'filler');
    const handle = await open(filler, 'w');
    await expect(handle.writeFile(Buffer.alloc(1 << 20))).rejects.toThrow('ENOSPC');
    await handle.close();
    const error = await failureOf(() => lockRun(disk));
    expect([error.code, error.data.actual]).toEqual(['io/write', expect.stringContaining('ENOSPC')]);
    expect(await readdir(disk)).toEqual(['filler']);
    expect(await isRunning(disk)).toBe(false);
    await rm(filler);
    const began = performance.now();
    await (await lockRun(disk)).release();
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('a run can be deleted to make room, unless somebody drives it', async () => {
    const [mine, driven] = ['mine', 'driven'].map((name) => path.join(disk, '.espalier/runs', name));
    for (const run of [mine!, driven!]) await mkdir(run, { recursive: true });
    await writeFile(path.join(mine!, 'journal.jsonl'), 'some\n');
    const lock = await lockRun(driven!);
    await expect(writeFile(path.join(disk, 'filler'), Buffer.alloc(1 << 20))).rejects.toThrow('ENOSPC');
    expect((await failureOf(() => deleteRun(driven!))).code).toBe('io/write');
    await deleteRun(mine!);
    expect(await readdir(path.join(disk, '.espalier/runs'))).toEqual(['driven']);
    await lock.release();
  });
});

function mountable(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
