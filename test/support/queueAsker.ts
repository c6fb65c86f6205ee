import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { cancelledError } from '../../src/base/errors.ts';
import { VERSION } from '../../src/base/version.ts';
import { Directory } from '../../src/queue/directory.ts';
import { QuestionQueue, queueOfRun } from '../../src/queue/questionQueue.ts';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import { QUEUE_FORMAT } from '../../src/queue/wire.ts';
import type { Answer, Question, QueuedName, RunClass, RunEntry, WorkerEntry } from '../../src/queue/wire.ts';

/** Who asks over a queue, as small as that can be: a run's entry with its beat, and its questions. */
export interface Asker {
  readonly server: QueueServer;
  readonly directory: Directory;
  readonly key: string;
  ask(name: QueuedName, params: unknown, digits: string | null, limit?: number): Promise<Answer>;
  /** Writes the entry anew. */
  put(change?: Partial<RunEntry>): Promise<void>;
  /** Says what workers are to compute. */
  setClass(of: RunClass): Promise<void>;
  workers(): Promise<readonly WorkerEntry[]>;
  /** Stops its beat, and leaves all as it is: as one that was killed. */
  die(): void;
  /** Takes the entry out and clears the queue. */
  finish(): Promise<void>;
}

export async function startAsker(
  url: string,
  work: RunEntry['work'],
  { key, ...change }: Partial<RunEntry> & { readonly key: string },
): Promise<Asker> {
  const server = await QueueServer.connect(readQueueAddress(url), { log: () => undefined });
  const directory = new Directory(server);
  let entry: RunEntry = {
    ...{ format: QUEUE_FORMAT, version: VERSION, key, title: `run ${key}`, work, class: null, beat: 0, seenAt: 0 },
    owner: { id: randomUUID(), host: hostname(), pid: process.pid },
    ...change,
  };
  const put = async (changed: Partial<RunEntry> = {}): Promise<void> => {
    entry = { ...entry, ...changed, beat: entry.beat + 1 };
    await directory.runs.put(entry);
  };
  const queue = await QuestionQueue.open(server, queueOfRun(key), { log: () => undefined, lookEvery: 1000 });
  await put();
  const timer = setInterval(() => void put(), 300);
  return {
    server,
    directory,
    key,
    put,
    ask: (name, params, digits, limit = 600_000) => {
      const question: Question = { format: QUEUE_FORMAT, name, params, digits, limit };
      return queue.ask(question);
    },
    setClass: (of) => put({ class: of }),
    workers: async () => (await directory.workers.list()).entries,
    die: () => {
      clearInterval(timer);
    },
    finish: async () => {
      clearInterval(timer);
      await queue.close(cancelledError('asking'), true);
      await directory.runs.remove(key);
      await server.close();
    },
  };
}
