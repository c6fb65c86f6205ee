import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { EspalierError, toErrorData } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import type { EvaluationSettings } from '../experiment/settings.ts';
import type { SeenWorker } from '../experiment/seenWorker.ts';
import { AbandonedExperiments } from '../queue/abandonedExperiments.ts';
import { BEAT } from '../queue/beats.ts';
import { Directory } from '../queue/directory.ts';
import type { QueueAddress } from '../queue/queueAddress.ts';
import { QuestionQueue, queueOfRun } from '../queue/questionQueue.ts';
import { QueueServer } from '../queue/queueServer.ts';
import { QUEUE_FORMAT } from '../queue/wire.ts';
import type { RunEntry } from '../queue/wire.ts';
import type { SearchOpening } from '../search/lifecycle/events.ts';
import type { Clock } from './clock.ts';
import { CRASH_LIMITS, CrashBudget } from './crashBudget.ts';
import type { CrashLimits } from './crashBudget.ts';
import type { Pool, Work, WorkSource } from './pool.ts';
import { QueueQuestions } from './queueQuestions.ts';
import { QueueWorkers } from './queueWorkers.ts';
import type { QueueWork } from './queueWork.ts';
import { RunLease } from './runLease.ts';

export interface QueuePoolOptions<Opening = SearchOpening> {
  readonly work: QueueWork<Opening>;
  readonly address: QueueAddress;
  /** Ends the waiting for whoever drives the run elsewhere. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** Tells a person, and the log. */
  readonly say: (message: string) => void;
  /** Checks what the first worker has found, before anything is asked. */
  readonly onOpened: (opening: Opening) => void;
  readonly onWorkers: (workers: readonly SeenWorker[]) => void;
  readonly limits?: CrashLimits;
}

/** Questions for each worker: one that it works on, and one that it finds when it is done. */
const LANES = 2;
/** Milliseconds; to open a large model takes long, and the first opening has nothing to be measured by. */
const OPEN_LIMIT = 24 * 3_600_000;
/** Milliseconds to leave a server in. */
const PATIENCE = 5000;

/** The parts of a pool, once it has joined a queue. */
interface Joined {
  readonly server: QueueServer;
  readonly lease: RunLease;
  readonly queue: QuestionQueue;
  readonly directory: Directory;
}

/**
 * Whoever takes the questions of one run from a queue, wherever they are: they come and go, and the run waits while nobody is there. What the embedded
 * pool's workers answer, they answer to the last bit; who computes otherwise does not answer this run.
 */
export class QueuePool<Opening = SearchOpening> implements Pool<Opening> {
  readonly budget: CrashBudget;
  private readonly options: QueuePoolOptions<Opening>;
  private readonly joined: Joined;
  private readonly workers: QueueWorkers;
  private readonly questions: QueueQuestions;
  private readonly sources = new Set<WorkSource>();
  /** Pieces of work that are asked now. */
  private asked = 0;
  private opening: Promise<Opening> | undefined;
  private digits: string | undefined;
  private ended: EspalierError | undefined;
  private left: Promise<void> | undefined;
  private readonly tidying: NodeJS.Timeout;

  private constructor(options: QueuePoolOptions<Opening>, joined: Joined) {
    const { address, clock, limits, log, onWorkers, say, work } = options;
    const { directory, lease, queue } = joined;
    this.options = options;
    this.joined = joined;
    this.budget = new CrashBudget(limits ?? CRASH_LIMITS);
    if (work.before) {
      this.opening = Promise.resolve(work.before.opening);
      this.digits = work.before.class.digits;
    }
    this.questions = new QueueQuestions(queue, {
      ...{ root: work.root, log },
      onAnswer: ({ id }) => {
        this.workers.count(id);
      },
      onDeath: (reason) => {
        log(reason.message);
        const wait = this.budget.note(clock.now(), reason);
        // The worker starts its engine again by itself.
        if (wait instanceof EspalierError) this.fail(wait);
      },
    });
    this.workers = new QueueWorkers(directory.workers, {
      ...{ key: work.key, shown: address.shown, say, log, onWorkers },
      onChange: () => {
        this.pump();
      },
    });
    const abandoned = new AbandonedExperiments(joined.server, directory);
    this.tidying = setInterval(() => {
      void directory.runs
        .list()
        .then(({ entries }) => abandoned.look(entries))
        .catch((error: unknown) => {
          if (!this.hasEnded) log(`looking for experiments that are over: ${String(error)}`);
        });
    }, BEAT).unref();
    lease.lost.addEventListener('abort', () => {
      this.fail(lease.lost.reason as EspalierError);
    });
  }

