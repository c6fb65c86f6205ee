import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AbandonedExperiments } from '../../src/queue/abandonedExperiments.ts';
import { Directory } from '../../src/queue/directory.ts';
import { queueOfRun } from '../../src/queue/questionQueue.ts';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import { QUEUE_FORMAT, runKey } from '../../src/queue/wire.ts';
import type { RunEntry } from '../../src/queue/wire.ts';
import { samplePlan, sampleSearchPlan } from '../protocol/samples.ts';
import { SERVER_KINDS, type TestServer } from '../support/queueServers.ts';

describe.each(SERVER_KINDS)('at $name', ({ start, isThere }) => {
  let server: TestServer;
  beforeAll(async () => {
    if (isThere) server = await start();
  });
  afterAll(async () => {
    if (isThere) await server.dispose();
  });

  test.skipIf(!isThere)('what a killed experiment left goes; those that live, and runs, stay', async () => {
    const queue = await QueueServer.connect(readQueueAddress(server.url), { log: () => undefined });
    const directory = new Directory(queue);
    const { runs } = directory;
    const [killed, living, run] = [entryOf('experiment'), entryOf('experiment'), entryOf('run')];
    for (const entry of [killed, living, run]) {
      await runs.put(entry);
      await queue.queue(queueOfRun(entry.key)).add('evaluate', 'question', {});
    }
    const abandoned = new AbandonedExperiments(queue, directory, 50);
    for (let beat = 1; beat <= 3; beat++) {
      await runs.put({ ...living, beat });
      await abandoned.look((await runs.list()).entries);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    const left = async ({ key }: RunEntry): Promise<unknown> => [
      (await runs.get(key))?.key,
      (await queue.queue(queueOfRun(key)).get('question'))?.id,
    ];
    expect(await left(killed)).toEqual([undefined, undefined]);
    for (const entry of [living, run]) expect(await left(entry)).toEqual([entry.key, 'question']);
    await queue.close();
  });
});

function entryOf(kind: 'experiment' | 'run'): RunEntry {
  return {
    ...{ format: QUEUE_FORMAT, version: '1', key: runKey(randomUUID()), title: 'one' },
    owner: { id: randomUUID(), host: 'h', pid: 1 },
    work: kind === 'run' ? { kind, plan: sampleSearchPlan() } : { kind, plan: samplePlan() },
    ...{ class: null, beat: 0, seenAt: 0 },
  };
}
