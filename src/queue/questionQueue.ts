import { EspalierError } from '../base/errors.ts';
import { schemaReason } from '../base/schemaProblem.ts';
import { MOST_VANISHED } from './jobs.ts';
import type { JobQueue, StoredJob } from './jobs.ts';
import type { QueueKind } from './queueAddress.ts';
import type { QueueServer } from './queueServer.ts';
import { answerSchema, questionId } from './wire.ts';
import type { Answer, Question } from './wire.ts';

/** Name of the queue with a run's questions. @param key see `runKey` */
export function queueOfRun(key: string): string {
  return `run-${key}`;
}

export interface QuestionQueueOptions {
  readonly log: (line: string) => void;
  /**
   * Milliseconds between looks for questions of which nothing is heard: an answer may have come while the server was away, or the question may be
   * gone with the server's memory.
   */
  readonly lookEvery?: number;
}

/** Of PostgreSQL events are read in the order of their numbers, and one whose transaction ends late is passed over: that is no rare thing. */
const LOOK_EVERY: Readonly<Record<QueueKind, number>> = { redis: 10_000, postgres: 2000 };
/** Answers to a question that cannot be read, after which it fails. */
const MOST_UNREADABLE = 3;

interface Asked {
  readonly question: Question;
  readonly answer: Promise<Answer>;
  readonly settle: (answer: Answer) => void;
  readonly fail: (error: EspalierError) => void;
  unreadable: number;
}

/**
 * Questions of one run, from the side of who asks. However often the server restarts, and whatever it forgets, a question that was asked is answered in
 * the end, once: what comes a second time is dropped.
 */
export class QuestionQueue {
  private readonly queue: JobQueue;
  private readonly log: (line: string) => void;
  private readonly asked = new Map<string, Asked>();
  /** Jobs on their way out: the same question may be asked anew only behind that. */
  private readonly leaving = new Map<string, Promise<void>>();
  private readonly timer: NodeJS.Timeout;
  private looking = false;
  private events: { close(): Promise<void> } | undefined;
  private ended: EspalierError | undefined;

  private constructor(queue: JobQueue, log: (line: string) => void, lookEvery: number) {
    this.queue = queue;
    this.log = log;
    this.timer = setInterval(() => {
      this.lookAtAll().catch((error: unknown) => {
        if (!this.ended) this.log(`looking for answers: ${String(error)}`);
      });
    }, lookEvery).unref();
  }

  /** @param name of the queue */
  static async open(server: QueueServer, name: string, options: QuestionQueueOptions): Promise<QuestionQueue> {
    const { log, lookEvery = LOOK_EVERY[server.address.kind] } = options;
    const queue = new QuestionQueue(server.queue(name), log, lookEvery);
    queue.events = await server.events(name, {
      onAnswered: (id, answer) => {
        queue.answered(id, answer);
      },
      onFailed: (id, reason) => {
        queue.vanished(id, reason);
      },
      onDuplicated: (id) => {
        void queue.look(id).catch(log);
      },
    });
    return queue;
  }

  /**
   * Asks a question, or joins those who wait for it already.
   *
   * @throws EspalierError `worker/exited` where {@link MOST_VANISHED} workers vanished with it, `queue/malformed` where what answers speaks another
   * language, and what the queue was closed with
   */
  ask(question: Question): Promise<Answer> {
    if (this.ended) return Promise.reject(this.ended);
    const id = questionId(question);
    const before = this.asked.get(id);
    if (before) return before.answer;
    let settle!: Asked['settle'];
    let fail!: Asked['fail'];
    const answer = new Promise<Answer>((resolve, reject) => {
      settle = resolve;
      fail = reject;
    });
    this.asked.set(id, { question, answer, settle, fail, unreadable: 0 });
    this.put(id, question).catch((error: unknown) => {
      this.take(id)?.fail(error as EspalierError);
    });
    return answer;
  }

  /** Questions that wait for an answer. */
  get open(): number {
    return this.asked.size;
  }

  /** Whoever waits is told `reason`. @param clear removes the queue with all that is in it: nobody answers what was asked */
  async close(reason: EspalierError, clear: boolean): Promise<void> {
    if (this.ended) return;
    this.ended = reason;
    clearInterval(this.timer);
    for (const { fail } of this.asked.values()) fail(reason);
    this.asked.clear();
    await Promise.allSettled(this.leaving.values());
    if (clear) await this.queue.clear();
    await this.events?.close();
    await this.queue.close();
  }

  private async put(id: string, question: Question): Promise<void> {
    await this.leaving.get(id);
    await this.queue.add(question.name, id, question);
  }

  private async lookAtAll(): Promise<void> {
    // A look may last as long as the server is away.
    if (this.looking) return;
    this.looking = true;
    try {
      for (const id of [...this.asked.keys()]) await this.look(id);
    } finally {
      this.looking = false;
    }
  }

  /** Takes an answer whose event was missed; asks again what the server knows nothing of. */
  private async look(id: string): Promise<void> {
    const job = await this.queue.get(id);
    const asked = this.asked.get(id);
    if (!asked || this.ended) return;
    if (!job) await this.put(id, asked.question);
    else this.settled(job);
  }

  private settled({ id, answer, failure }: StoredJob): void {
    if (answer !== undefined) this.answered(id, answer);
    else if (failure !== undefined) this.vanished(id, failure);
  }

  private answered(id: string, data: unknown): void {
    const asked = this.asked.get(id);
    if (!asked) return;
    const parsed = answerSchema.safeParse(data);
    if (parsed.success) {
      this.take(id);
      asked.settle(parsed.data);
      return;
    }
    const reason = schemaReason(parsed.error, data);
    this.log(`an answer that cannot be read is dropped: ${reason}`);
    this.remove(id);
    if (++asked.unreadable < MOST_UNREADABLE) void this.put(id, asked.question).catch(asked.fail);
    else this.take(id)?.fail(unreadableError(reason));
  }

  private vanished(id: string, reason: string): void {
    this.take(id)?.fail(vanishedError(reason));
  }

  /** Removes a question from those that wait, and from the server. */
  private take(id: string): Asked | undefined {
    const asked = this.asked.get(id);
    if (!asked) return undefined;
    this.asked.delete(id);
    this.remove(id);
    return asked;
  }

  private remove(id: string): void {
    const gone = this.queue
      .remove(id)
      // It is answered; what stays of it the server removes by itself.
      .catch(() => undefined)
      .finally(() => this.leaving.delete(id));
    this.leaving.set(id, gone);
  }
}

/** What the library says of a question whose lock ran out too often. */
const STALLED = /\bstalled\b/;

function vanishedError(reason: string): EspalierError {
  return new EspalierError({
    code: 'worker/exited',
    operation: 'asking over the queue',
    expected: 'an answer',
    actual: STALLED.test(reason) ? `${MOST_VANISHED + 1} workers that vanished with the question` : reason,
    remedy: 'Look at the logs of the workers: what they were asked may need more memory than they have.',
  });
}

function unreadableError(reason: string): EspalierError {
  return new EspalierError({
    code: 'queue/malformed',
    operation: 'reading an answer from the queue',
    expected: 'one of this version of Espalier',
    actual: reason,
    remedy: 'Use the same version on all machines, and a queue of your own.',
  });
}
