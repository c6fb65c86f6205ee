import type { LlmUsage } from '../experiment/llm.ts';
import { LanguageModelError } from './languageModel.ts';
import type { Again } from './languageModel.ts';
import type * as OpenAiPackage from './openAiPackage.ts';
import { redactMessage } from './redact.ts';

type Package = typeof OpenAiPackage;

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
export function failureOf(openAi: Package, thrown: unknown, failing: Failing): LanguageModelError {
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
    // What came was no stream of JSON, or the connection broke.
    if (thrown instanceof SyntaxError) return shaped(`parts that are no JSON: ${said}`, usage);
    return new LanguageModelError({
      code: 'llm/unreachable',
      expected: `an answer from ${endpoint.origin}`,
      actual: said === '' ? 'none' : said,
      remedy: 'Check that the server runs, and the endpoint; what was found so far is kept.',
      again: 'soon',
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
      remedy: 'Set the key in the editor, or in the environment as ESPALIER_LLM_KEY.',
    });
  }
  return new LanguageModelError({
    code: 'llm/refused',
    expected: `a request that ${endpoint.origin} accepts`,
    actual,
    remedy:
      status >= 300 && status < 400
        ? 'The endpoint is elsewhere: set the address that it leads to.'
        : 'Check endpoint, model name and key.',
    usage,
  });
}

/** What a server sent that is not what it should be; another try may be better. */
export function shapeError(actual: string): LanguageModelError {
  return shaped(actual, undefined);
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

function shaped(actual: string, usage: LlmUsage | undefined): LanguageModelError {
  return new LanguageModelError({
    code: 'llm/bad-reply',
    expected: 'a chat completion as OpenAI’s interface describes it',
    actual,
    remedy: 'Check that the endpoint is the base URL of an OpenAI-compatible server (…/v1).',
    again: 'soon',
    usage,
  });
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
