import { EspalierError } from '../base/errors.ts';
import { redactMessage } from '../base/redact.ts';
import { loadLibrary } from './queueLibrary.ts';
import type { JobEvents, JobQueue, JobWorker, JobWorkerOptions } from './jobs.ts';
import type { Library } from './queueLibrary.ts';
import type { QueueAddress } from './queueAddress.ts';
import { askedError, closedError, connectError } from './queueErrors.ts';
import { troubleOf } from './serverTrouble.ts';
import type { ServerTrouble } from './serverTrouble.ts';

/** Milliseconds from the first try to giving up on a server; later ones are waited for. */
const CONNECT_LIMIT = 10_000;
/** Milliseconds between tries once a server is gone: doubled from the one to the other. */
const RETRY = { first: 100, most: 2000 } as const;
/** Milliseconds that a lock is held; it is renewed at half of that, by a process in which nothing computes. */
const LOCK = 30_000;

/** Milliseconds for which the same line is not said again. */
const SAY_AGAIN = 60_000;
const WORDS: Readonly<Record<ServerTrouble, string>> = {
  gone: 'is gone',
  full: 'takes nothing more',
  forgotten: 'has forgotten everything',
};

export interface QueueServerOptions {
  /** Told of what goes wrong between here and the server, and that it goes on by itself. */
  readonly log: (line: string) => void;
  /** The server was lost, or is there again. */
  readonly onReach?: (reachable: boolean) => void;
  /** Milliseconds that a lock is held, where not the usual; tests wait for one that ran out. */
  readonly lock?: number;
}

/** A server with queues: Redis, Valkey or PostgreSQL. Once it was reached, it is waited for whenever it is gone. */
export class QueueServer {
  readonly address: QueueAddress;
  private readonly options: QueueServerOptions;
  private readonly client: Library;
  private readonly opened = new Set<{ close(): Promise<void> }>();
  private reachable = true;
  private said = { line: '', at: 0 };
  private closed = false;

  private constructor(address: QueueAddress, library: Library, options: QueueServerOptions) {
    this.address = address;
    this.client = library;
    this.options = options;
  }

  /**
   * @throws EspalierError `queue/unreachable` where there is none, `queue/refused` where it does not let us in or shows a certificate that is not
   * trusted
   */
  static async connect(address: QueueAddress, options: QueueServerOptions): Promise<QueueServer> {
    const library = await loadLibrary(address, options.lock ?? LOCK);
    try {
      for (const advice of await library.login(CONNECT_LIMIT)) options.log(`queue ${address.shown}: ${advice}`);
    } catch (thrown) {
      throw connectError(address, thrown);
    }
    return new QueueServer(address, library, options);
  }

  /** A queue, whose methods wait for a server that is gone. @throws EspalierError `cancelled` of each of them, once the server is closed */
  queue(name: string): JobQueue {
    const queue = this.kept(this.client.queue(name, this.onError));
    const patiently = this.patiently.bind(this);
    return {
      add: (...job) => patiently(() => queue.add(...job)),
      update: (...job) => patiently(() => queue.update(...job)),
      get: (id) => patiently(() => queue.get(id)),
      waiting: () => patiently(() => queue.waiting()),
      counts: () => patiently(() => queue.counts()),
      remove: (id) => patiently(() => queue.remove(id)),
      clear: () => patiently(() => queue.clear()),
      close: () => this.forget(queue),
    };
  }

  /**
   * Resolves when nothing that happens from now on is missed, as long as the server is there.
   *
   * @throws EspalierError `cancelled` where the server is closed before
   */
  async events(name: string, on: JobEvents): Promise<{ close(): Promise<void> }> {
    const events = this.kept(this.client.events(name, on, this.onError));
    await events.heard;
    if (this.closed) throw closedError(this.address);
    return { close: () => this.forget(events) };
  }

  worker(name: string, options: JobWorkerOptions): JobWorker {
    const worker = this.client.worker(name, options, this.onError);
    const kept = this.kept({ close: () => worker.close(true) });
    return { ...worker, close: (force) => this.forget({ close: () => worker.close(force) }, kept) };
  }

  /** Whether the server was there when it was last spoken to. */
  get isReachable(): boolean {
    return this.reachable;
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.opened].map((one) => one.close().catch(ignore)));
    this.opened.clear();
  }

  private isClosed(): boolean {
    return this.closed;
  }

  private kept<Closable extends { close(): Promise<void> }>(one: Closable): Closable {
    this.opened.add(one);
    return one;
  }

  private async forget(one: { close(): Promise<void> }, kept: { close(): Promise<void> } = one): Promise<void> {
    this.opened.delete(kept);
    await one.close().catch(ignore);
  }

  private async patiently<Result>(act: () => Promise<Result>): Promise<Result> {
    for (let wait: number = RETRY.first; ; wait = Math.min(2 * wait, RETRY.most)) {
      if (this.isClosed()) throw closedError(this.address);
      try {
        const result = await act();
        this.reach(true);
        return result;
      } catch (thrown) {
        if (this.isClosed()) throw closedError(this.address);
        const trouble = troubleOf(thrown);
        if (trouble === undefined) throw thrown instanceof EspalierError ? thrown : askedError(this.address, thrown);
        this.onError(thrown as Error);
        if (trouble === 'forgotten') await this.client.login(CONNECT_LIMIT).catch(ignore);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  private readonly onError = (error: Error): void => {
    if (this.closed) return;
    const said = redactMessage(error.message || String(error), this.address.password);
    const trouble = troubleOf(error);
    if (trouble === undefined) this.say(`queue ${this.address.shown}: ${said}`);
    else if (this.reachable) {
      this.options.log(`queue ${this.address.shown} ${WORDS[trouble]} (${said}) and is waited for`);
      this.reach(false);
    }
  };

  /** What goes on and on is said once in a while. */
  private say(line: string): void {
    const now = performance.now();
    if (line === this.said.line && now - this.said.at < SAY_AGAIN) return;
    this.said = { line, at: now };
    this.options.log(line);
  }

  private reach(reachable: boolean): void {
    if (this.reachable === reachable) return;
    this.reachable = reachable;
    if (reachable) this.options.log(`queue ${this.address.shown} is there again`);
    this.options.onReach?.(reachable);
  }
}

function ignore(): void {
  // Of no consequence: what is closed is not used any more.
}
