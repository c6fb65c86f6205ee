import { availableParallelism } from 'node:os';
import { cancelledError } from '../base/errors.ts';
import type { EspalierError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import type { NumberedDevice } from '../experiment/numberedDevice.ts';
import type { EvaluationProgress } from '../experiment/resultSchema.ts';
import type { WorkerProcess } from '../protocol/workerProcess.ts';
import type { QueueAddress } from '../queue/queueAddress.ts';
import { QueueServer } from '../queue/queueServer.ts';
import type { RunFolder } from '../runs/runFolder.ts';
import type { RunPlan } from '../search/kinds.ts';
import type { SearchOpening } from '../search/lifecycle/events.ts';
import type { Pool } from './pool.ts';
import { QueuePool } from './queuePool.ts';
import type { QueuePoolOptions } from './queuePool.ts';
import { runWork } from './queueWork.ts';
import { WorkerPool } from './workerPool.ts';

export interface RunPoolsOptions extends Omit<QueuePoolOptions, 'address' | 'work'> {
  readonly run: RunFolder;
  /** With absolute paths. */
  readonly plan: RunPlan;
  /** Where questions are asked, in the place of processes here. */
  readonly queue?: QueueAddress;
  /** Processes here, and what forks one. */
  readonly workers: number;
  readonly spawn: (device?: NumberedDevice) => WorkerProcess;
  /** Devices of this machine, of one kind, each for one of the processes. */
  readonly devices?: readonly NumberedDevice[];
  readonly onProgress: (progress: EvaluationProgress) => void;
  /** What the run was opened with, as far as it is known by now. */
  readonly opening: () => SearchOpening | undefined;
}

/** Who answers the questions of one run: processes of this machine, workers of a queue, or, of a recovery, the ones and then the others. */
export class RunPools {
  private readonly options: RunPoolsOptions;
  /** Without a process until something is asked. */
  private readonly embedded: WorkerPool;
  private readonly trains: boolean;
  private queued: QueuePool | undefined;

  constructor(options: RunPoolsOptions) {
    const { plan, workers } = options;
    const { threads } = plan.settings;
    this.options = options;
    this.trains = plan.kind === 'recovery';
    this.embedded = new WorkerPool({
      ...options,
      settings: plan.settings,
      open: (client, settings, hooks) => client.request('open', { ...plan, settings }, hooks),
      workers: this.trains ? 1 : workers,
      threads: threads === 0 ? availableParallelism() : threads,
      version: VERSION,
    });
  }

  /**
   * Reaches the queue, where one is named. A recovery trains here: nobody is to open it elsewhere before there is something to ask.
   *
   * @throws EspalierError as {@link QueuePool.join}
   */
  async prepare(): Promise<void> {
    const { queue, log } = this.options;
    if (!queue) return;
    if (this.trains) await (await QueueServer.connect(queue, { log })).close();
    else await this.join(queue);
  }

  /** For what a search asks, and for training. */
  get searching(): Pool {
    return this.trains ? this.embedded : (this.queued ?? this.embedded);
  }

  /** For what depends on nothing but what is asked. Of a recovery those evaluate over the queue who compute as here. */
  async evaluating(): Promise<Pool> {
    const { queue } = this.options;
    return queue ? (this.queued ?? (await this.join(queue))) : this.embedded;
  }

  /** Ends the work at once; what is under way fails with `reason`. */
  async dispose(reason: EspalierError): Promise<void> {
    await Promise.all([this.embedded.dispose(reason), this.queued?.dispose(reason)]);
  }

  private async join(address: QueueAddress): Promise<QueuePool> {
    const { opening, plan, run, signal } = this.options;
    const pool = await QueuePool.join({ ...this.options, address, work: runWork(run, plan, opening()) });
    this.queued = pool;
    if (signal.aborted) void pool.dispose(cancelledError('searching'));
    return pool;
  }
}
