import { cancelledError, EspalierError, throwIfCancelled } from '../../base/errors.ts';
import type { ErrorData } from '../../base/errors.ts';
import type { ExportReport, ExportTarget, SpeedPlan, SpeedReport } from '../../experiment/exportSchema.ts';
import type { MetricInspection } from '../../experiment/inspectionSchema.ts';
import type { Preflight } from '../../experiment/preflightSchema.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { ProtocolClient } from '../../protocol/client.ts';
import type { EvaluationListener, SearchListener } from '../../protocol/client.ts';
import type { RequestName, RequestParams, RequestResult } from '../../protocol/requests.ts';
import { exitError, gaveUpError, startError } from '../../protocol/workerErrors.ts';
import type { WorkerExit, WorkerProcess } from '../../protocol/workerProcess.ts';

/** The life of the worker. */
export type WorkerState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready'; readonly pid: number }
  | { readonly kind: 'busy'; readonly pid: number }
  /** Not started again until the user says so. */
  | { readonly kind: 'failed'; readonly error: ErrorData };

export interface Clock {
  /** Milliseconds, from any origin. */
  now(): number;
  /** Calls back once; returns what undoes it. */
  after(milliseconds: number, callback: () => void): () => void;
}

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

/** One process and everything that ends with it. */
interface Life {
  readonly process: WorkerProcess;
  readonly client: ProtocolClient;
  readonly undo: (() => void)[];
  /** Why it is being ended on purpose; an exit without one is a crash. */
  ending?: EspalierError;
  gone: boolean;
}

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
  private life: Life | undefined;
  private crashes: number[] = [];
  private active = 0;
  private disposed = false;
  private undoRestart: (() => void) | undefined;
  /** Requests that wait for a worker. */
  private waiting: { resolve: (life: Life) => void; reject: (error: EspalierError) => void }[] = [];

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

  async evaluate(
    plan: EvaluationPlan,
    listener: EvaluationListener,
    signal: AbortSignal,
  ): Promise<readonly EvaluationResult[]> {
    const reply = await this.withWorker(signal, (client) => client.evaluate(plan, listener, signal));
    return reply.results;
  }

  async preflight(
    plan: EvaluationPlan,
    listener: Pick<EvaluationListener, 'onProgress'>,
    signal: AbortSignal,
  ): Promise<Preflight> {
    const reply = await this.withWorker(signal, (client) => client.preflight(plan, listener, signal));
    return reply.preflight;
  }

  async inspect(
    plan: EvaluationPlan,
    tensor: string | null,
    listener: Pick<EvaluationListener, 'onProgress'>,
    signal: AbortSignal,
  ): Promise<MetricInspection> {
    const reply = await this.withWorker(signal, (client) => client.inspect(plan, tensor, listener, signal));
    return reply.inspection;
  }

  /** Evaluates the plan's only evaluation and writes the model that it pruned. */
  async exportModel(
    plan: EvaluationPlan,
    target: ExportTarget,
    listener: Pick<EvaluationListener, 'onProgress'>,
    signal: AbortSignal,
  ): Promise<ExportReport> {
    const reply = await this.withWorker(signal, (client) => client.exportModel(plan, target, listener, signal));
    return reply.report;
  }

  async measureSpeed(
    plan: SpeedPlan,
    listener: Pick<EvaluationListener, 'onProgress'>,
    signal: AbortSignal,
  ): Promise<readonly SpeedReport[]> {
    const reply = await this.withWorker(signal, (client) =>
      client.measureSpeed({ ...plan, models: [...plan.models] }, listener, signal),
    );
    return reply.reports;
  }

  /** Drives a run; aborting the signal pauses it. */
  async search(
    params: Omit<RequestParams<'search'>, 'token'>,
    listener: SearchListener,
    signal: AbortSignal,
  ): Promise<RequestResult<'search'>> {
    return this.withWorker(signal, (client) => client.search(params, listener, signal));
  }

  request<
    Name extends Exclude<RequestName, 'initialize' | 'evaluate' | 'preflight' | 'inspect' | 'search' | 'shutdown'>,
  >(
    name: Name,
    params: RequestParams<Name>,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<RequestResult<Name>> {
    return this.withWorker(signal, (client) => client.request(name, params, signal));
  }

  /** Forgets earlier crashes and starts anew. What runs is ended with `cancelled`. */
  async restart(): Promise<void> {
    await this.stop();
    this.crashes = [];
    if (this.current.kind === 'stopped' && !this.life && !this.disposed) this.start();
  }

  /** Asks the worker to exit, and kills it when it does not in time. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.undoRestart?.();
    this.undoRestart = undefined;
    const reason = cancelledError('using the worker');
    this.rejectWaiting(reason);
    const life = this.life;
    if (!life || life.gone) {
      this.change({ kind: 'stopped' });
      return;
    }
    life.ending = reason;
    const gone = new Promise<void>((resolve) => {
      life.undo.push(resolve);
    });
    // Nothing is lost by killing a worker that works; one that is idle gets the chance to release its device.
    if (this.current.kind !== 'ready') this.kill(life, reason);
    else {
      life.undo.push(
        this.options.clock.after(this.limits.shutdown, () => {
          this.kill(life, reason);
        }),
      );
      life.client.request('shutdown', {}).catch(() => {
        this.kill(life, reason);
      });
    }
    await gone;
  }

  /** At the end of the window: the process is killed before this returns. */
  dispose(): void {
    this.disposed = true;
    this.undoRestart?.();
    const reason = cancelledError('using the worker');
    this.rejectWaiting(reason);
    if (this.life && !this.life.gone) this.kill(this.life, reason);
    this.listeners.clear();
  }

  private async withWorker<T>(signal: AbortSignal, work: (client: ProtocolClient) => Promise<T>): Promise<T> {
    throwIfCancelled(signal, 'waiting for the worker');
    const life = await this.acquire(signal);
    this.count(life, 1);
    let undoDeadline: (() => void) | undefined;
    const onAbort = (): void => {
      undoDeadline = this.options.clock.after(this.limits.cancel, () => {
        this.options.log(`the worker did not acknowledge cancelling within ${this.limits.cancel} ms and is ended`);
        this.kill(life, cancelledError('evaluating'));
      });
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await work(life.client);
    } finally {
      signal.removeEventListener('abort', onAbort);
      undoDeadline?.();
      this.count(life, -1);
    }
  }

  private count(life: Life, change: number): void {
    if (life !== this.life || life.gone || life.ending) return;
    this.active += change;
    const pid = life.process.pid ?? 0;
    this.change(this.active > 0 ? { kind: 'busy', pid } : { kind: 'ready', pid });
  }

  private acquire(signal: AbortSignal): Promise<Life> {
    if (
      this.life &&
      !this.life.gone &&
      !this.life.ending &&
      (this.current.kind === 'ready' || this.current.kind === 'busy')
    ) {
      return Promise.resolve(this.life);
    }
    if (this.current.kind === 'failed') return Promise.reject(new EspalierError(this.current.error));
    return new Promise<Life>((resolve, reject) => {
      const entry = { resolve, reject };
      this.waiting.push(entry);
      signal.addEventListener(
        'abort',
        () => {
          this.waiting = this.waiting.filter((other) => other !== entry);
          reject(cancelledError('waiting for the worker'));
        },
        { once: true },
      );
      if (this.disposed) reject(cancelledError('waiting for the worker'));
      // One that is still ending holds the device; its exit starts the next.
      else if (this.current.kind === 'stopped' && !this.life) this.start();
    });
  }

  private start(): void {
    this.change({ kind: 'starting' });
    const { clock, log, spawn, version } = this.options;
    let process: WorkerProcess;
    try {
      process = spawn();
    } catch (error) {
      this.fail(startError(String(error)));
      return;
    }
    const client = new ProtocolClient(process.reader, process.writer, {
      log,
      onBroken: (reason) => {
        if (life.gone || life.ending) return;
        // A worker that cannot be talked to is of no use; its exit, which follows, tells the rest.
        log(`connection to the worker: ${reason}`);
        process.kill();
      },
    });
    const life: Life = { process, client, undo: [], gone: false };
    this.life = life;
    this.active = 0;
    const undoTimeout = clock.after(this.limits.start, () => {
      log(`the worker did not answer within ${this.limits.start} ms and is ended`);
      process.kill();
    });
    life.undo.push(undoTimeout);
    process.onExit((exit) => {
      this.exited(life, exit);
    });
    client.initialize(version).then(
      ({ pid }) => {
        undoTimeout();
        if (life.gone || life.ending) return;
        log(`worker ${pid} is ready`);
        this.change({ kind: 'ready', pid });
        for (const entry of this.waiting.splice(0)) entry.resolve(life);
      },
      (error: unknown) => {
        if (life.gone || life.ending) return;
        // The worker answered, but not what was asked: starting it again would end the same.
        this.fail(error instanceof EspalierError ? error : startError(String(error)), life);
      },
    );
  }

  private exited(life: Life, exit: WorkerExit): void {
    if (life.gone) return;
    life.gone = true;
    const reason = life.ending ?? exitError(exit, life.process.lastWords());
    life.client.dispose(reason);
    for (const undo of life.undo.splice(0)) undo();
    if (life !== this.life) return;
    this.life = undefined;
    this.active = 0;
    if (this.current.kind === 'failed') return;
    if (life.ending || this.disposed) {
      this.options.log('the worker has ended');
      this.change({ kind: 'stopped' });
      // Asked for while the old one was ending.
      if (this.waiting.length > 0 && !this.disposed) this.start();
      return;
    }
    this.crashed(reason);
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

  private fail(error: EspalierError, life?: Life): void {
    this.options.log(error.message);
    this.change({ kind: 'failed', error: error.data });
    this.rejectWaiting(error);
    if (life) this.kill(life, error);
  }

  private kill(life: Life, reason: EspalierError): void {
    if (life.gone) return;
    life.ending ??= reason;
    life.client.dispose(reason);
    life.process.kill();
    life.undo.push(
      this.options.clock.after(this.limits.kill, () => {
        this.options.log(`worker ${life.process.pid ?? ''} did not end when killed; it is left behind`);
        this.exited(life, { code: null, signal: 'SIGKILL' });
      }),
    );
    if (this.life === life && this.current.kind !== 'failed') this.change({ kind: 'stopped' });
  }

  private rejectWaiting(error: EspalierError): void {
    for (const entry of this.waiting.splice(0)) entry.reject(error);
  }

  private change(state: WorkerState): void {
    this.current = state;
    for (const listener of this.listeners) listener(state);
  }
}
