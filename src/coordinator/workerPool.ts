import { EspalierError, toErrorData } from '../base/errors.ts';
import type { NumberedDevice } from '../experiment/numberedDevice.ts';
import type { EvaluationProgress } from '../experiment/resultSchema.ts';
import type { EvaluationSettings } from '../experiment/settings.ts';
import type { RequestHooks } from '../protocol/requests.ts';
import { WorkerConnection } from '../protocol/workerConnection.ts';
import type { WorkerProcess } from '../protocol/workerProcess.ts';
import type { Clock } from './clock.ts';
import { CRASH_LIMITS, CrashBudget } from './crashBudget.ts';
import type { CrashLimits } from './crashBudget.ts';
import type { SearchOpening } from '../search/lifecycle/events.ts';
import type { Answering, Pool, Work, WorkSource } from './pool.ts';

export interface PoolOptions<Opening = SearchOpening> {
  readonly settings: EvaluationSettings;
  /** What a worker is asked before anything else. @param settings with its share of the threads */
  readonly open: (
    client: Answering,
    settings: EvaluationSettings,
    hooks: Pick<RequestHooks, 'onProgress'>,
  ) => Promise<Opening>;
  /** Processes. */
  readonly workers: number;
  /** CPU threads of all of them together. */
  readonly threads: number;
  readonly spawn: (device?: NumberedDevice) => WorkerProcess;
  /** By place, where workers have one of several devices: all of one kind, which is asked for in the place of the plan's. */
  readonly devices?: readonly NumberedDevice[];
  readonly version: string;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** Of the first worker's opening, which the others wait for. */
  readonly onProgress: (progress: EvaluationProgress) => void;
  /** Checks the opening of each worker, before it gets any work. */
  readonly onOpened: (opening: Opening) => void;
  readonly limits?: CrashLimits;
}

/** Milliseconds from the fork of a worker to its answered handshake. */
const START_LIMIT = 30_000;
/** Milliseconds from killing a worker to giving it up as unkillable. */
const PATIENCE = 3000;

/**
 * Worker processes that share the work of one search. The first opens the search before the others start, so that what it finds out
 * once and keeps on disk (gradients, hashes) the others read. One that ends is started again, a bounded number of times.
 */
export class WorkerPool<Opening = SearchOpening> implements Pool<Opening> {
  readonly budget: CrashBudget;
  private readonly options: PoolOptions<Opening>;
  /** By place; undefined between the end of one process and the start of the next. */
  private readonly places: (WorkerConnection | undefined)[];
  private readonly idle = new Set<WorkerConnection>();
  private readonly sources = new Set<WorkSource>();
  private readonly undo = new Set<() => void>();
  private opening: Promise<Opening> | undefined;
  private ended: EspalierError | undefined;
  private readonly onEmpty: (() => void)[] = [];

  constructor(options: PoolOptions<Opening>) {
    this.options = options;
    this.budget = new CrashBudget(options.limits ?? CRASH_LIMITS);
    this.places = new Array<undefined>(options.workers).fill(undefined);
  }

  /** Starts the workers, once. Resolves with what the first one found, when it has. */
  open(): Promise<Opening> {
    if (this.ended) return Promise.reject(this.ended);
    this.opening ??= new Promise<Opening>((resolve, reject) => {
      const source: WorkSource = { take: () => undefined, fail: reject };
      this.sources.add(source);
      this.start(0, (opening) => {
        this.sources.delete(source);
        resolve(opening);
        for (let place = 1; place < this.places.length; place++) this.start(place);
      });
    });
    // Its failure is every source's; nobody has to look at it here too.
    this.opening.catch(() => undefined);
    return this.opening;
  }

  /** Workers that are free take from it until it is removed. */
  add(source: WorkSource): void {
    if (this.ended) source.fail(this.ended);
    else {
      this.sources.add(source);
      void this.open();
      this.pump();
    }
  }

  remove(source: WorkSource): void {
    this.sources.delete(source);
  }

  /** Gives work to whoever is free: called when there is more of it. */
  pump(): void {
    for (const worker of this.idle) {
      const work = this.next();
      if (!work) return;
      void this.run(worker, work);
    }
  }

