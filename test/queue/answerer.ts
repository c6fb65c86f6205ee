// A worker in a process of its own, for tests that kill, freeze or cut it off: answers with twice the number, after a while.
// Environment: ESPALIER_QUEUE; QUEUE_NAME; LOCK (ms); TAKES (ms for each answer); VANISH (kills itself with what it takes).
import { randomUUID } from 'node:crypto';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import { QUEUE_FORMAT } from '../../src/queue/wire.ts';
import type { Answer } from '../../src/queue/wire.ts';

/** What it says of itself, a line of JSON each. */
export type Said =
  | { readonly kind: 'ready' | 'closed' }
  | { readonly kind: 'took' | 'answered'; readonly n: number }
  | { readonly kind: 'log' | 'stray'; readonly text: string };

const { QUEUE_NAME = '', LOCK = '2000', TAKES = '0', VANISH } = process.env;

function say(said: Said): void {
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

process.on('unhandledRejection', (reason) => {
  say({ kind: 'stray', text: String(reason) });
});

async function main(): Promise<void> {
  const server = await QueueServer.connect(readQueueAddress(process.env['ESPALIER_QUEUE'] ?? ''), {
    lock: Number(LOCK),
    log: (text) => {
      say({ kind: 'log', text });
    },
  });
  const worker = server.worker(QUEUE_NAME, { name: `w${process.pid}`, process: answer });
  worker.run();
  say({ kind: 'ready' });
  process.once('SIGTERM', () => {
    void worker
      .close(true)
      .then(() => server.close())
      .then(() => {
        say({ kind: 'closed' });
      });
  });
}

async function answer(_: string, data: unknown): Promise<{ readonly kind: 'answered'; readonly answer: Answer }> {
  const { n } = (data as { readonly params: { readonly n: number } }).params;
  say({ kind: 'took', n });
  if (VANISH !== undefined) process.kill(process.pid, 'SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, Number(TAKES)));
  say({ kind: 'answered', n });
  return {
    kind: 'answered',
    answer: {
      format: QUEUE_FORMAT,
      worker: { id: randomUUID(), name: 'w', version: '0' },
      class: {
        digits: '0'.repeat(64),
        of: { espalier: '1', onnxruntime: '1', device: 'cpu', deviceName: 'x', precision: 'float32' },
      },
      seconds: 0,
      outcome: { kind: 'result', result: 2 * n },
    },
  };
}

void main();
