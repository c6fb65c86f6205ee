import { CancellationTokenSource, createMessageConnection } from 'vscode-jsonrpc';
import type { Message, MessageConnection, MessageReader, MessageWriter } from 'vscode-jsonrpc';
import { toErrorData } from '../base/errors.ts';
import type { EspalierError } from '../base/errors.ts';
import { fromResponseError, parseMessage } from './errors.ts';
import { GuardedReader } from './guard.ts';
import { LanguageModelQuestions } from './questions.ts';
import type { AskLanguageModel } from './questions.ts';
import { EVENTS, isEventName, PROTOCOL_VERSION, REQUESTS } from './requests.ts';
import type { EventParams, RequestName, RequestParams, RequestResult } from './requests.ts';
import { loggerTo, versionError } from './server.ts';

export interface ClientOptions {
  readonly log: (message: string) => void;
  /** The connection ended or broke. The owner answers by disposing of the client, which settles what is pending. */
  readonly onBroken: (reason: string) => void;
}

export interface EvaluationListener {
  onProgress?(event: EventParams<'progress'>): void;
  onResult?(event: EventParams<'result'>): void;
  onFailure?(event: EventParams<'failure'>): void;
}

export interface SearchListener {
  onProgress?(event: EventParams<'progress'>): void;
  onSearchEvent?(event: EventParams<'searchEvent'>): void;
  /** Asks the editor's language model. What it rejects with is what the search is told; without it the editor has none. */
  readonly askLanguageModel?: AskLanguageModel;
}

/**
 * The editor's end of the connection. Every request settles: with its checked result, with the worker's coded error, or, when
 * the client is disposed of, with the error given there.
 */
export class ProtocolClient {
  private readonly connection: MessageConnection;
  private readonly options: ClientOptions;
  private readonly pending = new Set<(error: EspalierError) => void>();
  private readonly listeners = new Map<number, EvaluationListener & SearchListener>();
  private readonly questions = new LanguageModelQuestions(({ call, reply }) => {
    this.request('languageModelReplied', { call, reply })
      // An answer that is none, by its length for example, is told instead: somebody waits.
      .catch((thrown: unknown) => {
        const error = toErrorData(thrown, 'answering for the language model');
        return this.request('languageModelReplied', { call, reply: { kind: 'failed', error } });
      })
      // A worker that is gone waits for no answer.
      .catch(() => undefined);
  });
  private ended: EspalierError | undefined;
  private tokens = 0;

  constructor(reader: MessageReader, writer: MessageWriter, options: ClientOptions) {
    this.options = options;
    this.connection = createMessageConnection(
      new GuardedReader(reader, writer),
      new PatientWriter(writer, options.onBroken),
      loggerTo(options.log),
    );
    this.connection.onNotification((method, params) => {
      this.receive(method, params);
    });
    this.connection.onError(([error]) => {
      options.onBroken(error.message);
    });
    this.connection.onClose(() => {
      options.onBroken('the connection was closed');
    });
    this.connection.listen();
  }

  /** First exchange. Rejects with `protocol/version` where the two ends do not speak the same protocol. */
  async initialize(version: string): Promise<RequestResult<'initialize'>> {
    const answer = await this.request('initialize', { protocol: PROTOCOL_VERSION, version });
    if (answer.protocol !== PROTOCOL_VERSION) throw versionError(answer.protocol, answer.version);
    return answer;
  }

  evaluate(
    plan: RequestParams<'evaluate'>['plan'],
    listener: EvaluationListener,
    signal?: AbortSignal,
  ): Promise<RequestResult<'evaluate'>> {
    return this.listening(listener, (token) => this.request('evaluate', { token, plan }, signal));
  }

  preflight(
    plan: RequestParams<'preflight'>['plan'],
    listener: Pick<EvaluationListener, 'onProgress'>,
    signal?: AbortSignal,
  ): Promise<RequestResult<'preflight'>> {
    return this.listening(listener, (token) => this.request('preflight', { token, plan }, signal));
  }

  inspect(
    plan: RequestParams<'inspect'>['plan'],
    tensor: string | null,
    listener: Pick<EvaluationListener, 'onProgress'>,
    signal?: AbortSignal,
  ): Promise<RequestResult<'inspect'>> {
    return this.listening(listener, (token) => this.request('inspect', { token, plan, tensor }, signal));
  }

  exportModel(
    plan: RequestParams<'export'>['plan'],
    target: RequestParams<'export'>['target'],
    listener: Pick<EvaluationListener, 'onProgress'>,
    signal?: AbortSignal,
  ): Promise<RequestResult<'export'>> {
    return this.listening(listener, (token) => this.request('export', { token, plan, target }, signal));
  }

  measureSpeed(
    plan: RequestParams<'speed'>['plan'],
    listener: Pick<EvaluationListener, 'onProgress'>,
    signal?: AbortSignal,
  ): Promise<RequestResult<'speed'>> {
    return this.listening(listener, (token) => this.request('speed', { token, plan }, signal));
  }

