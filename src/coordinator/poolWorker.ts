import type { EspalierError } from '../base/errors.ts';
import type { EvaluationProgress } from '../experiment/resultSchema.ts';
import type { RunPlan } from '../search/kinds.ts';
import { ProtocolClient } from '../protocol/client.ts';
import type { EvaluationListener } from '../protocol/client.ts';
import { exitError } from '../protocol/workerErrors.ts';
import type { WorkerProcess } from '../protocol/workerProcess.ts';
import type { Clock } from './clock.ts';
import type { SearchOpening } from '../search/lifecycle/events.ts';

export interface PoolWorkerOptions {
  readonly spawn: () => WorkerProcess;
  /** As this worker gets it: with its share of the threads. */
  readonly plan: RunPlan;
  readonly version: string;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly onProgress: (progress: EvaluationProgress) => void;
}

/** Milliseconds from the fork to the answered handshake. */
const START_LIMIT = 30_000;

/**
 * One process of the pool, from its fork to its exit: it shakes hands, opens the search, and then takes one piece of work after
 * another. Whatever is asked of it settles; when the process ends, with why it did (`worker/exited`).
 */
export class PoolWorker {
  readonly client: ProtocolClient;
  private readonly process: WorkerProcess;
  private readonly options: PoolWorkerOptions;
  private ending: EspalierError | undefined;
  private gone = false;

  /** @param onExit told once, when the process is gone; `asked` where it was ended on purpose */
  constructor(options: PoolWorkerOptions, onExit: (reason: EspalierError, asked: boolean) => void) {
    this.options = options;
    const process = options.spawn();
    this.process = process;
    this.client = new ProtocolClient(process.reader, process.writer, {
      log: options.log,
      onBroken: (reason) => {
        if (this.gone || this.ending) return;
        // A worker that cannot be talked to is of no use; its exit, which follows, tells the rest.
        options.log(`connection to worker ${process.pid ?? ''}: ${reason}`);
        process.kill();
      },
    });
    process.onExit((exit) => {
      this.gone = true;
      const reason = this.ending ?? exitError(exit, process.lastWords());
      this.client.dispose(reason);
      onExit(reason, this.ending !== undefined);
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** @throws EspalierError what the engine says, or `worker/exited` */
  async open(): Promise<SearchOpening> {
    const { clock, version, plan, onProgress, log } = this.options;
    const undo = clock.after(START_LIMIT, () => {
      log(`worker ${this.pid ?? ''} did not answer within ${START_LIMIT} ms and is ended`);
      this.process.kill();
    });
    try {
      await this.client.initialize(version);
    } finally {
      undo();
    }
    const listener: Pick<EvaluationListener, 'onProgress'> = {
      onProgress: ({ progress }) => {
        onProgress(progress);
      },
    };
    const { opening } =
      plan.kind === 'metrics'
        ? await this.client.openSearch(plan, listener)
        : await this.client.openStructure(plan, listener);
    return opening;
  }

  /** Ends it as a crash would: what it works on fails with `worker/exited`. */
  kill(): void {
    this.process.kill();
  }

  /** Ends it on purpose; whatever is asked of it from now on is rejected with `reason`. */
  end(reason: EspalierError): void {
    if (this.gone) return;
    this.ending ??= reason;
    this.client.dispose(reason);
    this.process.kill();
  }
}
