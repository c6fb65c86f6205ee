import type { SecureContextOptions } from 'node:tls';
import { rootCertificates } from 'node:tls';
import { FileProblem } from '../files/fileProblem.ts';
import { readBytes } from '../files/readBytes.ts';
import type { QueueAddress, QueueKind } from './queueAddress.ts';
import { certificatesError } from './queueErrors.ts';
import type * as Package from './queuePackage.ts';

/** Begins every key in Redis: nothing of anybody else's is touched. */
const PREFIX = 'espalier';
/** The same in PostgreSQL. */
const SCHEMA = 'espalier_queue';
/** Bytes of a file with certificates. */
const MAX_CERTIFICATES = 4 << 20;
/** Seconds for which answers stay where nobody has taken them: their coordinator is gone by then, or has asked again. */
const KEEP_ANSWERS = 600;
/**
 * Milliseconds after which events are looked for that nobody was told of: between a look and the wait that follows it PostgreSQL's notifications go
 * past the library, and there is no other remedy. With Redis a wait begins where the last one ended.
 */
const LOOK_FOR_EVENTS: Readonly<Record<QueueKind, number>> = { redis: 10_000, postgres: 250 };
/** Most milliseconds between tries of Redis's client to connect again. */
const MOST_BETWEEN_TRIES = 2000;
/**
 * Workers that may vanish with a question (killed, frozen, cut off) before it fails as one that nobody answers. An engine that ends under a question
 * is another matter: its worker lives, and says so.
 */
export const MOST_VANISHED = 5;

/** A job as it stands in a queue. */
export interface StoredJob {
  readonly id: string;
  readonly data: unknown;
  /** What it was answered with; undefined until then. */
  readonly answer: unknown;
  /** Why nobody will answer it. */
  readonly failure: string | undefined;
}

