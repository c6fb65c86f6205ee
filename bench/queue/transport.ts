import { readFileSync } from 'node:fs';
import { cancelledError } from '../../src/base/errors.ts';
import { QuestionQueue } from '../../src/queue/questionQueue.ts';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import type { TestServer } from '../../test/support/queueServers.ts';
import { questionOf, startWorkers, stopWorkers } from './simulatedWorkers.ts';
import type { SimulatedWorkers } from './simulatedWorkers.ts';

const ANSWER = 1 << 10;
const WARM_UP = 30;
let queues = 0;

export interface Overhead {
  /** Milliseconds from asking to the answer, by a worker that answers at once: the median, and nine of ten. */
  readonly median: number;
  readonly most: number;
}

/** One question at a time. */
export function overhead(server: TestServer, bytes: number, count: number): Promise<Overhead> {
  return asking(server, [{ workers: 1, takes: 0 }], async (queue) => {
    const times: number[] = [];
    for (let n = 0; n < count + WARM_UP; n++) {
      const began = performance.now();
      await queue.ask(questionOf(n, bytes));
      if (n >= WARM_UP) times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    return { median: times[times.length >> 1]!, most: times[Math.floor(0.9 * times.length)]! };
  });
}

/** Questions a second, as many at a time as there are lanes, answered at once. */
export function throughput(server: TestServer, lanes: number, count: number): Promise<number> {
  return asking(server, [{ workers: lanes, takes: 0 }], async (queue) => {
    await askAll(queue, lanes, lanes, 0);
    const began = performance.now();
    await askAll(queue, lanes, count, lanes);
    return (1000 * count) / (performance.now() - began);
  });
}

export interface BusyShare {
  /** Of the workers' time, from the first question to the last answer, that they worked. */
  readonly busy: number;
  /** Of one processor, what it took whoever asks, and the server. */
  readonly asker: number;
  readonly server: number;
}

/** @param takes milliseconds that an answer takes. @param rounds questions for each worker */
export function busyShare(
  server: TestServer,
  { workers, processes, takes, rounds }: Readonly<Record<'workers' | 'processes' | 'takes' | 'rounds', number>>,
): Promise<BusyShare> {
  const each = { workers: workers / processes, takes };
  return asking(
    server,
    Array.from({ length: processes }, () => each),
    async (queue) => {
      // All have connected when each has had its turn.
      await askAll(queue, 2 * workers, workers, 0);
      const [began, spent, served] = [performance.now(), process.cpuUsage(), processorOf(server.pid)];
      await askAll(queue, 2 * workers, rounds * workers, workers);
      const seconds = (performance.now() - began) / 1000;
      const { user, system } = process.cpuUsage(spent);
      return {
        busy: (rounds * takes) / 1000 / seconds,
        asker: (user + system) / 1e6 / seconds,
        server: (processorOf(server.pid) - served) / seconds,
      };
    },
  );
}

async function askAll(queue: QuestionQueue, lanes: number, count: number, from: number): Promise<void> {
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < from + count) await queue.ask(questionOf(next++, 2 << 10));
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
}

async function asking<Result>(
  server: TestServer,
  crew: readonly Pick<SimulatedWorkers, 'workers' | 'takes'>[],
  act: (queue: QuestionQueue) => Promise<Result>,
): Promise<Result> {
  const name = `bench-${process.pid}-${queues++}`;
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const children = await Promise.all(
    crew.map((one) => startWorkers({ ...one, bytes: ANSWER, url: server.url, queue: name })),
  );
  const connected = await QueueServer.connect(readQueueAddress(server.url), { log });
  const queue = await QuestionQueue.open(connected, name, { log });
  try {
    return await act(queue);
  } finally {
    await stopWorkers(children);
    await queue.close(cancelledError('measuring'), true);
    await connected.close();
  }
}

/** Seconds of processor; 0 where that cannot be read. PostgreSQL's are those of its children, too, once they ended. */
function processorOf(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}
