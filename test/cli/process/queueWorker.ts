import { spawnSync } from 'node:child_process';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { queueOfRun } from '../../../src/queue/questionQueue.ts';
import type { Answer } from '../../../src/queue/wire.ts';
import { sampleSearchPlan } from '../../protocol/samples.ts';
import type { Asker } from '../../support/queueAsker.ts';
import type { TestServer } from '../../support/queueServers.ts';
import type { BuiltCommand, Ended, Running } from '../builtCommand.ts';

/** What a worker of the built command is asked, see {@link BuiltCommand}. */
const SETTINGS = { ...DEFAULT_SETTINGS, length: 16, samples: 2, blocks: 2, device: 'cpu' } as const;
export const INPUTS = { model: 'model', text: 'text.txt', calibration: 'text.txt', settings: SETTINGS };
export const PLAN = sampleSearchPlan(INPUTS);
export const WORK = { kind: 'run', plan: PLAN } as const;
export const MEASURE = {
  candidates: [{ kind: 'metric', expression: parsePrefix('W') }],
  on: { kind: 'blocks', begin: 0, end: 2 },
};
export const PATIENCE = { timeout: 60_000, interval: 200 };

/** A worker that is told to leave when the work is done. */
export async function withWorker(
  command: BuiltCommand,
  server: TestServer,
  words: readonly string[],
  work: (child: Running) => Promise<void>,
): Promise<Ended> {
  let running!: (child: Running) => void;
  const started = new Promise<Running>((resolve) => (running = resolve));
  const ended = command.espalier(['worker', '--queue', '--json', '--threads', '1', ...words], {
    env: { ESPALIER_QUEUE: server.url },
    during: running,
  });
  const child = await started;
  try {
    await work(child);
  } finally {
    child.kill('SIGTERM');
  }
  return ended;
}

/** The process that computes for a worker. */
export function engineOf({ pid }: Running): number {
  const { stdout } = spawnSync('pgrep', ['-P', String(pid), '-f', 'worker.cjs'], { encoding: 'utf8' });
  return Number(stdout.trim().split('\n')[0]);
}

export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Questions of an asker that somebody works on. */
export async function activeOf({ server, key }: Asker): Promise<number | undefined> {
  const queue = server.queue(queueOfRun(key));
  const { active } = await queue.counts();
  await queue.close();
  return active;
}

export function resultOf({ outcome }: Answer): unknown {
  if (outcome.kind === 'failure') throw new Error(JSON.stringify(outcome.error));
  return outcome.result;
}