  /** Ends all workers at once; what is under way fails with `reason`. Resolves when they are gone, or do not go. */
  async dispose(reason: EspalierError): Promise<void> {
    this.fail(reason);
    if (this.places.every((worker) => worker === undefined)) return;
    await new Promise<void>((resolve) => {
      this.onEmpty.push(resolve);
      const undo = this.options.clock.after(PATIENCE, () => {
        this.options.log(`worker ${this.pids.join(', ')} did not end when killed and is left behind`);
        resolve();
      });
      this.onEmpty.push(undo);
    });
  }

  /** Settings as one worker gets them: with its share of the threads, and the kind of its device. */
  settingsOf(settings: EvaluationSettings): EvaluationSettings {
    const { threads, workers, devices } = this.options;
    const device = devices?.[0]?.device ?? settings.device;
    return { ...settings, device, threads: Math.max(1, Math.floor(threads / workers)) };
  }

  /** Process ids, for tests and the log. */
  get pids(): readonly number[] {
    return this.places.flatMap((worker) => worker?.pid ?? []);
  }

  private next(): Work | undefined {
    for (const source of this.sources) {
      const work = source.take(this.places.length);
      if (work) return work;
    }
    return undefined;
  }

  private async run(worker: WorkerConnection, work: Work): Promise<void> {
    const { clock, log } = this.options;
    this.idle.delete(worker);
    const undo = clock.after(work.limit, () => {
      log(`worker ${worker.pid ?? ''} did not come to an end within ${Math.round(work.limit / 1000)} s and is ended`);
      worker.kill();
    });
    try {
      await work.run(worker.client, () => clock.now());
      this.budget.succeeded();
      if (this.places.includes(worker)) this.idle.add(worker);
    } catch (error) {
      if (this.ended) return;
      if (error instanceof EspalierError && error.code === 'worker/exited') work.lost(error);
      else this.fail(coded(error));
    } finally {
      undo();
    }
    this.pump();
  }

  private start(place: number, onOpened?: (opening: Opening) => void): void {
    if (this.ended) return;
    const { clock, devices, log, onProgress, open, spawn, version } = this.options;
    const settings = this.settingsOf(this.options.settings);
    let worker: WorkerConnection;
    try {
      const onExit = (reason: EspalierError, asked: boolean): void => {
        this.exited(place, reason, asked, onOpened);
      };
      worker = new WorkerConnection(spawn(devices?.[place]), { version, startLimit: START_LIMIT, clock, log, onExit });
    } catch (error) {
      this.fail(coded(error));
      return;
    }
    this.places[place] = worker;
    const began = clock.now();
    worker.ready
      .then(() => open(worker.client, settings, { onProgress }))
      .then(
        (opening) => {
          if (this.ended || this.places[place] !== worker) return;
          log(
            `worker ${worker.pid ?? ''} is ready after ${Math.round(clock.now() - began)} ms, with ${settings.threads} threads`,
          );
          try {
            this.options.onOpened(opening);
          } catch (error) {
            this.fail(coded(error));
            return;
          }
          onOpened?.(opening);
          onOpened = undefined;
          this.idle.add(worker);
          this.pump();
        },
        (error: unknown) => {
          // A process that has ended is told of by its exit. One that lives and refuses would refuse again.
          if (!this.ended && coded(error).code !== 'worker/exited') this.fail(coded(error));
        },
      );
  }

  private exited(
    place: number,
    reason: EspalierError,
    asked: boolean,
    onOpened: ((opening: Opening) => void) | undefined,
  ): void {
    const worker = this.places[place];
    if (worker) this.idle.delete(worker);
    this.places[place] = undefined;
    if (this.places.every((other) => other === undefined)) for (const tell of this.onEmpty.splice(0)) tell();
    if (asked || this.ended) return;
    const { clock, log } = this.options;
    log(reason.message);
    const wait = this.budget.note(clock.now(), reason);
    if (wait instanceof EspalierError) {
      this.fail(wait);
      return;
    }
    const undo = clock.after(wait, () => {
      this.undo.delete(undo);
      this.start(place, onOpened);
    });
    this.undo.add(undo);
  }

  private fail(error: EspalierError): void {
    if (this.ended) return;
    this.ended = error;
    for (const undo of this.undo) undo();
    this.undo.clear();
    for (const worker of this.places) worker?.end(error);
    for (const source of [...this.sources]) source.fail(error);
    this.sources.clear();
  }
}

function coded(thrown: unknown): EspalierError {
  return thrown instanceof EspalierError
    ? thrown
    : new EspalierError(toErrorData(thrown, 'running a search'), { cause: thrown });
}
