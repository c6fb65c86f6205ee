import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIPv6 } from 'node:net';
import { cancelledError, toErrorData } from '../base/errors.ts';
import { answerCompletion } from './answerCompletion.ts';
import { apiError, RequestError } from './apiError.ts';
import { completionAnswer, sendJson } from './completionAnswer.ts';
import { passGate } from './gate.ts';
import { readCompletion } from './readCompletion.ts';
import { listen } from './listen.ts';
import type { Listening } from './listen.ts';
import { BodyReader } from './readBody.ts';
import type { Served } from './served.ts';
import { Turns } from './turns.ts';
import { refuseMalformed } from './refuseMalformed.ts';

export interface ServerOptions extends Listening {
  /** What clients must show; without one anybody who gets here may ask. */
  readonly token?: string | undefined;
  /** Whether text prompts get the tokens around them that the tokenizer adds, where a request does not say it. */
  readonly special: boolean;
  /** Requests that are answered or wait at once, at most; more are told to come again. */
  readonly most?: number;
  /** Called when a request was let in or is over. @param open requests that are answered or wait @param answered how many are over */
  readonly onChange?: (open: number, answered: number) => void;
}

export interface RunningServer {
  /** Where clients find it: `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly port: number;
  /** Whether nobody but this machine gets here. */
  readonly isLoopback: boolean;
  /** Ends what is being answered, with an error to who asked, and then the server. */
  close(): Promise<void>;
}

const MOST_REQUESTS = 128;
/** Milliseconds that a client may take for its headers, for its whole request, and for reading an answer that is ready. */
const TIMEOUTS = { headers: 10_000, request: 30_000, reading: 60_000 };
/** Between two requests of a client, which holds its connection that long. */
const KEEP_ALIVE = 65_000;
const MAX_CONNECTIONS = 512;

/**
 * Answers OpenAI's completions protocol by a model.
 *
 * @throws EspalierError `serve/address`
 */
export async function startServer(served: Served, options: ServerOptions): Promise<RunningServer> {
  const turns = new Turns(options.most ?? MOST_REQUESTS);
  const bodies = new BodyReader();
  const open = new Set<{ readonly controller: AbortController; readonly done: Promise<void> }>();
  let answered = 0;
  let closing = false;

  const complete = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (closing) throw cancelledError('answering a request');
    const leave = turns.admit();
    options.onChange?.(turns.requests, answered);
    const controller = new AbortController();
    response.once('close', () => {
      // A client that went away, and will not read what it asked for.
      if (!response.writableFinished) controller.abort();
    });
    const done = (async () => {
      const { signal } = controller;
      const body = await bodies.read(request);
      const asked = await readCompletion(body, served, options.special, signal);
      const answer = completionAnswer(asked, served, response);
      try {
        const usage = await answerCompletion(asked, served, turns, answer.part, signal);
        answer.end(usage);
      } catch (thrown) {
        if (!answer.fail(errorOf(thrown))) throw thrown;
      }
    })().finally(() => {
      leave();
      open.delete(entry);
      options.onChange?.(turns.requests, ++answered);
    });
    const entry = { controller, done };
    open.add(entry);
    await done;
  };

  const server = createServer(
    {
      headersTimeout: TIMEOUTS.headers,
      requestTimeout: TIMEOUTS.request,
      keepAliveTimeout: KEEP_ALIVE,
      connectionsCheckingInterval: 5_000,
      // The gate looks at it, and says what is missing.
      requireHostHeader: false,
    },
    (request, response) => {
      void respond(request, response, options, served, complete);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', refuseMalformed);
  const { address, port } = await listen(server, options);
  return {
    url: `http://${isIPv6(address) ? `[${address}]` : address}:${port}`,
    port,
    isLoopback: isLoopback(address),
    async close() {
      closing = true;
      const closed = new Promise((resolve) => server.close(resolve));
      for (const { controller } of open) controller.abort();
      await Promise.allSettled([...open].map(({ done }) => done));
      server.closeIdleConnections();
      // What was said last is on its way; who does not read it is not waited for.
      await new Promise(setImmediate);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Answers one request, whatever it is: nothing that a client sends, and no failure, gets past here. */
async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
  served: Served,
  complete: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<void> {
  response.on('error', () => undefined);
  request.on('error', () => undefined);
  try {
    passGate(request, options);
    await route(request, response, served, complete);
  } catch (thrown) {
    const { status, body } = errorOf(thrown);
    // The client has gone, or was told amid its stream.
    if (!response.headersSent && !response.destroyed) sendJson(response, status, body, HEADERS[status]);
  } finally {
    if (!response.writableFinished) response.setTimeout(TIMEOUTS.reading, () => response.destroy());
  }
}

const HEADERS: Readonly<Partial<Record<number, Readonly<Record<string, string>>>>> = {
  401: { 'www-authenticate': 'Bearer' },
  // What is left of the body is not waited for.
  413: { connection: 'close' },
  429: { 'retry-after': '1' },
};

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  served: Served,
  complete: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<void> {
  const path = /^(?:http:\/\/[^/]*)?([^?#]*)/.exec(request.url ?? '')?.[1] ?? '';
  if (path === '/v1/completions') {
    requireMethod(request, response, 'POST');
    await complete(request, response);
    return;
  }
  const asked = /^\/v1\/models(?:\/(.*))?$/s.exec(path);
  if (!asked) {
    const shown = `${request.method} ${path.slice(0, 100)}`;
    const remedy = 'Chats and embeddings are not served: ask for completions.';
    throw new RequestError('/v1/completions or /v1/models', shown, remedy, null, 'serve/not-found');
  }
  requireMethod(request, response, 'GET');
  const model = {
    id: served.names[0],
    object: 'model',
    created: 0,
    owned_by: 'espalier',
    max_model_len: served.length,
  };
  if (asked[1] === undefined) sendJson(response, 200, { object: 'list', data: [model] });
  else if (served.names.includes(decoded(asked[1]))) sendJson(response, 200, model);
  else {
    const remedy = '/v1/models lists what is served.';
    throw new RequestError(served.names[0]!, decoded(asked[1]).slice(0, 100), remedy, 'model', 'serve/not-found');
  }
}

function requireMethod({ method }: IncomingMessage, response: ServerResponse, expected: string): void {
  if (method === expected) return;
  response.setHeader('allow', expected);
  throw new RequestError(expected, method ?? 'none', 'Ask with that method.', null, 'serve/method');
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function errorOf(thrown: unknown): ReturnType<typeof apiError> {
  return apiError(toErrorData(thrown, 'answering a request'), thrown instanceof RequestError ? thrown.param : null);
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
