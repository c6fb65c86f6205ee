import { EspalierError } from '../base/errors.ts';
import type { EvaluationResult } from '../experiment/resultSchema.ts';
import { parseMessage } from '../protocol/errors.ts';
import { REQUESTS } from '../protocol/requests.ts';
import type { RequestName, RequestParams, RequestResult } from '../protocol/requests.ts';
import type { QuestionQueue } from '../queue/questionQueue.ts';
import { digitsOfExperiment } from '../queue/experimentDigits.ts';
import { localPath, sharedPath } from '../queue/sharedPaths.ts';
import { digitsOf, QUEUE_FORMAT, QUEUED } from '../queue/wire.ts';
import type { Answer, Question, QueuedName, RunClass } from '../queue/wire.ts';
import { resultWithPaths } from '../runs/evaluationRecord.ts';
import { withPaths } from '../runs/portablePaths.ts';
import type { SearchOpening } from '../search/lifecycle/events.ts';
import type { Answering } from './pool.ts';

/** What a run, or an experiment, was opened with. */
export interface Opened<Opening> {
  readonly opening: Opening;
  /** Of who has opened it. */
  readonly of: RunClass;
}

export interface QueueQuestionsOptions {
  /** Workspace folder, absolute. */
  readonly root: string;
  readonly log: (line: string) => void;
  /** Told who has answered. */
  readonly onAnswer: (worker: Answer['worker']) => void;
  /** An engine has ended under a question; its worker lives, and says so. */
  readonly onDeath: (reason: EspalierError) => void;
}

/** Answers to one question that are of no use, after which it fails: of another class, or not what was asked. */
const MOST_USELESS = 5;

interface Found<Name extends RequestName> {
  readonly result: RequestResult<Name>;
  readonly answer: Answer;
}

/** What a run asks over a queue: as a worker of this machine would be asked, with files as every machine names them. */
export class QueueQuestions {
  private readonly queue: QuestionQueue;
  private readonly options: QueueQuestionsOptions;
  /** Files of this machine by the names that they go by on the queue. */
  private readonly files = new Map<string, string>();

  constructor(queue: QuestionQueue, options: QueueQuestionsOptions) {
    this.queue = queue;
    this.options = options;
  }

  /** A file as the queue names it. */
  readonly share = (file: string): string => {
    const name = sharedPath(this.options.root, file);
    this.files.set(name, file);
    return name;
  };

  /**
   * Opens the run.
   *
   * @param limit milliseconds
   * @returns what was found, and the class of who found it
   * @throws EspalierError as {@link clientFor}'s
   */
  async open(plan: RequestParams<'open'>, limit: number): Promise<Opened<SearchOpening>> {
    const { result, answer } = await this.ask('open', withPaths(plan, this.share), { digits: null, limit });
    return { opening: result, of: answer.class };
  }

  /** Opens an experiment. @param plan of its dense model. Otherwise as {@link open} */
  async openExperiment(plan: RequestParams<'evaluate'>, limit: number): Promise<Opened<EvaluationResult>> {
    const { result, answer } = await this.ask('evaluate', this.outwards('evaluate', plan), { digits: null, limit });
    const [dense] = this.inwards('evaluate', result);
    return { opening: dense!, of: answer.class };
  }

  /**
   * Whoever takes a question of the queue, as one that answers. What it throws is what the request failed with; `worker/exited` where an engine ended
   * under it, or too many workers vanished with it.
   *
   * @param digits of the run
   * @param limit milliseconds after which who works on a question counts as hung
   */
  clientFor(digits: string, limit: number): { readonly client: Answering; readonly worked: () => number } {
    let seconds = 0;
    const client: Answering = {
      request: async (name, params) => {
        const { result, answer } = await this.ask(name, this.outwards(name, params), { digits, limit });
        seconds += answer.seconds;
        return this.inwards(name, result);
      },
    };
    return { client, worked: () => 1000 * seconds };
  }

  private async ask<Name extends RequestName>(
    name: Name,
    params: RequestParams<Name>,
    { digits, limit }: { readonly digits: string | null; readonly limit: number },
  ): Promise<Found<Name>> {
    const question: Question = { format: QUEUE_FORMAT, name: asQueued(name), params, digits, limit };
    for (let useless = 1; ; useless++) {
      const answer = await this.queue.ask(question);
      const result = this.read(name, answer, digits);
      if (!(result instanceof EspalierError)) {
        this.options.onAnswer(answer.worker);
        return { result, answer };
      }
      this.options.log(`an answer of ${answer.worker.name} is dropped: ${result.message}`);
      if (useless === MOST_USELESS) throw result;
    }
  }

  /** @returns why it is of no use, in the place of its result. @throws EspalierError what the request failed with */
  private read<Name extends RequestName>(
    name: Name,
    answer: Answer,
    digits: string | null,
  ): RequestResult<Name> | EspalierError {
    const { class: of, outcome, worker } = answer;
    if (digits !== null && of.digits !== digits) return classError(`digits ${digits.slice(0, 12)}`, of, worker.name);
    if (outcome.kind === 'result') return readResult(name, answer, outcome.result, digits === null);
    const error = new EspalierError(outcome.error);
    if (error.code === 'worker/exited') this.options.onDeath(error);
    throw error;
  }

  private outwards<Name extends RequestName>(name: Name, params: RequestParams<Name>): RequestParams<Name> {
    if (name !== 'evaluate') return params;
    return withPaths(params as RequestParams<'evaluate'>, this.share) as RequestParams<Name>;
  }

  private inwards<Name extends RequestName>(name: Name, result: RequestResult<Name>): RequestResult<Name> {
    if (name !== 'evaluate') return result;
    const localise = (file: string): string => this.files.get(file) ?? localPath(this.options.root, file);
    return (result as readonly EvaluationResult[]).map((one) => resultWithPaths(one, localise)) as RequestResult<Name>;
  }
}

/** @returns why it is of no use, in the place of what it should be */
function readResult<Name extends RequestName>(
  name: Name,
  { class: of, worker }: Answer,
  result: unknown,
  isOpening: boolean,
): RequestResult<Name> | EspalierError {
  try {
    const operation = `reading the answer of ${worker.name} to ${name}`;
    const read = parseMessage(REQUESTS[name].result, result, operation) as RequestResult<Name>;
    return !isOpening || digitsOfOpening(name, read) === of.digits
      ? read
      : classError('the digits of what it has found', of, worker.name);
  } catch (thrown) {
    if (thrown instanceof EspalierError) return thrown;
    throw thrown;
  }
}

function digitsOfOpening(name: RequestName, result: unknown): string {
  return name === 'evaluate' ? digitsOfExperiment(result as readonly EvaluationResult[]) : digitsOf(result);
}

function asQueued(name: RequestName): QueuedName {
  const queued = QUEUED.find((one) => one === name);
  if (queued !== undefined) return queued;
  throw new EspalierError({
    code: 'engine/invariant',
    operation: 'asking over a queue',
    expected: QUEUED.join(', '),
    actual: name,
    remedy: 'This is a defect of Espalier: please report it with the log.',
  });
}

function classError(expected: string, { digits, of }: RunClass, name: string): EspalierError {
  return new EspalierError({
    code: 'queue/class',
    operation: 'asking over a queue',
    expected,
    actual: `${digits.slice(0, 12)} of ${name} (Espalier ${of.espalier}, ONNX Runtime ${of.onnxruntime}, ${of.deviceName})`,
    remedy: 'End that worker: it computes otherwise than the others, or answers what it was not asked.',
  });
}
