import { SYSTEM_CLOCK } from '../../base/clock.ts';
import { EspalierError } from '../../base/errors.ts';
import { VERSION } from '../../base/version.ts';
import type { RequestHooks, RequestName, RequestParams, RequestResult } from '../../protocol/requests.ts';
import { WorkerConnection } from '../../protocol/workerConnection.ts';
import type { WorkerExit, WorkerProcess } from '../../protocol/workerProcess.ts';

/** Milliseconds from the fork to the answered handshake. */
const START_LIMIT = 60_000;
/** The longest that a timer can wait, in milliseconds: a question's limit comes from outside. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** With these somebody asks all processes of a job to end; nothing that the engine computed did that. */
const ASKED_TO_END: ReadonlySet<string> = new Set(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/** The engine of a host, in a process of its own: started when it is first asked for, and again when it has ended. */
export class EngineChild {
  private readonly spawn: () => WorkerProcess;
  private readonly log: (line: string) => void;
  private connection: WorkerConnection | undefined;
  private exit: WorkerExit | undefined;
  private isOver = false;

  /** @param spawn may throw, where there is no such device */
  constructor(spawn: () => WorkerProcess, log: (line: string) => void) {
    this.spawn = spawn;
    this.log = log;
  }

  /** Names the process that is asked now: another one has opened nothing. Undefined where there is none. */
  get pid(): number | undefined {
    return this.connection?.isOpen === true ? this.connection.pid : undefined;
  }

  /** Whether the last one was ended from outside, as all processes of a job are. */
  get wasAskedToEnd(): boolean {
    return ASKED_TO_END.has(this.exit?.signal ?? '');
  }

  /**
   * Asks it one thing.
   *
   * @param limit milliseconds after which it counts as hung and is ended
   * @throws EspalierError `worker/exited` where it ended, `worker/start-failed`, and what it answers
   */
  async request<Name extends RequestName>(
    name: Name,
    params: RequestParams<Name>,
    limit = Infinity,
    hooks: RequestHooks = {},
  ): Promise<RequestResult<Name>> {
    const connection = this.start();
    await connection.ready;
    const state = { isLate: false };
    const undo =
      limit <= LONGEST_TIMER
        ? SYSTEM_CLOCK.after(limit, () => {
            state.isLate = true;
            connection.kill();
          })
        : undefined;
    try {
      return await connection.client.request(name, params, hooks);
    } catch (error) {
      throw state.isLate && error instanceof EspalierError && error.code === 'worker/exited'
        ? lateError(limit, error)
        : error;
    } finally {
      undo?.();
    }
  }

  /** Ends it, whatever it does: what is asked of it fails with `reason`. The next question starts another one. */
  end(reason: EspalierError): void {
    this.connection?.end(reason);
    this.connection = undefined;
  }

  /** Ends it, and starts no other. */
  dispose(reason: EspalierError): void {
    this.isOver = true;
    this.end(reason);
  }

  private start(): WorkerConnection {
    if (this.connection?.isOpen === true) return this.connection;
    if (this.isOver) throw startedTooLate();
    this.exit = undefined;
    const process = this.spawn();
    const watched: WorkerProcess = {
      ...process,
      onExit: (listener) => {
        process.onExit((exit) => {
          if (this.connection === connection) this.exit = exit;
          listener(exit);
        });
      },
    };
    const options = { version: VERSION, startLimit: START_LIMIT, clock: SYSTEM_CLOCK, log: this.log };
    const connection = new WorkerConnection(watched, options);
    this.connection = connection;
    return connection;
  }
}

function lateError(limit: number, cause: EspalierError): EspalierError {
  return new EspalierError(
    {
      code: 'worker/exited',
      operation: 'answering a question of the queue',
      expected: `an answer within ${Math.round(limit / 1000)} s`,
      actual: 'none, so that the engine was ended',
      remedy: 'If it happens again, the device may be stuck: restart the worker, or choose the CPU.',
    },
    { cause },
  );
}

function startedTooLate(): EspalierError {
  return new EspalierError({
    code: 'cancelled',
    operation: 'starting an engine',
    expected: 'a worker that stays',
    actual: 'one that leaves',
    remedy: 'Start the worker again.',
  });
}
