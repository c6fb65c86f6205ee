import type { Clock } from '../../base/clock.ts';
import { cancelledError, EspalierError, throwIfCancelled } from '../../base/errors.ts';
import type { ErrorData } from '../../base/errors.ts';
import type { Ask, RequestHooks, RequestName, RequestParams, RequestResult } from '../../protocol/requests.ts';
import { WorkerConnection } from '../../protocol/workerConnection.ts';
import { gaveUpError, startError } from '../../protocol/workerErrors.ts';
import type { WorkerProcess } from '../../protocol/workerProcess.ts';

/** The life of the worker. */
export type WorkerState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready'; readonly pid: number }
  | { readonly kind: 'busy'; readonly pid: number }
  /** Not started again until the user says so. */
  | { readonly kind: 'failed'; readonly error: ErrorData };

export interface SupervisorOptions {
  readonly spawn: () => WorkerProcess;
  /** Version of the extension, for the handshake. */
  readonly version: string;
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly limits?: Partial<SupervisorLimits>;
}

/** Times in milliseconds. */
export interface SupervisorLimits {
  /** From the fork to the answered handshake. */
  readonly start: number;
  /** From asking to cancel to killing the process. */
  readonly cancel: number;
  /** From asking it to exit to killing it. */
  readonly shutdown: number;
  /** From killing it to giving it up as unkillable. */
  readonly kill: number;
  /** Restarts within `restartWindow` before the supervisor gives up. */
  readonly restarts: number;
  readonly restartWindow: number;
  /** Wait before the first restart; doubles from restart to restart. */
  readonly backoff: number;
}

const DEFAULT_LIMITS: SupervisorLimits = {
  start: 20_000,
  cancel: 2000,
  shutdown: 1000,
  kill: 3000,
  restarts: 5,
  restartWindow: 3 * 60_000,
  backoff: 100,
};

/**
 * Keeps one worker alive for as long as it is needed, and makes every request settle: with its result, with the worker's coded
 * error, with `cancelled`, with `worker/exited` when the process dies, or with `worker/gave-up` when it keeps dying. A worker
 * is started by the first request and, after a crash, again at once but a bounded number of times.
 */
export class Supervisor {
  private readonly options: SupervisorOptions;
  private readonly limits: SupervisorLimits;
  private readonly listeners = new Set<(state: WorkerState) => void>();
  private current: WorkerState = { kind: 'stopped' };
  private worker: WorkerConnection | undefined;
  /** Called when the worker is gone. */
  private atItsEnd: (() => void)[] = [];
  private crashes: number[] = [];
  private active = 0;
  private disposed = false;
  private undoRestart: (() => void) | undefined;
  /** Requests that wait for a worker. */
  private waiting: { resolve: (worker: WorkerConnection) => void; reject: (error: EspalierError) => void }[] = [];

