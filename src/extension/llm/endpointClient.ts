import * as z from 'zod';
import { EspalierError, toErrorData } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errors.ts';
import { checkEndpoint } from '../../experiment/llmEndpoint.ts';

/** An OpenAI-compatible endpoint that is being set up. */
export interface Endpoint {
  /** Base URL; empty for OpenAI's own. */
  readonly url: string;
  readonly key: string | undefined;
}

/** Milliseconds. A model that is loaded first takes its time to answer; a list of names does not. */
const LIST_TIMEOUT = 5000;
const TEST_TIMEOUT = 60_000;
const MAX_BYTES = 1 << 20;

const modelsShape = z.object({ data: z.array(z.object({ id: z.string().min(1) })) });
const replyShape = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish() }) })).min(1),
});

/**
 * Names of the models that an endpoint has.
 *
 * @throws EspalierError `llm/unreachable`, `llm/timeout`, `llm/refused`, `llm/bad-reply`
 */
export async function listModels(endpoint: Endpoint, signal: AbortSignal, timeout = LIST_TIMEOUT): Promise<string[]> {
  const { data } = await ask(endpoint, 'models', undefined, { shape: modelsShape, timeout, signal });
  return [...new Set(data.map(({ id }) => id))].sort();
}

/**
 * Asks for one word, as a search would ask for rates: shows that name, key and model fit.
 *
 * @returns what the model said, shortened
 * @throws EspalierError as {@link listModels}, and `llm/rate-limited`
 */
export async function testModel(
  endpoint: Endpoint,
  model: string,
  signal: AbortSignal,
  timeout = TEST_TIMEOUT,
): Promise<string> {
  const messages = [{ role: 'user', content: 'Answer with the single word OK.' }];
  const options = { shape: replyShape, timeout, signal };
  const { choices } = await ask(endpoint, 'chat/completions', { model, messages }, options);
  return (choices[0]?.message.content ?? '').trim().replace(/\s+/g, ' ').slice(0, 80);
}

interface AskOptions<Shape> {
  readonly shape: Shape;
  readonly timeout: number;
  readonly signal: AbortSignal;
}

async function ask<Shape extends z.ZodType>(
  { url, key }: Endpoint,
  path: string,
  body: object | undefined,
  { shape, timeout, signal }: AskOptions<Shape>,
): Promise<z.infer<Shape>> {
  const base = checkEndpoint(url).href.replace(/\/+$/, '');
  const operation = `asking ${base}/${path}`;
  const limit = AbortSignal.timeout(timeout);
  try {
    const response = await fetch(`${base}/${path}`, {
      method: body ? 'POST' : 'GET',
      headers: {
        accept: 'application/json',
        ...(body && { 'content-type': 'application/json' }),
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
      // Another place might be handed the key.
      redirect: 'error',
      signal: AbortSignal.any([limit, signal]),
    });
    const text = await readText(response);
    if (!response.ok) throw refusal(operation, response.status, withoutKey(text, key));
    const parsed = shape.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw error('llm/bad-reply', operation, 'an answer as OpenAI gives it', 'something else', WRONG_ENDPOINT);
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown;
    if (signal.aborted) throw error('cancelled', operation, 'an answer', 'cancelled', 'Try again.');
    if (limit.aborted)
      throw error('llm/timeout', operation, `an answer within ${timeout / 1000} s`, 'none', WRONG_ENDPOINT);
    throw error(
      'llm/unreachable',
      operation,
      'a server that answers',
      withoutKey(reasonOf(thrown), key),
      WRONG_ENDPOINT,
    );
  }
}

const WRONG_ENDPOINT = 'Check that the server runs, and its base URL, which usually ends with /v1.';

function refusal(operation: string, status: number, text: string): EspalierError {
  const message = messageIn(text);
  const actual = `HTTP ${status}${message === '' ? '' : `, ${message}`}`;
  if (status === 429)
    return error('llm/rate-limited', operation, 'an answer', actual, 'Wait, or check your plan there.');
  const isKey = status === 401 || status === 403;
  const remedy = isKey
    ? 'Check the key: it has to be one of this endpoint.'
    : 'Check the base URL and the model’s name.';
  return error('llm/refused', operation, 'an answer', actual, remedy);
}

function messageIn(text: string): string {
  const parsed = z.object({ error: z.object({ message: z.string() }) }).safeParse(parseJson(text));
  return (parsed.success ? parsed.data.error.message : '').replace(/\s+/g, ' ').slice(0, 200);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a server that answers without end says is not kept. */
async function readText(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  for (let bytes = 0; reader && bytes < MAX_BYTES;) {
    const { done, value } = (await reader.read()) as { done: boolean; value: Uint8Array | undefined };
    if (done || !value) return Buffer.concat(parts).toString('utf8');
    parts.push(value);
    bytes += value.length;
  }
  await reader?.cancel();
  return Buffer.concat(parts).toString('utf8');
}

/** Some servers repeat what they were sent. */
function withoutKey(text: string, key: string | undefined): string {
  return key === undefined || key === '' ? text : text.replaceAll(key, '•••');
}

/** `fetch failed` has its reason in its cause. */
function reasonOf(thrown: unknown): string {
  const { cause } = thrown as { cause?: unknown };
  return toErrorData(cause instanceof Error ? cause : thrown, '').actual;
}

function error(code: ErrorCode, operation: string, expected: string, actual: string, remedy: string): EspalierError {
  return new EspalierError({ code, operation, expected, actual, remedy });
}
