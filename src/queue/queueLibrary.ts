import { postgresConnection, PREFIX, redisConnection } from './queueConnections.ts';
import type { ServerConnection } from './queueConnections.ts';
import type { QueueAddress, QueueKind } from './queueAddress.ts';
import type * as Package from './queuePackage.ts';
import { troubleOf } from './serverTrouble.ts';

/** Events that a queue remembers: whoever missed more looks at the jobs. */
const KEEP_EVENTS = 1000;
/** Times that a job is begun anew whose worker failed to say what became of it; a worker that vanishes is counted apart. */
const ATTEMPTS = 10;
/** Milliseconds between tries of what failed. */
const AGAIN = 1000;
/** Milliseconds for saying good-bye to a server. */
const CLOSING = 3000;
/** Seconds for which answers stay where nobody has taken them: their coordinator is gone by then, or has asked again. */
const KEEP_ANSWERS = 600;
/**
 * Milliseconds after which events are looked for that nobody was told of: between a look and the wait that follows it PostgreSQL's notifications go
 * past the library, and there is no other remedy. With Redis a wait begins where the last one ended.
 */
const LOOK_FOR_EVENTS: Readonly<Record<QueueKind, number>> = { redis: 10_000, postgres: 250 };
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
  /** Nobody will answer it: mostly because {@link MOST_VANISHED} workers vanished with it. */
  readonly onFailed: (id: string, reason: string) => void;
  /** A job was added that was there already: nothing more happens to it where it is answered. */
  readonly onDuplicated: (id: string) => void;
}

/** Listens until it is closed, to another server's beginning too. */
export interface JobListener {
  /** Resolves when nothing that happens from now on is missed (or when it is closed), as long as the server is there. */
  readonly heard: Promise<void>;
  close(): Promise<void>;
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
      const Worker = patient(classes, onError);
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

/** The library's worker, which gives up an answer where the connection breaks (somebody has to compute it again), and asks on without a pause. */
function patient<Backend extends Package.IQueueBackend, Connection>(
  { Worker }: Package.BackendClasses<Backend, Connection>,
  onError: (error: Error) => void,
) {
  type Job = Package.Job<unknown, unknown>;
  return class extends Worker<unknown, unknown> {
    protected override async handleCompleted(
      result: unknown,
      job: Job,
      token: string,
      fetchNext?: () => boolean,
      span?: Package.Span,
    ): Promise<Job> {
      for (;;) {
        try {
          return await super.handleCompleted(result, job, token, fetchNext, span);
        } catch (error) {
          if (troubleOf(error) === undefined || this.isClosing()) throw error;
          onError(error as Error);
          await delay(AGAIN);
        }
      }
    }

    protected override async moveToActive(token: string, name?: string): Promise<Job> {
      try {
        return await super.moveToActive(token, name);
      } catch (error) {
        await delay(AGAIN);
        throw error;
      }
    }

    private isClosing(): boolean {
      return Boolean(this.closing);
    }
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

interface Shuttable {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(force?: boolean): Promise<void>;
  disconnect(): Promise<void>;
}

/** One of the library's objects, in whose place comes another as long as none was ready: they remember for ever why they were not. */
class Reopened<One extends Shuttable> {
  private readonly open: () => One;
  private current: One;
  private closing = false;

  /** @param onError told of what goes wrong until it is closed */
  constructor(open: () => One, onError: (error: Error) => void) {
    this.open = () => {
      const opened = open();
      opened.on('error', (error) => {
        if (!this.closing) onError(error);
      });
      return opened;
    };
    this.current = this.open();
  }

  /** @throws why it is not */
  async ready(): Promise<One> {
    const tried = this.current;
    try {
      await tried.waitUntilReady();
    } catch (error) {
      this.replace(tried);
      throw error;
    }
    return tried;
  }

  replace(tried: One): void {
    if (this.closing || this.current !== tried) return;
    this.current = this.open();
    void shut(tried);
  }

  /** @param force does not wait for what is under way */
  async close(force = true): Promise<void> {
    // Before anything ends: what ends would be replaced.
    this.closing = true;
    if (!force) await this.current.close();
    await shut(this.current);
  }
}

/** Says good-bye, but not for ever: a server that is gone does not answer that. */
async function shut(one: Shuttable): Promise<void> {
  const closed = one.close(true);
  try {
    await withinLimit(CLOSING, () => closed);
  } catch {
    closed.catch(ignore);
    await withinLimit(CLOSING, () => one.disconnect()).catch(ignore);
  }
}

/** Does something again and again, with a pause where it fails. */
async function untilClosed(
  isOpen: () => boolean,
  act: () => Promise<void>,
  onError: (error: Error) => void,
): Promise<void> {
  while (isOpen()) {
    try {
      await act();
    } catch (error) {
      if (!isOpen()) return;
      onError(error as Error);
      await delay(AGAIN);
    }
  }
}

/** Rejects where it takes longer than that, too. */
async function withinLimit<Result>(limit: number, act: () => Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${limit / 1000} s`));
    }, limit);
  });
  try {
    return await Promise.race([act(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function ignore(): void {
  // Of no consequence: what is closed is not used any more.
}

function stored(job: Package.Job<unknown, unknown>): StoredJob {
  const { id = '', data, returnvalue, failedReason } = job;
  return { id, data, answer: returnvalue ?? undefined, failure: failedReason };
}

function loadPackage(): Promise<typeof Package> {
  return import('./queuePackage.ts');
}
