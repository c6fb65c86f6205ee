import { Worker } from 'node:worker_threads';
import { removeTemporaries } from '../files/temporary.ts';

/** Ends this process and what it has started (the device probes), at once. The supervisor makes the worker lead a group. */
export function endProcessGroup(): never {
  removeTemporaries();
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // On Windows, or without a group of its own, there is only this process to end.
  }
  process.exit(0);
}

/** How often the watching thread looks, in milliseconds. */
const INTERVAL = 1000;

/**
 * Ends this process when its parent is gone, even while the main thread is held by a native call that takes minutes: a thread
 * of its own looks once a second. The ordinary way out is the closed IPC channel; this is what makes an orphan impossible.
 */
export function watchParent(parent: number = process.ppid): void {
  const thread = new Worker(WATCH, { eval: true, workerData: { parent, interval: INTERVAL }, stdin: false });
  thread.unref();
}

// Source text, because a bundle has no second file to start a thread from. On POSIX an orphan is adopted, so its parent's id
// changes; on Windows it does not, but the id no longer answers.
const WATCH = `
const { workerData } = require('node:worker_threads');
setInterval(() => {
  let alive = process.ppid === workerData.parent;
  try { process.kill(workerData.parent, 0); } catch (error) { alive = alive && error.code === 'EPERM'; }
  if (alive) return;
  try { process.kill(-process.pid, 'SIGKILL'); } catch {}
  process.kill(process.pid, 'SIGKILL');
}, workerData.interval);
`;
