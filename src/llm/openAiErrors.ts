import type { LlmUsage } from '../search/llm/events.ts';
import { LanguageModelError } from './languageModel.ts';
import type { Again } from './languageModel.ts';
import type * as OpenAi from './openAiPackage.ts';
import { redactMessage } from '../base/redact.ts';

/** What is known about a request that failed. */
export interface Failing {
  readonly endpoint: URL;
  readonly key: string | undefined;
  /** Our own time limit has ended it, after so many seconds. */
  readonly timedOut: boolean;
  readonly seconds: number;
  readonly usage: LlmUsage | undefined;
}

/** What a person is told, and whether trying again can help. Nothing of it comes from the server but a short message without keys. */
export function failureOf(openAi: typeof OpenAi, thrown: unknown, failing: Failing): LanguageModelError {
  const { endpoint, key, usage } = failing;
  if (failing.timedOut || thrown instanceof openAi.APIConnectionTimeoutError) return timeoutError(failing);
  if (thrown instanceof LanguageModelError) {
    const { code, expected, actual, remedy } = thrown.data;
    return new LanguageModelError({
      code: code as 'llm/bad-reply',
      ...{ expected, actual: redactMessage(actual, key), remedy, again: thrown.again, usage },
    });
  }
  const status = thrown instanceof openAi.APIError ? (thrown.status as number | undefined) : undefined;
  const said = redactMessage(messageOf(thrown), key);
  if (status === undefined) {
    const isUntrusted = /certificate/i.test(said);
    return new LanguageModelError({
      code: 'llm/unreachable',
      expected: `an answer from ${endpoint.origin}`,
      actual: said === '' ? 'none' : said,
      remedy: isUntrusted
        ? 'Mend its certificate, or have it trusted: the environment’s NODE_EXTRA_CA_CERTS names the file of its authority.'
        : 'Check that the server runs, and the endpoint; what was found so far is kept.',
      again: isUntrusted ? 'never' : 'soon',
      usage,
    });
  }
  const actual = said === '' ? `status ${status}` : `${status}: ${said.replace(new RegExp(`^${status}:? `), '')}`;
  const headers = thrown instanceof openAi.APIError ? (thrown.headers as Headers | undefined) : undefined;
  if (status === 429) {
    const spent = thrown instanceof openAi.APIError && thrown.code === 'insufficient_quota';
    return new LanguageModelError({
      code: 'llm/rate-limited',
      expected: `an answer from ${endpoint.origin}`,
      actual,
      remedy: spent ? 'The account has no money left: top it up, or choose another endpoint.' : 'Go on later.',
      again: spent ? 'never' : (retryAfter(headers) ?? 'soon'),
      usage,
    });
  }
  if (status === 408 || status === 409 || status >= 500) {
    return new LanguageModelError({
      code: 'llm/unreachable',
      expected: `an answer from ${endpoint.origin}`,
      actual,
      remedy: 'Look at the server, or go on later; what was found so far is kept.',
      again: retryAfter(headers) ?? 'soon',
      usage,
    });
  }
  if (status === 401 && key === undefined) {
    return new LanguageModelError({
      code: 'llm/no-key',
      expected: `a key that ${endpoint.origin} accepts`,
      actual: `none, and the answer ${actual}`,
      remedy:
        'Set the key in the editor, or in the environment as ESPALIER_LLM_KEY, with ESPALIER_LLM_ENDPOINT for what it is for.',
    });
  }
  return new LanguageModelError({
    code: 'llm/refused',
    expected: `a request that ${endpoint.origin} accepts`,
    actual,
    remedy: refusalRemedy(status),
    usage,
  });
}

function refusalRemedy(status: number): string {
  if (status >= 300 && status < 400) return 'The endpoint is elsewhere: set the address that it leads to.';
  if (status === 401 || status === 403) return 'Check the key: it has to be one of this endpoint.';
  if (status === 404) return 'Check the name of the model, and the base URL, which usually ends with /v1.';
  return 'Check endpoint and model, and the settings of the language model that the answer names.';
}

/** What a server said that could not make sense of a request; undefined for whatever else went wrong. */
export function refusalIn(openAi: typeof OpenAi, thrown: unknown): string | undefined {
  if (!(thrown instanceof openAi.APIError)) return undefined;
  const status = thrown.status as number | undefined;
  return status === 400 || status === 422 ? thrown.message : undefined;
}

/** What a server sent that is not what it should be; another try may be better. */
export function shapeError(actual: string): LanguageModelError {
  return new LanguageModelError({
    code: 'llm/bad-reply',
    expected: 'a chat completion as OpenAI’s interface describes it',
    actual,
    remedy: 'Check that the endpoint is the base URL of an OpenAI-compatible server (…/v1).',
    again: 'soon',
  });
}

/** @param finish why a model has ended before it has answered */
export function emptyError(finish: 'length' | 'content_filter'): LanguageModelError {
  const isLength = finish === 'length';
  return new LanguageModelError({
    code: isLength ? 'llm/bad-reply' : 'llm/refused',
    expected: 'an answer',
    actual: isLength ? 'none before the tokens of the reply were used up' : 'none but the provider’s content filter',
    remedy: isLength
      ? 'Allow more with the setting replyTokens, or choose a model that thinks less.'
      : 'Change the prompts.',
  });
}

export function tooLongError(): LanguageModelError {
  return new LanguageModelError({
    code: 'llm/bad-reply',
    expected: 'a reply that ends',
    actual: 'one longer than a million tokens',
    remedy: 'Set a limit with replyTokens, or choose another model.',
  });
}

/** What a server says in the middle of a stream that has gone wrong. */
export function statusOf(error: unknown): string {
  const message = typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : error;
  return `an error in its middle: ${typeof message === 'string' ? message : 'without a message'}`;
}

function timeoutError({ endpoint, seconds, usage }: Failing): LanguageModelError {
  return new LanguageModelError({
    code: 'llm/timeout',
    expected: `the whole reply of ${endpoint.origin} within ${seconds} s, and no long silence in it`,
    actual: 'none so far',
    remedy: 'Allow more time with the setting timeout, or ask for less at a time.',
    again: 'soon',
    usage,
  });
}

/** Why a connection failed stands in the innermost cause: what is around it says “fetch failed”. */
function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  let error = thrown;
  for (let depth = 0; error.cause instanceof Error && depth < 4; depth++) error = error.cause;
  return error.message === '' ? ((error as NodeJS.ErrnoException).code ?? '') : error.message;
}

/** Seconds or a date, as HTTP has it; milliseconds in a header that OpenAI adds. */
function retryAfter(headers: Headers | undefined): Again | undefined {
  const milliseconds = Number(headers?.get('retry-after-ms') ?? NaN);
  if (milliseconds >= 0) return { seconds: milliseconds / 1000 };
  const text = headers?.get('retry-after');
  if (text === undefined || text === null || text === '') return undefined;
  const seconds = Number(text);
  if (seconds >= 0) return { seconds };
  // A date counts from the server's own clock, where it tells that.
  const [until, from] = [Date.parse(text), Date.parse(headers?.get('date') ?? '')];
  return until >= from ? { seconds: (until - from) / 1000 } : undefined;
}