  openSearch(
    plan: RequestParams<'openSearch'>['plan'],
    listener: Pick<EvaluationListener, 'onProgress'>,
    signal?: AbortSignal,
  ): Promise<RequestResult<'openSearch'>> {
    return this.listening(listener, (token) => this.request('openSearch', { token, plan }, signal));
  }

  openStructure(
    plan: RequestParams<'openStructure'>['plan'],
    listener: Pick<EvaluationListener, 'onProgress'>,
    signal?: AbortSignal,
  ): Promise<RequestResult<'openStructure'>> {
    return this.listening(listener, (token) => this.request('openStructure', { token, plan }, signal));
  }

  componentScores(
    score: RequestParams<'componentScores'>['score'],
    listener: Pick<EvaluationListener, 'onProgress'>,
    signal?: AbortSignal,
  ): Promise<RequestResult<'componentScores'>> {
    return this.listening(listener, (token) => this.request('componentScores', { token, score }, signal));
  }

  /** Aborting the signal pauses the run; the request then settles with that outcome. */
  search(
    params: Omit<RequestParams<'search'>, 'token'>,
    listener: SearchListener,
    signal?: AbortSignal,
  ): Promise<RequestResult<'search'>> {
    return this.listening(listener, (token) => this.request('search', { token, ...params }, signal));
  }

  request<Name extends RequestName>(
    name: Name,
    params: RequestParams<Name>,
    signal?: AbortSignal,
  ): Promise<RequestResult<Name>> {
    const { promise, resolve, reject } = withResolvers<RequestResult<Name>>();
    if (this.ended) {
      reject(this.ended);
      return promise;
    }
    let checked: RequestParams<Name>;
    try {
      // Checked here too: what passes can be written, however deep it nests.
      checked = parseMessage(REQUESTS[name].params, params, `asking the worker to ${name}`) as RequestParams<Name>;
    } catch (error) {
      reject(fromResponseError(error, `asking the worker to ${name}`));
      return promise;
    }
    const cancellation = new CancellationTokenSource();
    const cancel = (): void => {
      cancellation.cancel();
    };
    this.pending.add(reject);
    signal?.addEventListener('abort', cancel, { once: true });
    this.connection
      .sendRequest(name, checked, cancellation.token)
      .then(
        (answer) => {
          resolve(parseMessage(REQUESTS[name].result, answer, `reading the answer to ${name}`) as RequestResult<Name>);
        },
        (error: unknown) => {
          reject(fromResponseError(error, `asking the worker to ${name}`));
        },
      )
      .catch(reject);
    if (signal?.aborted) cancel();
    return promise.finally(() => {
      this.pending.delete(reject);
      signal?.removeEventListener('abort', cancel);
      cancellation.dispose();
    });
  }

  /** Ends the connection; whatever is pending, and whatever is asked later, is rejected with `reason`. */
  dispose(reason: EspalierError): void {
    if (this.ended) return;
    this.ended = reason;
    for (const reject of [...this.pending]) reject(reason);
    this.listeners.clear();
    this.connection.dispose();
  }

  /** Events about the request reach the listener as long as it runs. */
  private async listening<Result>(
    listener: EvaluationListener & SearchListener,
    request: (token: number) => Promise<Result>,
  ): Promise<Result> {
    const token = ++this.tokens;
    this.listeners.set(token, listener);
    try {
      return await request(token);
    } finally {
      this.questions.ended(token);
      this.listeners.delete(token);
    }
  }

  private receive(method: string, params: unknown): void {
    if (!isEventName(method)) {
      this.options.log(`ignored event ${method}`);
      return;
    }
    try {
      const event = parseMessage(EVENTS[method], params, `reading the event ${method}`);
      const listener = this.listeners.get(event.token);
      if ('progress' in event) listener?.onProgress?.(event);
      else if ('result' in event) listener?.onResult?.(event);
      else if ('event' in event) listener?.onSearchEvent?.(event);
      else if ('prompt' in event) void this.questions.asked(event, listener?.askLanguageModel);
      else if ('call' in event) this.questions.cancelled(event.call);
      else listener?.onFailure?.(event);
    } catch (error) {
      this.options.log(String(error));
    }
  }
}

/**
 * A writer whose failures are the connection's, not a request's: the owner is told and disposes of the client with a reason
 * that explains more (exit code, last words) than "write failed". vscode-jsonrpc would also leave a rejection unhandled.
 */
class PatientWriter implements MessageWriter {
  readonly onError: MessageWriter['onError'];
  readonly onClose: MessageWriter['onClose'];
  private readonly writer: MessageWriter;
  private readonly onBroken: (reason: string) => void;

  constructor(writer: MessageWriter, onBroken: (reason: string) => void) {
    this.writer = writer;
    this.onBroken = onBroken;
    this.onError = writer.onError;
    this.onClose = writer.onClose;
  }

  async write(message: Message): Promise<void> {
    await this.writer.write(message).catch((error: unknown) => {
      this.onBroken(error instanceof Error ? error.message : String(error));
    });
  }

  end(): void {
    this.writer.end();
  }

  dispose(): void {
    this.writer.dispose();
  }
}

function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: EspalierError) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: EspalierError) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
