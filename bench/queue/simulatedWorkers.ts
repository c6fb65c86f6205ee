import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import { QUEUE_FORMAT } from '../../src/queue/wire.ts';
import type { Answer, Question } from '../../src/queue/wire.ts';

/** Workers that compute nothing, several to a process: only what stands around the computing is measured. */
export interface SimulatedWorkers {
  /** Of one process. */
  readonly workers: number;
  /** Milliseconds that an answer takes. */
  readonly takes: number;
  /** Bytes of an answer, about. */
  readonly bytes: number;
  readonly url: string;
  readonly queue: string;
}

/** What a process is started with to become one of them. */
export const SIMULATED = '--simulated-workers';

/** Starts a process of them. Resolves when all listen. */
export async function startWorkers(simulated: SimulatedWorkers): Promise<ChildProcess> {
  const child = fork(process.argv[1]!, [SIMULATED], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  child.send(simulated);
  const [said] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown];
  if (said !== 'ready') throw new Error('workers did not start');
  return child;
}

export async function stopWorkers(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }),
  );
}

/** Is such a process. */
export async function simulateWorkers(): Promise<void> {
  const [{ workers, takes, bytes, url, queue }] = (await once(process, 'message')) as [SimulatedWorkers];
  const server = await QueueServer.connect(readQueueAddress(url), {
    log: (line) => {
      process.stderr.write(`${line}\n`);
    },
  });
  const answer = answerOf(bytes);
  for (let i = 0; i < workers; i++) {
    const work = async (): Promise<{ readonly kind: 'answered'; readonly answer: Answer }> => {
      if (takes > 0) await new Promise((resolve) => setTimeout(resolve, takes));
      return { kind: 'answered', answer };
    };
    server.worker(queue, { name: `simulated-${process.pid}-${i}`, process: work }).run();
  }
  process.send?.('ready');
}

/** One that no other is equal to. @param bytes of its parameters, about */
export function questionOf(n: number, bytes: number): Question {
  return {
    format: QUEUE_FORMAT,
    name: 'measure',
    params: { n, text: 'x'.repeat(bytes) },
    digits: null,
    limit: 600_000,
  };
}

function answerOf(bytes: number): Answer {
  return {
    format: QUEUE_FORMAT,
    worker: { id: randomUUID(), name: 'simulated', version: '0' },
    class: {
      digits: '0'.repeat(64),
      of: { espalier: '0', onnxruntime: '0', device: 'cpu', deviceName: 'simulated', precision: 'float32' },
    },
    seconds: 0,
    outcome: { kind: 'result', result: 'x'.repeat(bytes) },
  };
}
