import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancelledError, EspalierError } from '../base/errors.ts';
import { redactMessage } from '../base/redact.ts';
import { VERSION } from '../base/version.ts';
import { printReference } from '../experiment/hubReference.ts';
import type { HubEnvironment } from './hubEnvironment.ts';
import { endpointText } from './hubEnvironment.ts';
import { badReplyError, hubError, notFoundError, refusedError } from './hubErrors.ts';
import type { Asked } from './hubErrors.ts';

/** Who asks the hub, for what. */
export interface HubClient extends Asked {
  readonly environment: HubEnvironment;
  /** Sent to the endpoint's own host and to no other. */
  readonly token: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Seconds before the second try; doubles from try to try. */
  readonly firstPause?: number;
}

/** What came back, before its bytes. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** The hash that the hub gave the file on the way to it. */
  readonly linkedEtag?: string;
  /** Rejects with a {@link Transient} where the connection breaks or falls silent. Whoever stops early ends the connection. */
  bytes(): AsyncGenerator<Uint8Array>;
  /** Ends the connection. */
  close(): void;
}

/** What may go better on another try. */
export class Transient extends Error {
  readonly error: EspalierError;
  /** What the server wants to be left alone for. */
  readonly seconds: number | undefined;

  constructor(error: EspalierError, seconds?: number) {
    super(error.message);
    this.error = error;
    this.seconds = seconds;
  }
}

/** Some eight seconds in all: longer than a router takes, and short enough for a person who waits. */
const TRIES = 5;
const FIRST_PAUSE = 0.5;
const LONGEST_PAUSE = 10;
/** Seconds that a server may ask for; who wants more is not waited for. */
const LONGEST_WAIT = 120;
const MOST_REDIRECTIONS = 8;
/** Bytes of a reply that is no file: a listing has a thousand entries. */
const LONGEST_REPLY = 32 << 20;
const LONGEST_REFUSAL = 64 << 10;

/** Asks again what failed on the way. @param hasGone whether the last try got further: then the counting begins anew */
export async function withTries<Value>(
  client: HubClient,
  work: () => Promise<Value>,
  hasGone: () => boolean = () => false,
): Promise<Value> {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (thrown) {
      if (client.signal?.aborted) throw cancelled(client);
      if (!(thrown instanceof Transient)) throw thrown;
      if (hasGone()) tried = 1;
      const own = Math.min(LONGEST_PAUSE, (client.firstPause ?? FIRST_PAUSE) * 2 ** (tried - 1));
      const seconds = Math.max(own, thrown.seconds ?? 0);
      if (tried >= TRIES || seconds > LONGEST_WAIT) throw thrown.error;
      await pause(client, seconds);
    }
  }
}

/** A little longer than was said, by chance: not all who were sent away come back at once. */
async function pause(client: HubClient, seconds: number): Promise<void> {
  const milliseconds = seconds * (1000 + randomInt(100));
  await sleep(milliseconds, undefined, client.signal ? { signal: client.signal } : {}).catch(() => {
    throw cancelled(client);
  });
}

export function cancelled({ reference }: Asked): EspalierError {
  return cancelledError(`fetching ${printReference(reference)}`);
}

/**
 * `fetch` for the library that knows the addresses of the hub: it gets replies of the endpoint alone, whole, of bounded length, and none
 * that is a refusal.
 */
export function endpointFetch(client: HubClient): typeof fetch {
  return (input) =>
    withTries(client, async () => {
      const url = input instanceof Request ? input.url : String(input);
      const reply = await ask(client, url, { accept: 'application/json' }, 'stay');
      const bytes = await wholeBody(client, reply, LONGEST_REPLY);
      return new Response(bytes, { status: reply.status, headers: plainHeaders(reply.headers) });
    });
}

/** What of a reply still holds of its bytes once they have been read. */
function plainHeaders(headers: Headers): Headers {
  const kept = new Headers();
  for (const name of ['content-type', 'link']) {
    const value = headers.get(name);
    if (value !== null) kept.set(name, value);
  }
  return kept;
}

