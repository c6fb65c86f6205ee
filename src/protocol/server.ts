import { createMessageConnection } from 'vscode-jsonrpc';
import type { Logger, MessageReader, MessageWriter } from 'vscode-jsonrpc';
import { cancelledError, EspalierError } from '../base/errors.ts';
import { malformedError, parseMessage, toResponseError } from './errors.ts';
import { GuardedReader } from './guard.ts';
import { isRequestName, PROTOCOL_VERSION, REQUESTS } from './requests.ts';
import type { EventName, EventParams, RequestName, RequestParams, RequestResult } from './requests.ts';

/** One handler a request: leaving one out does not compile. What a handler throws becomes the coded error of the reply. */
export type RequestHandlers = {
  readonly [Name in Exclude<RequestName, 'initialize'>]: (
    params: RequestParams<Name>,
    context: RequestContext,
  ) => Promise<RequestResult<Name>>;
};

export interface RequestContext {
  /** Aborted when the client cancels this request or goes away. */
  readonly signal: AbortSignal;
  readonly send: <Name extends EventName>(event: Name, params: EventParams<Name>) => void;
}

export interface ServeOptions {
  /** Version of the extension, for the log. */
  readonly version: string;
  readonly pid: number;
  /** Connection trouble that has no request to be reported to. */
  readonly log: (message: string) => void;
}

export interface Served {
  /** Resolves once the client is gone; every request still running has then been aborted. */
  readonly closed: Promise<void>;
}

/** Answers the requests that come in on a connection, each exactly once: a result or a coded error. Never throws. */
export function serve(
  reader: MessageReader,
  writer: MessageWriter,
  handlers: RequestHandlers,
  options: ServeOptions,
): Served {
  const connection = createMessageConnection(new GuardedReader(reader, writer), writer, loggerTo(options.log));
  const running = new Set<AbortController>();
  let initialized = false;

  connection.onRequest(async (method, params, token) => {
    const controller = new AbortController();
    const cancelled = token.onCancellationRequested(() => {
      controller.abort();
    });
    running.add(controller);
    try {
      // A request cancelled before its turn comes with a token that is cancelled but never says so.
      if (token.isCancellationRequested) throw cancelledError(`answering ${method}`);
      return await answer(method, params, controller.signal);
    } catch (error) {
      return toResponseError(error, `answering ${method}`);
    } finally {
      running.delete(controller);
      cancelled.dispose();
    }
  });
  // The worker takes no notifications but cancellation, which the library handles.
  connection.onNotification((method) => {
    options.log(`ignored notification ${method}`);
  });
  const closed = new Promise<void>((resolve) => {
    const end = (): void => {
      for (const controller of running) controller.abort();
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
    if (method === 'initialize') {
      const { protocol, version } = parseMessage(REQUESTS.initialize.params, params, operation);
      if (protocol !== PROTOCOL_VERSION) throw versionError(protocol, version);
      initialized = true;
      return { protocol: PROTOCOL_VERSION, version: options.version, pid: options.pid };
    }
    if (!initialized) throw malformedError(operation, 'initialize as the first request', method);
    return handle(method, params, signal);
  }

  function handle(method: keyof RequestHandlers, params: unknown, signal: AbortSignal): Promise<unknown> {
    // The map ties each handler to the schema of its own name; the compiler cannot follow that through a union of names.
    const handler = handlers[method] as (params: unknown, context: RequestContext) => Promise<unknown>;
    return handler(parseMessage(REQUESTS[method].params, params, `answering ${method}`), { signal, send });
  }

  function send(event: EventName, params: EventParams<EventName>): void {
    connection.sendNotification(event, params).catch(() => {
      // The client is gone: `closed` says so.
    });
  }
}

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
