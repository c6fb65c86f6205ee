import { execFileSync } from 'node:child_process';
import { cancelledError } from '../../src/base/errors.ts';
import { QuestionQueue } from '../../src/queue/questionQueue.ts';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import type { TestServer } from '../../test/support/queueServers.ts';
import { questionOf, startWorkers, stopWorkers } from './simulatedWorkers.ts';

export interface Kept {
  /** KiB of Redis's memory for each open question. */
  readonly open: number;
  /** MiB while a run goes on, after so many answers, and keys then. */
  readonly answered: number;
  readonly keysAnswered: number;
  /** Keys once the run has ended. */
  readonly keysAfter: number;
}

/** What a run keeps in Redis. @param bytes of a question */
export async function keptInRedis(server: TestServer, bytes: number, count: number): Promise<Kept> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const connected = await QueueServer.connect(readQueueAddress(server.url), { log });
  const queue = await QuestionQueue.open(connected, 'bench-kept', { log });
  const before = usedMemory(server.port);
  const answers = Array.from({ length: count }, (_, n) => queue.ask(questionOf(n, bytes)));
  const looked = connected.queue('bench-kept');
  while (((await looked.counts())['waiting'] ?? 0) < count) await new Promise((resolve) => setTimeout(resolve, 50));
  const open = usedMemory(server.port) - before;
  const children = [await startWorkers({ workers: 8, takes: 0, bytes: 1 << 10, url: server.url, queue: 'bench-kept' })];
  await Promise.all(answers);
  while (Object.values(await looked.counts()).some((left) => left > 0))
    await new Promise((resolve) => setTimeout(resolve, 50));
  await stopWorkers(children);
  const answered = usedMemory(server.port) - before;
  const keysAnswered = keys(server.port);
  await queue.close(cancelledError('measuring'), true);
  await connected.close();
  return { open: open / count / 1024, answered: answered / 2 ** 20, keysAnswered, keysAfter: keys(server.port) };
}

function usedMemory(port: number): number {
  return Number(/used_memory:(\d+)/.exec(said(port, 'info', 'memory'))?.[1]);
}

function keys(port: number): number {
  return Number(said(port, 'dbsize').replace(/\D/g, ''));
}

function said(port: number, ...command: readonly string[]): string {
  return execFileSync('redis-cli', ['-p', String(port), ...command], { encoding: 'utf8' });
}
