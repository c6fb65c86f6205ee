import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cancelledError } from '../../src/base/errors.ts';
import { Directory } from '../../src/queue/directory.ts';
import { QuestionQueue } from '../../src/queue/questionQueue.ts';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import { QUEUE_FORMAT } from '../../src/queue/wire.ts';
import type { Answer, Question, WorkerEntry } from '../../src/queue/wire.ts';
import { hasRedis, SERVER_KINDS, startRedis, type TestServer, WITHOUT_REDIS } from '../support/queueServers.ts';

describe.each(SERVER_KINDS)('questions over $name', ({ start, isThere }) => {
  let server: TestServer;
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const connect = (): Promise<QueueServer> => QueueServer.connect(readQueueAddress(server.url), { log, lock: 2000 });

  beforeAll(async () => {
    if (isThere) server = await start();
  });
  afterAll(async () => {
    if (isThere) await server.dispose();
  });

  test.skipIf(!isThere)('are answered once each, in any order, and leave nothing', async () => {
    const [ours, theirs] = await Promise.all([connect(), connect()]);
    const queue = await QuestionQueue.open(ours, 'run-a', { log });
    const worked: string[] = [];
    theirs.worker('run-a', { name: 'w', process: answering(worked) }).run();
    const answers = await Promise.all([3, 1, 2, 3, 1].map((n) => queue.ask(question(n))));
    expect(answers.map(resultOf)).toEqual([6, 2, 4, 6, 2]);
    expect(worked.sort()).toEqual(['1', '2', '3']);
    expect(queue.open).toBe(0);
    await queue.close(cancelledError('asking'), true);
    const left = await ours.queue('run-a').counts();
    expect(Object.values(left).reduce((sum, n) => sum + n, 0)).toBe(0);
    await Promise.all([ours.close(), theirs.close()]);
  });

  test.skipIf(!isThere)('a worker that was closed in order, and its server, hold no connection', async () => {
    const [ours, theirs] = await Promise.all([connect(), connect()]);
    const queue = await QuestionQueue.open(ours, 'run-d', { log });
    const worker = theirs.worker('run-d', { name: 'w', process: answering([]) });
    worker.run();
    expect(resultOf(await queue.ask(question(4)))).toBe(8);
    await worker.close();
    await queue.close(cancelledError('asking'), true);
    await Promise.all([ours.close(), theirs.close()]);
    await expect.poll(() => server.connections(), { timeout: 20_000 }).toBe(0);
  });

  test.skipIf(!isThere)('are asked again where the server has forgotten them', async () => {
    const ours = await connect();
    const queue = await QuestionQueue.open(ours, 'run-b', { log, lookEvery: 200 });
    const answered = queue.ask(question(7));
    await server.restart(true);
    const theirs = await connect();
    theirs.worker('run-b', { name: 'w', process: answering([]) }).run();
    expect(resultOf(await answered)).toBe(14);
    await queue.close(cancelledError('asking'), true);
    await Promise.all([ours.close(), theirs.close()]);
  });

  test.skipIf(!isThere)('an answer that came while nobody listened is found', async () => {
    const [ours, theirs] = await Promise.all([connect(), connect()]);
    const first = await QuestionQueue.open(ours, 'run-c', { log });
    const lost = first.ask(question(5));
    lost.catch(() => undefined);
    // As a coordinator that is killed: nothing is cleared.
    await new Promise((resolve) => setTimeout(resolve, 200));
    await first.close(cancelledError('asking'), false);
    const worked: string[] = [];
    theirs.worker('run-c', { name: 'w', process: answering(worked) }).run();
    await expect.poll(() => worked, { timeout: 20_000 }).toEqual(['5']);
    const second = await QuestionQueue.open(ours, 'run-c', { log });
    expect(resultOf(await second.ask(question(5)))).toBe(10);
    expect(worked).toEqual(['5']);
    await second.close(cancelledError('asking'), true);
    await Promise.all([ours.close(), theirs.close()]);
  });

  test.skipIf(!isThere)('entries of the directory are written, changed, claimed once and removed', async () => {
    const ours = await connect();
    const { workers } = new Directory(ours);
    const one = worker();
    await workers.put(one);
    await workers.put({ ...one, beat: 1 });
    expect((await workers.list()).entries).toEqual([{ ...one, beat: 1 }]);
    expect(await workers.claim({ ...one, pid: 9 })).toEqual({ ...one, beat: 1 });
    await workers.remove(one.id);
    expect(await workers.list()).toEqual({ entries: [], foreign: 0 });
    await ours.close();
  });
});

test.skipIf(!hasRedis)(`what cannot be connected to is refused by code${WITHOUT_REDIS}`, async () => {
  const server = await startRedis(['--requirepass', 'correct horse']);
  const connect = (url: string): Promise<QueueServer> =>
    QueueServer.connect(readQueueAddress(url), { log: () => undefined });
  const at = `127.0.0.1:${server.port}`;
  await expect(connect(`redis://:battery-staple@${at}`)).rejects.toMatchObject({ code: 'queue/refused' });
  await expect(connect(`redis://:battery-staple@${at}`)).rejects.not.toThrow(/battery/);
  await expect(connect(`redis://${at}`)).rejects.toMatchObject({ code: 'queue/refused' });
  await (await connect(`redis://:correct%20horse@${at}`)).close();
  await server.dispose();
});

/** Doubles a number. */
function answering(worked: string[]) {
  return (_: string, data: unknown) => {
    const { params } = data as Question & { readonly params: { readonly n: number } };
    worked.push(String(params.n));
    const answer: Answer = {
      format: QUEUE_FORMAT,
      worker: { id: randomUUID(), name: 'w', version: '0' },
      class: { digits: '0'.repeat(64), of: OF },
      seconds: 0,
      outcome: { kind: 'result', result: 2 * params.n },
    };
    return Promise.resolve({ kind: 'answered', answer } as const);
  };
}

const OF = { espalier: '1', onnxruntime: '1', device: 'cpu', deviceName: 'x', precision: 'float32' };

function question(n: number): Question {
  return { format: QUEUE_FORMAT, name: 'measure', params: { n }, digits: null, limit: 1000 };
}

function resultOf({ outcome }: Answer): unknown {
  return outcome.kind === 'result' ? outcome.result : outcome.error;
}

function worker(): WorkerEntry {
  return {
    ...{ format: QUEUE_FORMAT, id: randomUUID(), name: 'a', host: 'h', pid: 1, of: OF, version: '1', threads: 1 },
    ...{ state: 'idle', run: null, answered: 0, perMinute: 0, refused: [], startedAt: 0, beat: 0, seenAt: 0 },
  };
}
