import * as z from 'zod';
import { createMessageConnection } from 'vscode-jsonrpc';
import type { Message, MessageConnection, MessageReader, MessageWriter } from 'vscode-jsonrpc';
import { EspalierError, toErrorData } from '../base/errors.ts';
import { errorSchema } from '../base/errorSchema.ts';
import { fromResponseError, malformedError, parseMessage } from './errors.ts';
import { answerRequests, sendRequest } from './exchange.ts';
import { GuardedReader } from './guard.ts';
import { EVENTS, isEventName, LANGUAGE_MODEL, PROTOCOL_VERSION, REQUESTS, tokenSchema } from './requests.ts';
import type {
  EventArguments,
  EventName,
  LanguageModelAnswer,
  Listener,
  RequestHooks,
  RequestName,
  RequestParams,
  RequestResult,
} from './requests.ts';
import { loggerTo, versionError } from './server.ts';

export interface ClientOptions {
  readonly log: (message: string) => void;
  /** The connection ended or broke. The owner answers by disposing of the client, which settles what is pending. */
  readonly onBroken: (reason: string) => void;
}

interface Pending {
  readonly hooks: RequestHooks;
  readonly reject: (error: EspalierError) => void;
}

/**
 * The editor's end of the connection. Every request settles: with its checked result, with the worker's coded error, or, when
 * the client is disposed of, with the error given there.
 */
export class ProtocolClient {
  private readonly connection: MessageConnection;
  private readonly options: ClientOptions;
  /** Requests that are not answered yet, by their tokens. */
  private readonly pending = new Map<number, Pending>();
  private readonly stopAnswering: () => void;
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
    this.stopAnswering = answerRequests(this.connection, (method, params, signal) =>
      this.answer(method, params, signal),
    );
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

  /** Who asks is told by the hooks what happens meanwhile. Aborting the signal of a search pauses it: it settles with that outcome. */
  async request<Name extends RequestName>(
    name: Name,
    params: RequestParams<Name>,
    hooks: RequestHooks = {},
  ): Promise<RequestResult<Name>> {
    if (this.ended) throw this.ended;
    const operation = `asking the worker to ${name}`;
    const token = ++this.tokens;
    try {
      const disposed = new Promise<never>((_, reject) => {
        this.pending.set(token, { hooks, reject });
      });
      // Checked here too: what passes can be written, however deep it nests.
      const checked = parseMessage(REQUESTS[name].params, params, operation);
      // A worker of another version must understand the first message.
      const message = name === 'initialize' ? checked : { token, ...checked };
      const answer = await Promise.race([sendRequest(this.connection, name, message, hooks.signal), disposed]);
      return parseMessage(REQUESTS[name].result, answer, `reading the answer to ${name}`) as RequestResult<Name>;
    } catch (error) {
      throw fromResponseError(error, operation);
    } finally {
      this.pending.delete(token);
    }
  }

  /** Ends the connection; whatever is pending, and whatever is asked later, is rejected with `reason`. */
  dispose(reason: EspalierError): void {
    if (this.ended) return;
    this.ended = reason;
    for (const { reject } of [...this.pending.values()]) reject(reason);
    this.stopAnswering();
    this.connection.dispose();
  }

  private receive(method: string, params: unknown): void {
    if (!isEventName(method)) {
      this.options.log(`ignored event ${method}`);
      return;
    }
    try {
      const { token, about } = parseMessage(eventSchema, params, `reading the event ${method}`);
      const checked = parseMessage(EVENTS[method], about, `reading the event ${method}`);
      tell(this.pending.get(token)?.hooks ?? {}, method, checked);
    } catch (error) {
      this.options.log(String(error));
    }
  }

  /** What the worker asks. */
  private async answer(method: string, params: unknown, signal: AbortSignal): Promise<LanguageModelAnswer> {
    const operation = 'asking the editor’s language model';
    if (method !== 'askLanguageModel') throw malformedError(operation, 'a question to the language model', method);
    const { token, ...question } = parseMessage(questionSchema, params, operation);
    const ask = this.pending.get(token)?.hooks.askLanguageModel;
    if (!ask) throw noLanguageModel();
    try {
      return parseMessage(LANGUAGE_MODEL.result, await ask(question, signal), operation);
    } catch (thrown) {
      // A failure that is too long for a message is told as one: somebody waits.
      throw new EspalierError(parseMessage(errorSchema, toErrorData(thrown, operation), operation));
    }
  }
}

const eventSchema = z.strictObject({ token: tokenSchema, about: z.array(z.unknown()) });
const questionSchema = LANGUAGE_MODEL.params.extend({ token: tokenSchema });

function tell<Name extends EventName>(listener: Partial<Listener>, event: Name, about: EventArguments<Name>): void {
  listener[event]?.(...about);
}

function noLanguageModel(): EspalierError {
  return new EspalierError({
    code: 'llm/unreachable',
    operation: 'asking the editor’s language model',
    expected: 'an editor that has one',
    actual: 'none',
    remedy: 'Start the search in an editor with a language model, or choose another provider.',
  });
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
