import type { Clock } from '../base/clock.ts';
import type { EspalierError } from '../base/errors.ts';
import { ProtocolClient } from './client.ts';
import { exitError } from './workerErrors.ts';
import type { WorkerExit, WorkerProcess } from './workerProcess.ts';

interface WorkerConnectionOptions {
  /** Version of the extension, for the handshake. */
  readonly version: string;
  /** Milliseconds from the fork to the answered handshake, after which the process is ended. */
  readonly startLimit: number;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: (line: string) => void;
  /** Told once, when the process is gone, after everything that was asked of it has settled; `asked` where it was ended on purpose. */
  readonly onExit?: (reason: EspalierError, asked: boolean) => void;
}

/**
 * One worker process, from its fork to its exit. Whatever is asked of it settles; when the process ends, with why it did
 * (`worker/exited`).
 */
export class WorkerConnection {
  readonly client: ProtocolClient;
  /** Its process id as it says itself, when it has shaken hands. */
  readonly ready: Promise<number>;
  private readonly process: WorkerProcess;
  private readonly options: WorkerConnectionOptions;
  private readonly undoLimit: () => void;
  private reason: EspalierError | undefined;
  private gone = false;

  constructor(process: WorkerProcess, options: WorkerConnectionOptions) {
    const { clock, log, startLimit, version } = options;
    this.process = process;
    this.options = options;
    this.client = new ProtocolClient(process.reader, process.writer, {
      log,
      onBroken: (reason) => {
        if (!this.isOpen) return;
        // A worker that cannot be talked to is of no use; its exit, which follows, tells the rest.
        log(`connection to worker ${process.pid ?? ''}: ${reason}`);
        process.kill();
      },
    });
    this.undoLimit = clock.after(startLimit, () => {
      log(`worker ${process.pid ?? ''} did not answer within ${startLimit} ms and is ended`);
      process.kill();
    });
    process.onExit((exit) => {
      this.exited(exit);
    });
    this.ready = this.client
      .initialize(version)
      .then(({ pid }) => pid)
      .finally(this.undoLimit);
    // Whoever asks something is told.
    this.ready.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Whether it lives, and is to. */
  get isOpen(): boolean {
    return !this.gone && this.reason === undefined;
  }

  /** Ends it as a crash would: what it works on fails with `worker/exited`. */
  kill(): void {
    this.process.kill();
  }

  /** Ends it on purpose; whatever is asked of it, and will be, is rejected with `reason`. */
  end(reason: EspalierError): void {
    if (this.gone) return;
    this.expectEnd(reason);
    this.client.dispose(reason);
    this.process.kill();
  }

  /** It is to end by itself: that is no crash. */
  expectEnd(reason: EspalierError): void {
    this.reason ??= reason;
  }

  /** Takes it for gone, as one that cannot be killed is left behind. */
  abandon(): void {
    this.exited({ code: null, signal: 'SIGKILL' });
  }

  private exited(exit: WorkerExit): void {
    if (this.gone) return;
    this.gone = true;
    this.undoLimit();
    const reason = this.reason ?? exitError(exit, this.process.lastWords());
    this.client.dispose(reason);
    this.options.onExit?.(reason, this.reason !== undefined);
  }
}
