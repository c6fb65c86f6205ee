import { redactMessage } from '../base/redact.ts';
import { isConnectionLoss } from './connectionLoss.ts';
import { loadLibrary } from './queueLibrary.ts';
import type { JobEvents, JobQueue, JobWorker, JobWorkerOptions, Library } from './queueLibrary.ts';
import type { QueueAddress } from './queueAddress.ts';
import { closedError, connectError } from './queueErrors.ts';

/** Milliseconds from the first try to giving up on a server; later ones are waited for. */
const CONNECT_LIMIT = 10_000;
/** Milliseconds between tries once a server is gone: doubled from the one to the other. */
const RETRY = { first: 100, most: 2000 } as const;
/** Milliseconds that a lock is held; it is renewed at half of that, by a process in which nothing computes. */
const LOCK = 30_000;

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
  private readonly library: Library;
  private readonly opened = new Set<{ close(): Promise<void> }>();
  private reachable = true;
  private closed = false;

  private constructor(address: QueueAddress, library: Library, options: QueueServerOptions) {
    this.address = address;
    this.library = library;
    this.options = options;
  }

  /**
   * @throws EspalierError `queue/unreachable` where there is none, `queue/refused` where it does not let us in or shows a certificate that is not
   * trusted
   */
  static async connect(address: QueueAddress, options: QueueServerOptions): Promise<QueueServer> {
    const library = await loadLibrary(address, options.lock ?? LOCK);
    try {
      await library.tryToConnect(CONNECT_LIMIT);
    } catch (thrown) {
      throw connectError(address, thrown);
    }
    return new QueueServer(address, library, options);
  }

  /** A queue, whose methods wait for a server that is gone. @throws EspalierError `cancelled` of each of them, once the server is closed */
  queue(name: string): JobQueue {
    const queue = this.kept(this.library.queue(name, this.onError));
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

  /** Resolves when nothing that happens from now on is missed, as long as the server is not. */
  async events(name: string, on: JobEvents): Promise<{ close(): Promise<void> }> {
    const events = this.kept(await this.library.events(name, on, this.onError));
    return { close: () => this.forget(events) };
  }

  worker(name: string, options: JobWorkerOptions): JobWorker {
    const worker = this.kept(this.library.worker(name, options, this.onError));
    return { ...worker, close: (force) => this.forget({ close: () => worker.close(force) }, worker) };
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
        if (!isConnectionLoss(thrown)) throw thrown;
        this.onError(thrown as Error);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  private readonly onError = (error: Error): void => {
    if (this.closed) return;
    const said = redactMessage(error.message || String(error), this.address.password);
    if (!isConnectionLoss(error)) this.options.log(`queue ${this.address.shown}: ${said}`);
    else if (this.reachable) {
      this.options.log(`queue ${this.address.shown} is gone (${said}) and is waited for`);
      this.reach(false);
    }
  };

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
