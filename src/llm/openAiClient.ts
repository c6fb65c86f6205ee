import { EspalierError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { tooLongError } from './openAiErrors.ts';
import { redactReply } from '../base/redact.ts';
import type * as Package from './openAiPackage.ts';

export type OpenAiPackage = typeof Package;
export type OpenAiClient = InstanceType<OpenAiPackage['OpenAI']>;

/** Bytes of a whole response: each token of a stream comes in an envelope of some 300. */
const LONGEST_RESPONSE = 64 << 20;
/** Characters of what a server says about a refusal. */
const LONGEST_ERROR = 1 << 20;
/** Characters of a page in place of an answer that are looked at: its markup may be made to take long. */
const LONGEST_PAGE = 8 << 10;

/** What is sent of the headers that the library makes: it would also tell system and processor, and what the environment adds to them. */
const SENT_HEADERS = ['accept', 'content-type', 'idempotency-key'];

/**
 * A client of one endpoint, which tries once, follows nowhere, and logs nothing.
 *
 * @param key sent as bearer token to the endpoint and nowhere else; the library itself does not get to know it, and whatever address it
 * asks in the end, one of another origin is not asked
 */
export function newOpenAiClient({ OpenAI }: OpenAiPackage, endpoint: URL, key: string | undefined): OpenAiClient {
  return new OpenAI({
    baseURL: endpoint.href.replace(/\/+$/, ''),
    // Nothing of it comes from the environment: what is asked, and whom, stands in the settings.
    ...{ apiKey: 'none', adminAPIKey: null, organization: null, project: null, webhookSecret: null },
    maxRetries: 0,
    // It would tell headers and replies.
    logLevel: 'off',
    fetch: (url, init) => {
      checkOrigin(url, endpoint);
      return boundedFetch(url, { ...init, headers: headersOf(new Headers(init?.headers), key) }, key);
    },
  });
}

function checkOrigin(url: string | URL | Request, { origin }: URL): void {
  const asked = new URL(typeof url === 'string' || url instanceof URL ? url : url.url).origin;
  if (asked === origin) return;
  throw new EspalierError({
    code: 'engine/invariant',
    operation: 'asking the language model',
    expected: `a request to ${origin}`,
    actual: `one to ${asked}`,
    remedy: 'This is a defect of Espalier: please report it. Nothing was sent.',
  });
}

function headersOf(made: Headers, key: string | undefined): Headers {
  const sent = new Headers({ 'user-agent': `espalier/${VERSION}` });
  for (const name of SENT_HEADERS) {
    const value = made.get(name);
    if (value !== null) sent.set(name, value);
  }
  if (key !== undefined) sent.set('authorization', `Bearer ${key}`);
  return sent;
}

/** Follows no redirection, which could lead key and prompt elsewhere, and reads no more than a reply can be. */
async function boundedFetch(
  url: string | URL | Request,
  init: RequestInit,
  key: string | undefined,
): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'manual' });
  if (!response.body) return response;
  let length = 0;
  const body = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (bytes, controller) => {
        length += bytes.length;
        if (length > LONGEST_RESPONSE) controller.error(tooLongError());
        else controller.enqueue(bytes);
      },
    }),
  );
  const { ok, status, statusText, headers } = response;
  const about = { status, statusText, headers };
  if (ok) return new Response(body, about);
  const said = await new Response(body).text().catch(() => '');
  // Before anything is cut off: a key that is cut in two is not found.
  return new Response(asError(redactReply(said.slice(0, LONGEST_ERROR), key)), about);
}

/** What a server says about a refusal, in the one form that the library reads: servers word it in many. */
function asError(said: string): string {
  let value: unknown;
  try {
    value = JSON.parse(said);
  } catch {
    // A page of a gateway, mostly: the words at its beginning.
    return said.slice(0, LONGEST_PAGE).replace(/<(script|style)\b[\s\S]*?<\/\1>|<[^>]*>/gi, ' ');
  }
  const { error, message, detail } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof error === 'object' && error !== null) return said;
  const words = [error, message, detail].find((each) => typeof each === 'string') ?? said;
  return JSON.stringify({ error: { message: words } });
}