export async function wholeBody(client: Asked, reply: Reply, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of reply.bytes()) {
      length += part.length;
      if (length > most) throw badReplyError(client, `at most ${most} bytes`, 'a longer reply');
      parts.push(part);
    }
  } finally {
    reply.close();
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Asks once. Redirections are followed here, so that the token stays with the endpoint: large files lie with another host.
 *
 * @param where `stay` for answers of the endpoint itself, `follow` for files
 * @returns a reply with 2xx or 416 (no such range)
 * @throws Transient; EspalierError `hub/gated`, `hub/not-found`, `hub/bad-reply`, `cancelled`
 */
export async function ask(
  client: HubClient,
  address: string,
  headers: Readonly<Record<string, string>>,
  where: 'stay' | 'follow',
): Promise<Reply> {
  let url = new URL(address);
  // The library follows the pages of a listing wherever a header says that they go on.
  if (where === 'stay') checkOwn(client, url, 'an address');
  let linkedEtag: string | null = null;
  for (let followed = 0; followed <= MOST_REDIRECTIONS; followed++) {
    const reply = await send(client, url, headers);
    const { status } = reply;
    const location = reply.headers.get('location');
    if (url.origin === client.endpoint.origin) linkedEtag ??= reply.headers.get('x-linked-etag');
    if (status < 300 || status === 416) return { ...reply, ...(linkedEtag !== null && { linkedEtag }) };
    if (status >= 400 || location === null) throw await refusal(client, url, reply);
    reply.close();
    url = nextOf(client, url, location, where);
  }
  throw badReplyError(client, 'an answer', `more than ${MOST_REDIRECTIONS} redirections`);
}

function nextOf(client: HubClient, from: URL, location: string, where: 'stay' | 'follow'): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  const isWeb = to !== undefined && /^https?:$/.test(to.protocol) && to.username === '';
  // Nothing that began encrypted goes on in the open.
  if (!isWeb || (from.protocol === 'https:' && to.protocol !== 'https:')) {
    throw badReplyError(client, 'a redirection to an address that is as safe', 'another one');
  }
  if (where === 'stay') checkOwn(client, to, 'a redirection');
  return to;
}

function checkOwn(client: HubClient, { origin, host }: URL, what: string): void {
  if (origin === client.endpoint.origin) return;
  throw badReplyError(client, `an answer of ${endpointText(client.endpoint)} itself`, `${what} at ${host}`);
}

async function send(client: HubClient, url: URL, headers: Readonly<Record<string, string>>): Promise<Reply> {
  const { token, endpoint, environment, signal } = client;
  const isOwn = url.origin === endpoint.origin;
  if (environment.isOffline) throw invariant(client, 'offline');
  const connection = new AbortController();
  const silence = new Silence(environment.patience, connection);
  const all = signal ? AbortSignal.any([signal, connection.signal]) : connection.signal;
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal: all,
      headers: {
        'user-agent': `espalier/${VERSION}`,
        // Lengths and ranges are those of the file.
        'accept-encoding': 'identity',
        ...headers,
        ...(token !== undefined && isOwn && { authorization: `Bearer ${token}` }),
      },
    });
    silence.heard();
    return {
      status: response.status,
      headers: response.headers,
      bytes: () => bytesOf(client, url, response, silence),
      close: () => {
        silence.end();
        connection.abort();
      },
    };
  } catch (thrown) {
    silence.end();
    throw broken(client, url, thrown, silence);
  }
}

async function* bytesOf(client: HubClient, url: URL, { body }: Response, silence: Silence): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      silence.heard();
      if (done) return;
      // However long whoever gets it takes, that is not the server's silence.
      silence.end();
      yield value;
      silence.heard();
    }
  } catch (thrown) {
    throw thrown instanceof EspalierError ? thrown : broken(client, url, thrown, silence);
  } finally {
    silence.end();
    await reader.cancel().catch(() => undefined);
  }
}

