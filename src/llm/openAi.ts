import { EspalierError, throwIfCancelled } from '../base/errors.ts';
import { checkEndpoint, isOpenAiEndpoint } from '../experiment/llmEndpoint.ts';
import type { LlmSettings, LlmUsage } from '../experiment/llm.ts';
import { MAX_REPLY } from '../experiment/structureSearchSchemas.ts';
import { failureOf, shapeError, statusOf, tooLongError } from './openAiErrors.ts';
import type { Failing } from './openAiErrors.ts';
import { estimateUsage } from './languageModel.ts';
import type { LanguageModel, Question } from './languageModel.ts';
import type * as OpenAiPackage from './openAiPackage.ts';
import { redactReply } from './redact.ts';
import { Deadline } from './deadline.ts';
import type { Timer } from './retries.ts';

type Package = typeof OpenAiPackage;
type Client = InstanceType<Package['OpenAI']>;

export interface OpenAiOptions {
  readonly settings: LlmSettings;
  /** Sent as bearer token to the endpoint and nowhere else. */
  readonly key: string | undefined;
  readonly timer: Timer;
}

const OPERATION = 'asking the language model';
/** Bytes of a whole response: each token of a stream comes in an envelope of some 300. */
const LONGEST_RESPONSE = 64 << 20;

/**
 * A language model behind an OpenAI-compatible endpoint. One try at a time: {@link withRetries} repeats what may be repeated. Replies are
 * streamed, so that a server that stops talking is noticed long before one that is merely slow is given up; a server that does not
 * stream is understood, too.
 *
 * @throws EspalierError `settings/invalid`, `llm/no-key`
 */
export function openAiModel({ settings, key, timer }: OpenAiOptions): LanguageModel {
  const endpoint = checkEndpoint(settings.endpoint);
  if (settings.llm === '') throw noModelError();
  checkKey(key, settings.endpoint);
  let client: Promise<[Package, Client]> | undefined;
  const connect = async (): Promise<[Package, Client]> => {
    const openAi = await import('./openAiPackage.ts');
    return [openAi, newClient(openAi, endpoint, key)];
  };
  return {
    complete: async (question, signal) => {
      throwIfCancelled(signal, OPERATION);
      const [openAi, connected] = await (client ??= connect());
      const deadline = new Deadline(timer, settings.timeout * 1000, signal);
      const received: Received = { text: '', model: settings.llm, usage: undefined, begun: false, ended: false };
      try {
        await ask(openAi, connected, settings, question, deadline, received);
        if (!received.ended) throw shapeError('a reply that breaks off');
        const usage = received.usage ?? estimateUsage(question.prompt, received.text);
        return { text: redactReply(received.text, key), usage, model: redactReply(received.model, key).slice(0, 200) };
      } catch (error) {
        throwIfCancelled(signal, OPERATION);
        const failing: Failing = {
          ...{ endpoint, key, timedOut: deadline.passed, seconds: settings.timeout },
          // What a server had begun to answer, or did not answer in time, it may charge for.
          usage: received.begun || deadline.passed ? estimateUsage(question.prompt, received.text) : undefined,
        };
        throw failureOf(openAi, error, failing);
      } finally {
        deadline.clear();
      }
    },
  };
}

/** What has come of a reply. */
interface Received {
  text: string;
  model: string;
  usage: LlmUsage | undefined;
  /** The server has agreed to answer. */
  begun: boolean;
  /** The reply is whole, or as long as it may be. */
  ended: boolean;
}

function newClient({ OpenAI }: Package, endpoint: URL, key: string | undefined): Client {
  return new OpenAI({
    baseURL: endpoint.href.replace(/\/+$/, ''),
    // Nothing of it comes from the environment: what is asked, and whom, stands in the settings.
    ...{ apiKey: key ?? 'none', adminAPIKey: null, organization: null, project: null, webhookSecret: null },
    ...(key === undefined && { defaultHeaders: { Authorization: null } }),
    maxRetries: 0,
    // It would tell headers and replies.
    logLevel: 'off',
    fetch: boundedFetch,
  });
}