/** A queue of the library, as far as it is used. */
export interface JobQueue {
  /** Adds a job; one that is there already stays as it is. */
  add(name: string, id: string, data: unknown): Promise<void>;
  /** Changes the data of a job. @returns whether it was there */
  update(id: string, data: unknown): Promise<boolean>;
  get(id: string): Promise<StoredJob | undefined>;
  /** Jobs that nobody works on. */
  waiting(): Promise<readonly StoredJob[]>;
  /** Jobs by state. */
  counts(): Promise<Readonly<Record<string, number>>>;
  /** Removes a job, unless somebody works on it. */
  remove(id: string): Promise<void>;
  /** Removes the queue and all that is in it. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** What happens in a queue. */
export interface JobEvents {
  readonly onAnswered: (id: string, answer: unknown) => void;
  /** Nobody will answer it: {@link MOST_VANISHED} workers vanished with it. */
  readonly onFailed: (id: string) => void;
  /** A job was added that was there already: nothing more happens to it where it is answered. */
  readonly onDuplicated: (id: string) => void;
}

/** Works on the jobs of a queue, one at a time; its locks are renewed by this process. */
export interface JobWorker {
  /** Takes jobs until it is closed. */
  run(): void;
  /** Takes no more. Resolves when the job that it works on is done. @param force does not wait: the job goes to others when its lock runs out */
  close(force?: boolean): Promise<void>;
}

/** What a worker does with a job. */
export type JobOutcome =
  | { readonly kind: 'answered'; readonly answer: unknown }
  /** It waits for somebody else again. */
  | { readonly kind: 'returned' };

export interface JobWorkerOptions {
  readonly name: string;
  readonly process: (id: string, data: unknown) => Promise<JobOutcome>;
  /** There is nothing more to take, for the moment. */
  readonly onDrained?: () => void;
}

/** The library over one server. */
export interface Library {
  /** @throws what the server says, or why there is none */
  tryToConnect(limit: number): Promise<void>;
  queue(name: string, onError: (error: Error) => void): JobQueue;
  events(name: string, on: JobEvents, onError: (error: Error) => void): Promise<{ close(): Promise<void> }>;
  worker(name: string, options: JobWorkerOptions, onError: (error: Error) => void): JobWorker;
}

/** @param lock milliseconds. @throws EspalierError `queue/address` for certificates that cannot be read */
export async function loadLibrary(address: QueueAddress, lock: number): Promise<Library> {
  const tls = address.tls ? await tlsOptions(address) : undefined;
  const { createPostgresBackend, createRedisBackend, withBackend, Redis, postgres, ...errors } = await loadPackage();
  const { host, port, user, password, database } = address;
  const secret = { ...(password !== undefined && { password }) };
  if (address.kind === 'postgres') {
    const connection = {
      ...{ host, port, database, ...secret, application_name: 'espalier' },
      ...(user !== undefined && { user }),
      ...(tls && { ssl: tls }),
    };
    const login = async (): Promise<void> => {
      const client = new postgres.Client(connection);
      client.on('error', () => undefined);
      await client.connect();
      await client.end();
    };
    return libraryOf(
      withBackend(createPostgresBackend),
      { ...connection, schema: SCHEMA, migrate: true },
      { kind: 'postgres', lock, login },
      errors,
    );
  }
  const connection = {
    ...{ host, port, db: Number(database), ...secret },
    ...(user !== undefined && { username: user }),
    ...(tls && { tls }),
    maxRetriesPerRequest: null,
  };
  const retryStrategy = (times: number): number => Math.min(100 * 2 ** times, MOST_BETWEEN_TRIES);
  const login = async (): Promise<void> => {
    const client = new Redis({ ...connection, lazyConnect: true, retryStrategy: () => null });
    // What `connect` rejects with says only that there is no connection.
    const problems: Error[] = [];
    client.on('error', (error) => problems.push(error));
    try {
      await client.connect();
      await client.ping();
    } catch (error) {
      throw problems[0] ?? error;
    } finally {
      client.disconnect();
    }
  };
  return libraryOf(
    withBackend(createRedisBackend),
    { ...connection, retryStrategy },
    { kind: 'redis', lock, login },
    errors,
  );
}

async function tlsOptions({ trusted }: QueueAddress): Promise<SecureContextOptions> {
  if (trusted === undefined) return {};
  try {
    const pem = await readBytes(trusted, { maxBytes: MAX_CERTIFICATES });
    return { ca: [...rootCertificates, pem.toString('utf8')] };
  } catch (error) {
    throw certificatesError(trusted, error instanceof FileProblem ? error.message : String(error));
  }
}

function libraryOf<Backend extends Package.IQueueBackend, Connection>(
  { Queue, QueueEvents, QueueEventsProducer, Worker }: Package.BackendClasses<Backend, Connection>,
  connection: Connection,
  { kind, lock, login }: { readonly kind: QueueKind; readonly lock: number; readonly login: () => Promise<void> },
  { WaitingError }: Pick<typeof Package, 'WaitingError'>,
): Library {
  const base = { connection, prefix: PREFIX };
  return {
    async tryToConnect(limit) {
      await withinLimit(limit, login);
      const queue = new Queue('runs', { ...base });
      queue.on('error', () => undefined);
      await withinLimit(limit, async () => {
        await queue.waitUntilReady();
        await queue.close();
      });
    },
    queue(name, onError) {
      const queue = new Queue<unknown, unknown>(name, { ...base });
      queue.on('error', onError);
      return {
        add: async (job, id, data) => {
          await queue.add(job, data, { jobId: id });
        },
        update: async (id, data) => {
          const job = await queue.getJob(id);
          if (!job) return false;
          await job.updateData(data);
          return true;
        },
        get: async (id) => {
          const job = await queue.getJob(id);
          return job && stored(job);
        },
        waiting: async () => (await queue.getJobs(['waiting'])).map(stored),
        counts: () => queue.getJobCounts(),
        remove: async (id) => {
          await queue.remove(id);
        },
        clear: () => queue.obliterate({ force: true }),
        close: () => queue.close(),
      };
    },
    async events(name, { onAnswered, onFailed, onDuplicated }, onError) {
      const events = new QueueEvents(name, { ...base, blockingTimeout: LOOK_FOR_EVENTS[kind] });
      events.on('error', onError);
      events.on('completed', ({ jobId, returnvalue }) => {
        onAnswered(jobId, returnvalue);
      });
      events.on('failed', ({ jobId }) => {
        onFailed(jobId);
      });
      events.on('duplicated', ({ jobId }) => {
        onDuplicated(jobId);
      });
      await untilHeard(events, new QueueEventsProducer(name, { ...base }), onError);
      return { close: () => events.close() };
    },
    worker(name, { name: worker, process, onDrained }, onError) {
      const jobs = new Worker<unknown, unknown>(
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
          removeOnComplete: { age: KEEP_ANSWERS },
          removeOnFail: { age: KEEP_ANSWERS },
        },
      );
      jobs.on('error', onError);
      if (onDrained) jobs.on('drained', onDrained);
      return {
        run: () => {
          jobs.run().catch(onError);
        },
        close: (force = false) => jobs.close(force),
      };
    },
  };
}

interface Heard {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: typeof HELLO, listener: () => void): unknown;
}

interface Producer {
  on(event: 'error', listener: (error: Error) => void): unknown;
  publishEvent(event: { readonly eventName: typeof HELLO }): Promise<void>;
  close(): Promise<void>;
}

const HELLO = 'hello';
/** Milliseconds between two of them. */
const HELLO_EVERY = 20;

/** Who listens is connected before it hears anything, and misses what happens in between: so it is spoken to until it hears. */
async function untilHeard(events: Heard, producer: Producer, onError: (error: Error) => void): Promise<void> {
  producer.on('error', onError);
  const state = { heard: false };
  events.on(HELLO, () => {
    state.heard = true;
  });
  while (!state.heard) {
    await producer.publishEvent({ eventName: HELLO });
    await new Promise((resolve) => setTimeout(resolve, HELLO_EVERY));
  }
  await producer.close();
}

/** Rejects where it takes longer than that, too. */
async function withinLimit(limit: number, act: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${limit / 1000} s`));
    }, limit);
  });
  try {
    await Promise.race([act(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function stored(job: Package.Job<unknown, unknown>): StoredJob {
  const { id = '', data, returnvalue, failedReason } = job;
  return { id, data, answer: returnvalue ?? undefined, failure: failedReason };
}

function loadPackage(): Promise<typeof Package> {
  return import('./queuePackage.ts');
}