/** Ends a connection on which nothing is heard for too long. */
class Silence {
  private timer: NodeJS.Timeout | undefined;
  private readonly patience: number;
  private readonly connection: AbortController;
  isOver = false;

  constructor(patience: number, connection: AbortController) {
    this.patience = patience;
    this.connection = connection;
    this.heard();
  }

  heard(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.isOver = true;
      this.connection.abort();
    }, this.patience);
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

function broken(client: HubClient, url: URL, thrown: unknown, silence: Silence): Error {
  if (client.signal?.aborted) return cancelled(client);
  const cause: unknown = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const why = silence.isOver ? `nothing for ${client.environment.patience / 1000} seconds` : wordsOf(cause);
  return new Transient(
    hubError(client, {
      code: 'hub/unreachable',
      expected: `an answer of ${url.host}`,
      actual: redactMessage(why, client.token),
      remedy:
        'Check the connection and HF_ENDPOINT; what has been fetched is kept, and the next try goes on from there. Without a connection set HF_HUB_OFFLINE=1.',
    }),
  );
}

/** Of a refused connection to several addresses the message is empty, and the code is not. */
function wordsOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.message === '' ? ((cause as NodeJS.ErrnoException).code ?? cause.name) : cause.message;
}

/** What a status means, and whether to try again. */
async function refusal(client: HubClient, url: URL, reply: Reply): Promise<Error> {
  const { status, headers } = reply;
  const said = headers.get('x-error-message') ?? (await messageOf(client, reply));
  reply.close();
  if (client.signal?.aborted) return cancelled(client);
  const isOwn = url.origin === client.endpoint.origin;
  const words = redactMessage(said, client.token);
  if ((status === 401 || status === 403) && isOwn) {
    return refusedError(client, status, words, client.token !== undefined);
  }
  if (status === 404 && isOwn) return notFoundError(client, MISSING[headers.get('x-error-code') ?? ''] ?? 'it');
  const actual = `${status}${words === '' ? '' : `: ${words}`}`;
  if (status === 429) {
    const seconds = secondsUntil(headers.get('retry-after'));
    const wait = seconds === undefined ? 'Wait a while' : `Wait ${Math.ceil(seconds)} seconds`;
    const remedy = `${wait} and try again; with a token (HF_TOKEN) the hub allows more.`;
    return new Transient(
      hubError(client, { code: 'hub/rate-limited', expected: `an answer of ${url.host}`, actual, remedy }),
      seconds,
    );
  }
  // An address of a file is signed for a while: another one is got by asking again.
  if (status === 408 || status >= 500 || !isOwn) {
    const remedy = 'Try again later; what has been fetched is kept.';
    return new Transient(
      hubError(client, { code: 'hub/unreachable', expected: `an answer of ${url.host}`, actual, remedy }),
      secondsUntil(headers.get('retry-after')),
    );
  }
  return badReplyError(client, `an answer of ${url.host}`, actual);
}

const MISSING: Readonly<Record<string, string>> = {
  RevisionNotFound: 'that revision',
  EntryNotFound: 'that file',
  RepoNotFound: 'it',
};

/** @param header seconds, or a date */
function secondsUntil(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000);
}

async function messageOf(client: Asked, reply: Reply): Promise<string> {
  const text = await wholeBody(client, reply, LONGEST_REFUSAL).then(
    (bytes) => new TextDecoder().decode(bytes),
    () => '',
  );
  try {
    const { error, message } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return [error, message].find((each) => typeof each === 'string') ?? '';
  } catch {
    // A page of a gateway: its status says more.
    return '';
  }
}

function invariant(client: Asked, actual: string): EspalierError {
  return hubError(client, {
    code: 'engine/invariant',
    expected: 'no request while nothing may be fetched',
    actual,
    remedy: 'This is a defect of Espalier: please report it. Nothing was sent.',
  });
}