async function ask(
  { Stream }: Package,
  client: Client,
  settings: LlmSettings,
  { prompt, idempotencyKey }: Question,
  deadline: Deadline,
  received: Received,
): Promise<void> {
  const response = await client.chat.completions
    .create(
      {
        model: settings.llm,
        messages: [{ role: 'user', content: prompt }],
        stream: true,
        stream_options: { include_usage: true },
        ...limitsOf(settings),
      },
      {
        signal: deadline.signal,
        timeout: settings.timeout * 1000 + 1000,
        headers: { 'Idempotency-Key': idempotencyKey },
      },
    )
    .asResponse();
  received.begun = true;
  const type = response.headers.get('content-type') ?? '';
  if (type.includes('application/json')) {
    take(parsed(await response.text()), received);
    return;
  }
  deadline.heard();
  const watched = new Response(response.body && watchedBody(response.body, deadline), { headers: response.headers });
  for await (const chunk of Stream.fromSSEResponse<unknown>(watched, new AbortController(), client)) {
    take(chunk, received);
  }
  // The library ends quietly when it is aborted.
  if (deadline.signal.aborted) throw new Error('aborted');
}

/** OpenAI’s newer models know only the one name, other servers often only the other; and its default temperature is all they take. */
function limitsOf({ endpoint, replyTokens, temperature }: LlmSettings): object {
  if (!isOpenAiEndpoint(endpoint)) return { max_tokens: replyTokens, temperature };
  return { max_completion_tokens: replyTokens, ...(temperature !== 1 && { temperature }) };
}

/** Takes a part of a stream, or a reply that came as a whole. Nothing is believed about its shape. */
function take(chunk: unknown, received: Received): void {
  if (!isObject(chunk)) throw shapeError('parts that are no objects');
  if (chunk['error'] !== undefined && chunk['error'] !== null) throw shapeError(statusOf(chunk['error']));
  if (typeof chunk['model'] === 'string' && chunk['model'] !== '') received.model = chunk['model'];
  received.usage = usageIn(chunk['usage']) ?? received.usage;
  const choices: readonly unknown[] = Array.isArray(chunk['choices']) ? chunk['choices'] : [];
  const [choice] = choices;
  if (!isObject(choice)) return;
  const part = isObject(choice['delta']) ? choice['delta'] : choice['message'];
  if (isObject(part) && typeof part['content'] === 'string') received.text += part['content'];
  if (received.text.length > MAX_REPLY) throw tooLongError();
  if (typeof choice['finish_reason'] === 'string') received.ended = true;
}

function usageIn(usage: unknown): LlmUsage | undefined {
  if (!isObject(usage)) return undefined;
  const [promptTokens, replyTokens] = [usage['prompt_tokens'], usage['completion_tokens']];
  return isCount(promptTokens) && isCount(replyTokens) ? { promptTokens, replyTokens } : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw shapeError('a reply that is no JSON');
  }
}

/** Every byte puts off the moment at which a silent server is given up. */
function watchedBody(body: ReadableStream<Uint8Array>, deadline: Deadline): ReadableStream<Uint8Array> {
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (bytes, controller) => {
        deadline.heard();
        controller.enqueue(bytes);
      },
    }),
  );
}

/** Follows no redirection, which could lead key and prompt elsewhere, and reads no more than a reply can be. */
async function boundedFetch(url: string | URL | Request, init?: RequestInit): Promise<Response> {
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
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}

function checkKey(key: string | undefined, endpoint: string): void {
  const isMissing = key === undefined && isOpenAiEndpoint(endpoint);
  if (!isMissing && (key === undefined || /^[\x21-\x7e]+$/.test(key))) return;
  throw new EspalierError({
    code: 'llm/no-key',
    operation: 'setting up the language model',
    expected: isMissing ? 'a key: OpenAI answers nobody without one' : 'a key of printable characters without blanks',
    actual: isMissing ? 'none' : 'other characters in it',
    remedy: 'Set the key in the editor (“Espalier: Set Up Language Model”), or in the environment as ESPALIER_LLM_KEY.',
  });
}

function noModelError(): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'setting up the language model',
    expected: 'the name of the model, as the endpoint calls it',
    actual: 'none',
    remedy: 'Name one with the setting llm.',
  });
}
