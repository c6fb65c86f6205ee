import { MOST_VANISHED } from './jobs.ts';
import type { JobEvents, JobListener, JobQueue, JobWorker, JobWorkerOptions, StoredJob } from './jobs.ts';
import { patientWorker } from './patientWorker.ts';
import { postgresConnection, PREFIX, redisConnection } from './queueConnections.ts';
import type { ServerConnection } from './queueConnections.ts';
import type { QueueAddress, QueueKind } from './queueAddress.ts';
import type * as Package from './queuePackage.ts';
import { AGAIN, delay, Reopened, untilClosed, withinLimit } from './reopened.ts';

/** Events that a queue remembers: whoever missed more looks at the jobs. */
const KEEP_EVENTS = 1000;
/** Times that a job is begun anew whose worker failed to say what became of it; a worker that vanishes is counted apart. */
const ATTEMPTS = 10;
/** Seconds for which answers stay where nobody has taken them: their coordinator is gone by then, or has asked again. */
const KEEP_ANSWERS = 600;
/**
 * Milliseconds after which events are looked for that nobody was told of: between a look and the wait that follows it PostgreSQL's notifications go
 * past the library, and there is no other remedy. With Redis a wait begins where the last one ended.
 */
const LOOK_FOR_EVENTS: Readonly<Record<QueueKind, number>> = { redis: 10_000, postgres: 250 };
/** The library over one server. */
export interface Library {
  /**
   * Sees whether the server can be used, and makes what is missing of our tables.
   *
   * @returns what whoever runs the server should know. @throws what the server says, or why there is none
   */
  login(limit: number): Promise<readonly string[]>;
  /** Its methods fail where the server is gone. */
  queue(name: string, onError: (error: Error) => void): JobQueue;
  events(name: string, on: JobEvents, onError: (error: Error) => void): JobListener;
  worker(name: string, options: JobWorkerOptions, onError: (error: Error) => void): JobWorker;
}

/** @param lock milliseconds. @throws EspalierError `queue/address` for certificates that cannot be read */
export async function loadLibrary(address: QueueAddress, lock: number): Promise<Library> {
  const library = await loadPackage();
  const { createPostgresBackend, createRedisBackend, withBackend } = library;
  if (address.kind === 'postgres') {
    return libraryOf(
      withBackend(createPostgresBackend),
      await postgresConnection(address, library),
      { kind: 'postgres', lock },
      library,
    );
  }
  return libraryOf(
    withBackend(createRedisBackend),
    await redisConnection(address, library),
    { kind: 'redis', lock },
    library,
  );
}

function libraryOf<Backend extends Package.IQueueBackend, Connection>(
  classes: Package.BackendClasses<Backend, Connection>,
  { options: connection, login }: ServerConnection<Connection>,
  { kind, lock }: { readonly kind: QueueKind; readonly lock: number },
  { WaitingError }: Pick<typeof Package, 'WaitingError'>,
): Library {
  const { Queue, QueueEvents, QueueEventsProducer } = classes;
  // What it warns of on the console, we say ourselves.
  const base = { connection, prefix: PREFIX, skipVersionCheck: true };
  return {
    login: (limit) => withinLimit(limit, login),
    queue(name, onError) {
      const queue = new Reopened(() => {
        const opened = new Queue<unknown, unknown>(name, { ...base, streams: { events: { maxLen: KEEP_EVENTS } } });
        return opened;
      }, onError);
      return {
        add: async (job, id, data) => {
          await (await queue.ready()).add(job, data, { jobId: id, attempts: ATTEMPTS });
        },
        update: async (id, data) => {
          const job = await (await queue.ready()).getJob(id);
          if (!job) return false;
          await job.updateData(data);
          return true;
        },
        get: async (id) => {
          const job = await (await queue.ready()).getJob(id);
          return job && stored(job);
        },
        waiting: async () => (await (await queue.ready()).getJobs(['waiting'])).map(stored),
        counts: async () => (await queue.ready()).getJobCounts(),
        remove: async (id) => {
          await (await queue.ready()).remove(id);
        },
        clear: async () => {
          await (await queue.ready()).obliterate({ force: true });
        },
        close: () => queue.close(),
      };
    },
    events(name, { onAnswered, onFailed, onDuplicated }, onError) {
      const ear = { isOpen: true, hasHeard: false };
      const events = new Reopened(() => {
        const opened = new QueueEvents(name, { ...base, autorun: false, blockingTimeout: LOOK_FOR_EVENTS[kind] });
        opened.on('completed', ({ jobId, returnvalue }) => {
          onAnswered(jobId, returnvalue);
        });
        opened.on('failed', ({ jobId, failedReason }) => {
          onFailed(jobId, failedReason);
        });
        opened.on('duplicated', ({ jobId }) => {
          onDuplicated(jobId);
        });
        greeted(opened, () => {
          ear.hasHeard = true;
        });
        return opened;
      }, onError);
      void untilClosed(
        () => ear.isOpen,
        async () => {
          const ready = await events.ready();
          if (ear.isOpen)
            await ready.run().finally(() => {
              events.replace(ready);
            });
        },
        onError,
      );
      const producer = new Reopened(() => {
        const opened = new QueueEventsProducer(name, { ...base });
        return opened;
      }, onError);
      // Who listens is connected before it hears anything, and misses what happens in between: so it is spoken to until it hears.
      const heard = untilClosed(
        () => ear.isOpen && !ear.hasHeard,
        async () => {
          await (await producer.ready()).publishEvent({ eventName: HELLO });
          await delay(HELLO_EVERY);
        },
        onError,
      ).finally(() => producer.close());
      return {
        heard,
        close: async () => {
          ear.isOpen = false;
          await Promise.all([events.close(), producer.close()]);
        },
      };
    },
    worker(name, { name: worker, process, onDrained }, onError) {
      const Worker = patientWorker(classes, onError);
      const state = { isOpen: true };
      const jobs = new Reopened(() => {
        const opened = new Worker(
          name,
          async (job, token) => {
            const outcome = await process(job.id ?? '', job.data);
            if (outcome.kind === 'answered') return outcome.answer;
            await job.moveToWait(token);
            throw new WaitingError();
          },
          {
            ...base,
            name: worker,
            autorun: false,
            concurrency: 1,
            lockDuration: lock,
            stalledInterval: lock,
            maxStalledCount: MOST_VANISHED,
            runRetryDelay: AGAIN,
            removeOnComplete: { age: KEEP_ANSWERS },
            removeOnFail: { age: KEEP_ANSWERS },
          },
        );
        if (onDrained) opened.on('drained', onDrained);
        return opened;
      }, onError);
      return {
        run: () => {
          void untilClosed(
            () => state.isOpen,
            async () => {
              const ready = await jobs.ready();
              if (state.isOpen)
                await ready.run().finally(() => {
                  jobs.replace(ready);
                });
            },
            onError,
          );
        },
        close: async (force = false) => {
          state.isOpen = false;
          await jobs.close(force);
        },
      };
    },
  };
}

const HELLO = 'hello';
/** Milliseconds between two of them. */
const HELLO_EVERY = 20;

/** The library's types name its own events. */
interface Greeted {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: typeof HELLO, listener: () => void): unknown;
}

function greeted(events: Greeted, onHello: () => void): void {
  events.on(HELLO, onHello);
}

function stored(job: Package.Job<unknown, unknown>): StoredJob {
  const { id = '', data, returnvalue, failedReason } = job;
  return { id, data, answer: returnvalue ?? undefined, failure: failedReason };
}

function loadPackage(): Promise<typeof Package> {
  return import('./queuePackage.ts');
}
