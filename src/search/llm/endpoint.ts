import { EspalierError } from '../../base/errors.ts';

/** Where requests go when no endpoint is named. */
export const OPENAI_ENDPOINT = 'https://api.openai.com/v1';

/**
 * The base URL of an OpenAI-compatible endpoint, as requests are sent to it.
 *
 * However it was spelled, it comes out the same: letters small, no port that goes without saying, no dot behind the host's name, and the
 * letters of other alphabets as the name service has them (`xn--…`), so that none passes for another.
 *
 * @param endpoint as a person has set it; empty for OpenAI's own
 * @throws EspalierError `settings/invalid` for what is no such URL, and for one that holds a user, a password or a query: settings are
 * written down in plain text, and no secret may stand among them
 */
export function checkEndpoint(endpoint: string): URL {
  let url: URL;
  try {
    url = new URL(endpoint === '' ? OPENAI_ENDPOINT : endpoint);
  } catch {
    // Not repeated: whatever it is, it may hold a key.
    throw endpointError('text that is no URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw endpointError(`one that starts with ${url.protocol}`);
  if (url.username !== '' || url.password !== '') throw endpointError('one with a user or a password in it');
  if (url.search !== '' || url.hash !== '') throw endpointError('one with a query or a fragment behind it');
  const host = url.hostname.replace(/\.+$/, '');
  if (host === '') throw endpointError('one without a host');
  url.hostname = host;
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

/** The endpoint as one name for all its spellings; empty for OpenAI's own is spelled out. @throws EspalierError as {@link checkEndpoint} */
export function endpointName(endpoint: string): string {
  return checkEndpoint(endpoint).href.replace(/\/+$/, '');
}

/** Scheme, host and port: whoever answers there gets a key that is sent there. @throws EspalierError as {@link checkEndpoint} */
export function originOf(endpoint: string): string {
  return checkEndpoint(endpoint).origin;
}

/**
 * What the person who starts a search has agreed to: that this endpoint is asked, and with what key. It travels to the process that asks,
 * which reads by itself what the run says: where that is another endpoint by now, nothing is sent.
 */
export interface LlmGrant {
  /** As {@link endpointName} has it. */
  readonly endpoint: string;
  /** Sent there, as bearer token, and nowhere else; servers of one's own often need none. */
  readonly key?: string;
}

/** Whether requests go to OpenAI itself, encrypted, whose key has an environment variable of its own. */
export function isOpenAiEndpoint(endpoint: string): boolean {
  return originOf(endpoint) === originOf(OPENAI_ENDPOINT);
}

function endpointError(actual: string): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'setting up a language model',
    expected: 'an endpoint such as http://localhost:11434/v1, without user, password or query',
    actual,
    remedy: 'Give the base URL alone, and the key apart from it.',
  });
}
