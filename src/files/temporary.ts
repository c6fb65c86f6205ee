import { createHash, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolders } from './makeFolders.ts';
import { livenessOf, thisProcess } from './processIdentity.ts';
import type { Liveness } from './processIdentity.ts';

/** Files and folders of this process that are not in their place yet, or never will be. */
const mine = new Set<string>();

/**
 * Where to write what takes its place when it is complete: a name that says whose it is, so that what a killed process leaves can be told
 * from what another is at. It goes with {@link removeTemporary}, or when this process ends in any orderly way.
 */
export function temporaryBeside(place: string): string {
  const temporary = `${place}.${processMark()}.${randomUUID().slice(0, 8)}.tmp`;
  if (mine.size === 0) process.once('exit', removeTemporaries);
  mine.add(temporary);
  return temporary;
}

/** An empty folder of this process alone, `parent/name.….tmp`; what others that are gone have left in `parent` goes. Rejects with what the file system says. */
export async function makeTemporaryFolder(parent: string, name: string): Promise<string> {
  await sweepTemporaries(parent);
  const folder = temporaryBeside(path.join(parent, name));
  await makeFolders(parent);
  await mkdir(folder, { mode: 0o700 });
  return folder;
}

/** Called when it is in its place, or not wanted any more: whatever is left of it goes. */
export async function removeTemporary(temporary: string): Promise<void> {
  await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
  forget(temporary);
}

export function removeTemporarySync(temporary: string): void {
  try {
    rmSync(temporary, { recursive: true, force: true });
  } catch {
    // Whoever sweeps this folder next tries again.
  }
  forget(temporary);
}

/** All of this process, at once: for one that is about to end. */
export function removeTemporaries(): void {
  for (const temporary of mine) removeTemporarySync(temporary);
}

function forget(temporary: string): void {
  mine.delete(temporary);
  if (mine.size === 0) process.off('exit', removeTemporaries);
}

/** What a name says: process, its start, machine and container. */
const NAME = /\.(\d{1,10}-\d{0,20}-[0-9a-f]{8})\.[0-9a-f]{8}\.tmp$/;
/** Milliseconds after which what another machine or container began counts as abandoned: nothing takes that long. */
const ABANDONED = 86_400_000;

/** Removes from a folder what processes that are gone have left half done. Never throws; touches nothing that is not named as ours is. */
export async function sweepTemporaries(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const file = path.join(folder, name);
    if (await isAbandoned(file)) await rm(file, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** The same in a cache: in the folder, and in those that lie in it. */
export async function sweepCache(cache: string): Promise<void> {
  const entries = await readdir(cache, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(cache, name));
  for (const folder of [cache, ...folders]) await sweepTemporaries(folder);
}

async function isAbandoned(file: string): Promise<boolean> {
  const [, mark] = NAME.exec(file) ?? [];
  if (mark === undefined || mine.has(file)) return false;
  const liveness = livenessOfMark(mark);
  if (liveness === 'lives') return false;
  try {
    const { uid, mtimeMs } = await lstat(file);
    // In a folder that all may write to (/tmp) a name says nothing.
    if (process.getuid !== undefined && uid !== process.getuid()) return false;
    return liveness === 'gone' || Date.now() - mtimeMs > ABANDONED;
  } catch {
    return false;
  }
}

/** This process, in the name of a file that it is at. */
export function processMark(): string {
  const { pid, started } = thisProcess();
  return `${pid}-${started}-${where()}`;
}

/** Whether a process that left its {@link processMark} is still there. */
export function livenessOfMark(mark: string): Liveness {
  const [pid = '', started = '', origin] = mark.split('-');
  return origin === where() ? livenessOf({ ...thisProcess(), pid: Number(pid), started }) : 'unknown';
}

/** The machine, since it was switched on, and the container. */
function where(): string {
  const { host, boot, space } = thisProcess();
  return createHash('sha256').update([host, boot, space].join('\n')).digest('hex').slice(0, 8);
}
