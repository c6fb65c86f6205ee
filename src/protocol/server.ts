import * as z from 'zod';
import { createMessageConnection } from 'vscode-jsonrpc';
import type { Logger, MessageReader, MessageWriter } from 'vscode-jsonrpc';
import { EspalierError } from '../base/errors.ts';
import { malformedError, parseMessage } from './errors.ts';
import { answerRequests, sendRequest } from './exchange.ts';
import { GuardedReader } from './guard.ts';
import { isRequestName, LANGUAGE_MODEL, PROTOCOL_VERSION, REQUESTS, tokenSchema } from './requests.ts';
import type {
  AskLanguageModel,
  EventArguments,
  EventName,
  Listener,
  RequestName,
  RequestParams,
  RequestResult,
} from './requests.ts';
import { Turnstile } from './turnstile.ts';

/** A handler's {@link RequestHooks}: whether anybody listens is not its concern. */
export interface AnswerHooks extends Listener {
  /** Aborted when the client cancels this request or goes away. */
  readonly signal: AbortSignal;
  readonly askLanguageModel: AskLanguageModel;
}

/** One handler a request: leaving one out does not compile. What a handler throws becomes the coded error of the reply. */
export type RequestHandlers = {
  readonly [Name in Exclude<RequestName, 'initialize'>]: (
    params: RequestParams<Name>,
    hooks: AnswerHooks,
  ) => Promise<RequestResult<Name>>;
};

export interface ServeOptions {
  /** Version of the extension, for the log. */
  readonly version: string;
  readonly pid: number;
  /** Connection trouble that has no request to be reported to. */
  readonly log: (message: string) => void;
  /** Milliseconds, from any origin; paces progress. */
  readonly now?: () => number;
}

/** Progress of one request is told at most once in this many milliseconds: a person reads no faster. */
const PROGRESS_INTERVAL = 80;

export interface Served {
  /** Resolves once the client is gone; every request still running has then been aborted. */
  readonly closed: Promise<void>;
}

/**
 * Answers the requests that come in on a connection, each exactly once: a result or a coded error. Never throws. What takes the device is
 * answered one after the other: two evaluations at a time would share it and be no faster; they also would not fit into memory.
 */
export function serve(
  reader: MessageReader,
  writer: MessageWriter,
  handlers: RequestHandlers,
  options: ServeOptions,
): Served {
  const connection = createMessageConnection(new GuardedReader(reader, writer), writer, loggerTo(options.log));
  const device = new Turnstile();
  let initialized = false;
  const abort = answerRequests(connection, answer);
  // The worker takes no notifications but cancellation, which the library handles.
  connection.onNotification((method) => {
    options.log(`ignored notification ${method}`);
  });
  const closed = new Promise<void>((resolve) => {
    const end = (): void => {
      abort();
      resolve();
    };
    connection.onClose(end);
    connection.onDispose(end);
  });
  connection.onError(([error]) => {
    options.log(`connection: ${error.message}`);
  });
  connection.listen();
  return { closed };

  async function answer(method: string, params: unknown, signal: AbortSignal): Promise<unknown> {
    if (!isRequestName(method)) throw unknownRequestError(method);
    const operation = `answering ${method}`;
    const { token, ...rest } = parseMessage(tokenedSchema, params, operation);
    if (method === 'initialize') {
      const { protocol, version } = parseMessage(REQUESTS.initialize.params, rest, operation);
      if (protocol !== PROTOCOL_VERSION) throw versionError(protocol, version);
      initialized = true;
      return { protocol: PROTOCOL_VERSION, version: options.version, pid: options.pid };
    }
    if (!initialized) throw malformedError(operation, 'initialize as the first request', method);
    // The map ties each handler to the schema of its own name; the compiler cannot follow that through a union of names.
    const handler = handlers[method] as (params: unknown, hooks: AnswerHooks) => Promise<unknown>;
    const checked = parseMessage(REQUESTS[method].params, rest, operation);
    const work = (): Promise<unknown> => handler(checked, hooksOf(token, signal));
    return REQUESTS[method].device ? device.pass(work, signal) : work();
  }

  function hooksOf(token: number | undefined, signal: AbortSignal): AnswerHooks {
    const tell =
      <Name extends EventName>(event: Name) =>
      (...about: EventArguments<Name>): void => {
        if (token === undefined) return;
        connection.sendNotification(event, { token, about }).catch(() => {
          // The client is gone: `closed` says so.
        });
      };
    return {
      signal,
      onProgress: paced(options.now ?? (() => performance.now()), tell('onProgress')),
      onResult: tell('onResult'),
      onFailure: tell('onFailure'),
      onGrew: tell('onGrew'),
      onWorkers: tell('onWorkers'),
      onToken: tell('onToken'),
      askLanguageModel: async (question, nobodyWaits) => {
        const answer = await sendRequest(connection, 'askLanguageModel', { token, ...question }, nobodyWaits);
        return parseMessage(LANGUAGE_MODEL.result, answer, 'asking the editor’s language model');
      },
    };
  }
}

/** Passes on what comes at least {@link PROGRESS_INTERVAL} after the last, and what says that all is done. */
function paced(now: () => number, tell: Listener['onProgress']): Listener['onProgress'] {
  let last = -Infinity;
  return (progress) => {
    const time = now();
    if (time - last < PROGRESS_INTERVAL && progress.done < progress.total) return;
    last = time;
    tell(progress);
  };
}

const tokenedSchema = z.looseObject({ token: tokenSchema.optional() });

export function versionError(protocol: number, version: string): EspalierError {
  return new EspalierError({
    code: 'protocol/version',
    operation: 'connecting editor and worker',
    expected: `protocol ${PROTOCOL_VERSION}`,
    actual: `protocol ${protocol} (version ${version})`,
    remedy: 'The extension was updated while it ran: reload the window.',
  });
}

function unknownRequestError(method: string): EspalierError {
  return new EspalierError({
    code: 'protocol/unknown-request',
    operation: `answering ${method.slice(0, 100)}`,
    expected: `one of ${Object.keys(REQUESTS).join(', ')}`,
    actual: method.slice(0, 100),
    remedy: 'Editor and worker are of different versions: reload the window.',
  });
}

export function loggerTo(log: (message: string) => void): Logger {
  return {
    error: log,
    warn: log,
    // Tracing of a healthy connection is of no interest.
    info: () => undefined,
    log: () => undefined,
  };
}