  constructor(options: SupervisorOptions) {
    this.options = options;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  get state(): WorkerState {
    return this.current;
  }

  onChange(listener: (state: WorkerState) => void): { dispose(): void } {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  }

  /** A function that asks for one thing: what the parts of the extension are given. */
  asking<Name extends RequestName>(name: Name): Ask<Name> {
    return (params, hooks) => this.request(name, params, hooks);
  }

  async request<Name extends RequestName>(
    name: Name,
    params: RequestParams<Name>,
    hooks: RequestHooks = {},
  ): Promise<RequestResult<Name>> {
    const { signal } = hooks;
    throwIfCancelled(signal, 'waiting for the worker');
    const worker = await this.acquire(signal);
    this.count(worker, 1);
    let undoDeadline: (() => void) | undefined;
    const onAbort = (): void => {
      undoDeadline = this.options.clock.after(this.limits.cancel, () => {
        this.options.log(`the worker did not acknowledge cancelling within ${this.limits.cancel} ms and is ended`);
        this.kill(worker, cancelledError('evaluating'));
      });
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await worker.client.request(name, params, hooks);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      undoDeadline?.();
      this.count(worker, -1);
    }
  }

  /** Forgets earlier crashes and starts anew. What runs is ended with `cancelled`. */
  async restart(): Promise<void> {
    await this.stop();
    this.crashes = [];
    if (this.current.kind === 'stopped' && !this.worker && !this.disposed) this.start();
  }

  /** Asks the worker to exit, and kills it when it does not in time. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.undoRestart?.();
    this.undoRestart = undefined;
    const reason = cancelledError('using the worker');
    this.rejectWaiting(reason);
    const { worker } = this;
    if (!worker) {
      this.change({ kind: 'stopped' });
      return;
    }
    const gone = new Promise<void>((resolve) => this.atItsEnd.push(resolve));
    const kill = (): void => {
      this.kill(worker, reason);
    };
    // Nothing is lost by killing a worker that works; one that is idle gets the chance to release its device.
    if (this.current.kind !== 'ready') kill();
    else {
      worker.expectEnd(reason);
      this.atItsEnd.push(this.options.clock.after(this.limits.shutdown, kill));
      worker.client.request('shutdown', {}).catch(kill);
    }
    await gone;
  }

  /** At the end of the window: the process is killed before this returns. */
  dispose(): void {
    this.disposed = true;
    this.undoRestart?.();
    const reason = cancelledError('using the worker');
    this.rejectWaiting(reason);
    if (this.worker) this.kill(this.worker, reason);
    this.listeners.clear();
  }

  private count(worker: WorkerConnection, change: number): void {
    if (worker !== this.worker || !worker.isOpen) return;
    this.active += change;
    const pid = worker.pid ?? 0;
    this.change(this.active > 0 ? { kind: 'busy', pid } : { kind: 'ready', pid });
  }

  private acquire(signal: AbortSignal | undefined): Promise<WorkerConnection> {
    const { worker, current } = this;
    if (worker?.isOpen && (current.kind === 'ready' || current.kind === 'busy')) return Promise.resolve(worker);
    if (current.kind === 'failed') return Promise.reject(new EspalierError(current.error));
    return new Promise<WorkerConnection>((resolve, reject) => {
      const entry = { resolve, reject };
      this.waiting.push(entry);
      signal?.addEventListener(
        'abort',
        () => {
          this.waiting = this.waiting.filter((other) => other !== entry);
          reject(cancelledError('waiting for the worker'));
        },
        { once: true },
      );
      if (this.disposed) reject(cancelledError('waiting for the worker'));
      // One that is still ending holds the device; its exit starts the next.
      else if (this.current.kind === 'stopped' && !this.worker) this.start();
    });
  }

  private start(): void {
    this.change({ kind: 'starting' });
    const { clock, log, spawn, version } = this.options;
    let worker: WorkerConnection;
    try {
      const onExit = (reason: EspalierError, asked: boolean): void => {
        this.exited(reason, asked);
      };
      worker = new WorkerConnection(spawn(), { version, startLimit: this.limits.start, clock, log, onExit });
    } catch (error) {
      this.fail(startError(String(error)));
      return;
    }
    this.worker = worker;
    this.active = 0;
    worker.ready.then(
      (pid) => {
        if (!worker.isOpen) return;
        log(`worker ${pid} is ready`);
        this.change({ kind: 'ready', pid });
        for (const entry of this.waiting.splice(0)) entry.resolve(worker);
      },
      (error: unknown) => {
        if (!worker.isOpen) return;
        // The worker answered, but not what was asked: starting it again would end the same.
        const failure = error instanceof EspalierError ? error : startError(String(error));
        this.fail(failure);
        this.kill(worker, failure);
      },
    );
  }

  /** There is no other worker before this is told. */
  private exited(reason: EspalierError, asked: boolean): void {
    this.worker = undefined;
    this.active = 0;
    for (const tell of this.atItsEnd.splice(0)) tell();
    if (this.current.kind === 'failed') return;
    if (!asked && !this.disposed) {
      this.crashed(reason);
      return;
    }
    this.options.log('the worker has ended');
    this.change({ kind: 'stopped' });
    // Asked for while the old one was ending.
    if (this.waiting.length > 0 && !this.disposed) this.start();
  }

  private crashed(reason: EspalierError): void {
    const { clock, log } = this.options;
    log(reason.message);
    const now = clock.now();
    this.crashes = [...this.crashes.filter((time) => now - time < this.limits.restartWindow), now];
    if (this.crashes.length > this.limits.restarts) {
      this.fail(gaveUpError(this.limits, reason));
      return;
    }
    const wait = this.crashes.length === 1 ? 0 : this.limits.backoff * 2 ** (this.crashes.length - 2);
    this.change({ kind: 'starting' });
    this.undoRestart = clock.after(wait, () => {
      this.undoRestart = undefined;
      log(
        `starting the worker again (${this.crashes.length} of ${this.limits.restarts} within ${this.limits.restartWindow / 1000} s)`,
      );
      this.start();
    });
  }

  private fail(error: EspalierError): void {
    this.options.log(error.message);
    this.change({ kind: 'failed', error: error.data });
    this.rejectWaiting(error);
  }

  private kill(worker: WorkerConnection, reason: EspalierError): void {
    if (worker !== this.worker) return;
    this.atItsEnd.push(
      this.options.clock.after(this.limits.kill, () => {
        this.options.log(`worker ${worker.pid ?? ''} did not end when killed; it is left behind`);
        worker.abandon();
      }),
    );
    worker.end(reason);
    if (this.worker === worker && this.current.kind !== 'failed') this.change({ kind: 'stopped' });
  }

  private rejectWaiting(error: EspalierError): void {
    for (const entry of this.waiting.splice(0)) entry.reject(error);
  }

  private change(state: WorkerState): void {
    this.current = state;
    for (const listener of this.listeners) listener(state);
  }
}
