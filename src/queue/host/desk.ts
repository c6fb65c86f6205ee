import { EspalierError, cancelledError, toErrorData } from '../../base/errors.ts';
import { queueOfRun } from '../questionQueue.ts';
import type { JobOutcome, JobWorker } from '../jobs.ts';
import type { QueueServer } from '../queueServer.ts';
import { digitsOf, QUEUE_FORMAT } from '../wire.ts';
import type { Answer, Question, RunClass, RunEntry } from '../wire.ts';
import type { EngineChild } from './engineChild.ts';
import { isOfThisMachine } from './faultPlace.ts';
import { answerHere, isOpening, openRun } from './openedRun.ts';
import type { OpenedRun, Place } from './openedRun.ts';
import { malformed, readQuestion } from './readQuestion.ts';

interface DeskOptions {
  readonly server: QueueServer;
  readonly engine: EngineChild;
  readonly place: Place;
  readonly entry: RunEntry;
  /** What the engine found, or why the plan cannot be opened anywhere. */
  readonly opened: OpenedRun | EspalierError;
  readonly me: Answer['worker'];
  /** The run as it stands in the directory now. */
  readonly lookUp: () => Promise<RunEntry | undefined>;
  /** A question is begun, or came to its end; `answered` where it was. */
  readonly onBegun: () => void;
  readonly onEnded: (answered: boolean) => void;
  /** The engine ended under a question. */
  readonly onExited: (error: EspalierError) => void;
  /** This worker cannot go on with the run: the question is others', and so is what follows. */
  readonly onRefused: (error: EspalierError) => void;
}

/** Ends of engines in a row, with nothing answered in between, after which a worker leaves a run to others. */
const MOST_EXITS = 5;
/** What opened no run has no digits. */
const NO_DIGITS = digitsOf(null);

/** Where the questions of one run are answered, one at a time. */
export class Desk {
  private readonly options: DeskOptions;
  private readonly jobs: JobWorker;
  private readonly stopped = new AbortController();
  private opened: OpenedRun | EspalierError;
  private isClosing = false;
  private exits = 0;

  constructor(options: DeskOptions) {
    this.options = options;
    this.opened = options.opened;
    this.jobs = options.server.worker(queueOfRun(options.entry.key), {
      name: options.me.name,
      process: (id, data) => this.process(id, data),
    });
  }

  run(): void {
    this.jobs.run();
  }

  /** Takes no more. Resolves when what it works on is answered, or given back. */
  close(): Promise<void> {
    this.isClosing = true;
    return this.jobs.close();
  }

  /** Stops what it works on, as soon as the engine can: nobody waits for the answer. */
  abandon(): void {
    this.isClosing = true;
    this.stopped.abort();
  }

  /** Gives back what it works on: nobody has to wait until its lock runs out. */
  giveBack(): void {
    this.abandon();
    this.options.engine.end(cancelledError('answering a question of the queue'));
  }

  private async process(id: string, data: unknown): Promise<JobOutcome> {
    // What is taken between the wish to leave and its fulfilment.
    if (this.isClosing) return { kind: 'returned' };
    this.options.onBegun();
    const outcome = await this.outcomeOf(id, data).catch((thrown: unknown) => this.refuse(codedOf(thrown)));
    this.options.onEnded(outcome.kind === 'answered');
    return outcome;
  }

  private async outcomeOf(id: string, data: unknown): Promise<JobOutcome> {
    let question: Question;
    try {
      question = readQuestion(id, data);
      if (question.digits === null && !isOpening(question, this.options.entry)) {
        throw malformed('one that names no opening, and asks for none');
      }
    } catch (thrown) {
      return this.failed(codedOf(thrown), 0);
    }
    if (this.opened instanceof EspalierError) {
      return question.digits === null ? this.failed(this.opened, 0) : this.refuse(this.opened);
    }
    const opened = await this.stillOpen(this.opened);
    if (question.digits === null) {
      return this.answered(opened.class, opened.seconds, { kind: 'result', result: opened.answer });
    }
    if (question.digits !== opened.class.digits) {
      const entry = (await this.options.lookUp()) ?? this.options.entry;
      return this.refuse(classError(entry, opened.class));
    }
    return this.answerOf(question, opened);
  }

  private async answerOf(question: Question, opened: OpenedRun): Promise<JobOutcome> {
    const { engine, place } = this.options;
    const began = performance.now();
    const seconds = (): number => (performance.now() - began) / 1000;
    try {
      const result = await answerHere(question, engine, place, this.stopped.signal);
      this.exits = 0;
      return this.answered(opened.class, seconds(), { kind: 'result', result });
    } catch (thrown) {
      const error = codedOf(thrown);
      if (this.isStopped() || engine.wasAskedToEnd) return { kind: 'returned' };
      if (error.code === 'worker/exited') {
        this.options.onExited(error);
        if (++this.exits >= MOST_EXITS) {
          this.isClosing = true;
          this.options.onRefused(error);
        }
      } else if (isOfThisMachine(error.code)) return this.refuse(error);
      return this.failed(error, seconds());
    }
  }

  /** An engine that was started since has opened nothing yet. */
  private async stillOpen(opened: OpenedRun): Promise<OpenedRun> {
    const { engine, entry, place } = this.options;
    if (engine.pid !== undefined && engine.pid === opened.pid) return opened;
    const again = await openRun(entry, engine, place, this.stopped.signal);
    if (again.class.digits !== opened.class.digits) throw classError({ ...entry, class: opened.class }, again.class);
    this.opened = again;
    return again;
  }

  private isStopped(): boolean {
    return this.stopped.signal.aborted;
  }

  private refuse(error: EspalierError): JobOutcome {
    if (!this.isClosing) {
      this.isClosing = true;
      this.options.onRefused(error);
    }
    return { kind: 'returned' };
  }

  private failed(error: EspalierError, seconds: number): JobOutcome {
    const { opened } = this;
    const of = opened instanceof EspalierError ? { digits: NO_DIGITS, of: NO_CLASS } : opened.class;
    return this.answered(of, seconds, { kind: 'failure', error: error.data });
  }

  private answered(of: RunClass, seconds: number, outcome: Answer['outcome']): JobOutcome {
    const answer: Answer = { format: QUEUE_FORMAT, worker: this.options.me, class: of, seconds, outcome };
    return { kind: 'answered', answer };
  }
}

const NO_CLASS = { espalier: '', onnxruntime: '', device: '', deviceName: '', precision: '' };

/** Both sides named: the run's, as far as it is known, and this worker's. */
export function classError({ title, class: theirs }: RunEntry, ours: RunClass): EspalierError {
  return new EspalierError({
    code: 'queue/class',
    operation: `opening ${title} of the queue`,
    expected: theirs
      ? `what the run's first worker found, on ${classText(theirs)}`
      : 'what the run’s first worker found',
    actual: `other digits, on ${classText(ours)}`,
    remedy: 'Let workers of one kind answer one run: the same processor or GPU, version and files.',
  });
}

function classText({ digits, of }: RunClass): string {
  const { deviceName, device, precision, onnxruntime, espalier } = of;
  const name = deviceName === '' || deviceName === device ? device : `${device} (${deviceName})`;
  return `${name}, ${precision}, ONNX Runtime ${onnxruntime}, Espalier ${espalier}, digits ${digits.slice(0, 12)}`;
}

function codedOf(thrown: unknown): EspalierError {
  return thrown instanceof EspalierError
    ? thrown
    : new EspalierError(toErrorData(thrown, 'answering a question of the queue'), { cause: thrown });
}