  /**
   * Makes the run known at a queue.
   *
   * @throws EspalierError `queue/unreachable`, `queue/refused`, `queue/address`; `runs/in-use` where somebody else drives it, `cancelled`
   */
  static async join<Opening>(options: QueuePoolOptions<Opening>): Promise<QueuePool<Opening>> {
    const { address, log, say, signal, work } = options;
    const server = await QueueServer.connect(address, { log });
    try {
      const directory = new Directory(server);
      const lease = await RunLease.claim(directory.runs, entryOf(work), { signal, say, log });
      const queue = await QuestionQueue.open(server, queueOfRun(work.key), { log });
      return new QueuePool(options, { server, lease, queue, directory });
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  open(): Promise<Opening> {
    if (this.ended) return Promise.reject(this.ended);
    this.opening ??= this.askToOpen().catch((error: unknown) => {
      this.fail(coded(error));
      throw error;
    });
    // Its failure is every source's; nobody has to look at it here too.
    this.opening.catch(() => undefined);
    return this.opening;
  }

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

  pump(): void {
    if (this.digits === undefined) return;
    // Where nobody is there, what is asked waits for the first one.
    const able = Math.max(1, this.workers.able);
    while (!this.ended && this.asked < LANES * able) {
      const work = this.next(able);
      if (!work) return;
      void this.run(work, this.digits);
    }
  }

  /** Whoever comes later finds nothing of the run at the server, unless that is gone, or somebody else drives the run by now. */
  dispose(reason: EspalierError): Promise<void> {
    this.fail(reason);
    this.left ??= this.leave(reason);
    return this.left;
  }

  /** Each worker has its own threads. */
  settingsOf(settings: EvaluationSettings): EvaluationSettings {
    return settings;
  }

  private next(able: number): Work | undefined {
    for (const source of this.sources) {
      const work = source.take(able);
      if (work) return work;
    }
    return undefined;
  }

  private async run(work: Work, digits: string): Promise<void> {
    this.asked++;
    const { client, worked } = this.questions.clientFor(digits, work.limit);
    try {
      await work.run(client, worked);
      this.budget.succeeded();
    } catch (error) {
      if (this.hasEnded) return;
      if (error instanceof EspalierError && error.code === 'worker/exited') work.lost(error);
      else this.fail(coded(error));
    } finally {
      this.asked--;
    }
    this.pump();
  }

  private get hasEnded(): boolean {
    return this.ended !== undefined;
  }

  /** Again where an engine ended under it: the budget says when that is too often. */
  private async askToOpen(): Promise<Opening> {
    const { log, onOpened, work } = this.options;
    for (;;) {
      try {
        const { opening, of } = await work.open(this.questions, OPEN_LIMIT);
        onOpened(opening);
        log(
          `opened on ${of.of.deviceName || of.of.device} by Espalier ${of.of.espalier}, ONNX Runtime ${of.of.onnxruntime}`,
        );
        await this.joined.lease.classify(of);
        this.digits = of.digits;
        this.pump();
        return opening;
      } catch (error) {
        if (this.ended) throw this.ended;
        if (coded(error).code !== 'worker/exited') throw error;
      }
    }
  }

  private async leave(reason: EspalierError): Promise<void> {
    const { server, lease, queue } = this.joined;
    const { address, clock, log, work } = this.options;
    this.workers.close();
    clearInterval(this.tidying);
    const leave = async (): Promise<true> => {
      const isOurs = await lease.end();
      if (isOurs) await lease.remove();
      await queue.close(reason, isOurs);
      return true;
    };
    let undo = (): void => undefined;
    const late = new Promise<false>((resolve) => {
      undo = clock.after(PATIENCE, () => {
        resolve(false);
      });
    });
    const isLeft = await Promise.race([leave().catch(() => false), late]);
    undo();
    if (!isLeft) {
      log(`what is at ${address.shown} of this run stays there; it goes by: espalier queue --forget ${work.key}`);
    }
    await server.close();
  }

  private fail(error: EspalierError): void {
    if (this.ended) return;
    this.ended = error;
    for (const source of [...this.sources]) source.fail(error);
    this.sources.clear();
  }
}

function entryOf({ key, title, entry, before }: QueueWork<unknown>): RunEntry {
  return {
    ...{ format: QUEUE_FORMAT, version: VERSION, key, title },
    owner: { id: randomUUID(), host: hostname(), pid: process.pid },
    work: entry,
    class: before?.class ?? null,
    beat: 0,
    seenAt: Date.now(),
  };
}

function coded(thrown: unknown): EspalierError {
  return thrown instanceof EspalierError
    ? thrown
    : new EspalierError(toErrorData(thrown, 'running a search'), { cause: thrown });
}
