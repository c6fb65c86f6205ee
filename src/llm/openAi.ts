import { EspalierError, throwIfCancelled } from '../base/errors.ts';
import { checkEndpoint, endpointName, isOpenAiEndpoint } from '../search/llm/endpoint.ts';
import type { LlmGrant } from '../search/llm/endpoint.ts';
import type { LlmSettings } from '../search/llm/settings.ts';
import { MAX_REPLY } from '../search/llm/schema.ts';
import { Deadline } from './deadline.ts';
import { newOpenAiClient } from './openAiClient.ts';
import type { OpenAiClient, OpenAiPackage } from './openAiClient.ts';
import { emptyError, failureOf, refusalIn, shapeError, statusOf, tooLongError } from './openAiErrors.ts';
import type { Failing } from './openAiErrors.ts';
import { estimateUsage } from './languageModel.ts';
import type { LanguageModel, Question } from './languageModel.ts';
import { redactReply } from '../base/redact.ts';
import { RequestDialect } from './requestDialect.ts';
import type { Timer } from './retries.ts';
import { eventData } from './serverSentEvents.ts';
import type { LlmUsage } from '../search/llm/events.ts';

export interface OpenAiOptions {
  readonly settings: LlmSettings;
  /** Which endpoint may be asked, and with what key; undefined where nobody has agreed to any. */
  readonly grant: LlmGrant | undefined;
  readonly timer: Timer;
}

const OPERATION = 'asking the language model';

/**
 * A language model behind an OpenAI-compatible endpoint. One try at a time: {@link withRetries} repeats what may be repeated. Replies are
 * streamed, so that a server that stops talking is noticed long before one that is merely slow is given up; a server that does not
 * stream is understood, too.
 *
 * @throws EspalierError `settings/invalid`, `llm/no-key`, `llm/not-agreed` where the settings name another endpoint than was agreed to
 */
export function openAiModel({ settings, grant, timer }: OpenAiOptions): LanguageModel {
  const endpoint = checkEndpoint(settings.endpoint);
  if (settings.llm === '') throw noModelError();
  const { key } = checkGrant(grant, settings);
  checkKey(key, settings.endpoint);
  const dialect = new RequestDialect(settings);
  let client: Promise<[OpenAiPackage, OpenAiClient]> | undefined;
  const connect = async (): Promise<[OpenAiPackage, OpenAiClient]> => {
    const openAi = await import('./openAiPackage.ts');
    return [openAi, newOpenAiClient(openAi, endpoint, key)];
  };
  return {
    complete: async (question, signal) => {
      throwIfCancelled(signal, OPERATION);
      const [openAi, connected] = await (client ??= connect());
      const deadline = new Deadline(timer, settings.timeout * 1000, signal);
      const received: Received = {
        text: '',
        unshown: '',
        model: settings.llm,
        usage: undefined,
        begun: false,
        finish: '',
      };
      try {
        const response = await send(openAi, connected, settings, dialect, question, deadline);
        received.begun = true;
        await read(response, received, deadline);
        const { text, model, finish } = received;
        if (text.trim() === '' && (finish === 'length' || finish === 'content_filter')) throw emptyError(finish);
        return {
          text: redactReply(text, key),
          usage: usageOf(question, received),
          model: redactReply(model, key).slice(0, 200),
        };
      } catch (error) {
        throwIfCancelled(signal, OPERATION);
        const failing: Failing = {
          ...{ endpoint, key, timedOut: deadline.passed, seconds: settings.timeout },
          // What a server had begun to answer, or did not answer in time, it may charge for.
          usage: received.begun || deadline.passed ? usageOf(question, received) : undefined,
        };
        throw failureOf(openAi, error, failing);
      } finally {
        deadline.end();
      }
    },
  };
}

/** What has come of a reply. */
interface Received {
  text: string;
  /** What a model thinks before it answers, where that comes apart from the answer: it is paid for, and no part of it. */
  unshown: string;
  model: string;
  /** What the server says that it was. */
  usage: LlmUsage | undefined;
  /** The server has agreed to answer. */
  begun: boolean;
  /** Why it has ended, where the server has said so. */
  finish: string;
}

/** Asks, and once more in other words where the server does not know an option. */
async function send(
  openAi: OpenAiPackage,
  client: OpenAiClient,
  settings: LlmSettings,
  dialect: RequestDialect,
  { prompt, idempotencyKey }: Question,
  { signal }: Deadline,
): Promise<Response> {
  for (;;) {
    try {
      return await client.chat.completions
        .create(
          { model: settings.llm, messages: [{ role: 'user', content: prompt }], stream: true, ...dialect.options },
          {
            signal,
            timeout: settings.timeout * 1000 + 1000,
            headers: { 'Idempotency-Key': idempotencyKey },
          },
        )
        .asResponse();
    } catch (error) {
      const said = refusalIn(openAi, error);
      if (said === undefined || !dialect.learn(said)) throw error;
    }
  }
}

async function read(response: Response, received: Received, deadline: Deadline): Promise<void> {
  const type = response.headers.get('content-type') ?? '';
  if (type.includes('text/html')) throw shapeError('a web page');
  if (type.includes('application/json')) {
    if (take(parsed(await response.text()), received) === 'nothing') throw shapeError('a reply without a choice');
    return;
  }
  let isBegun = false;
  let isWhole = false;
  // Every byte puts off the moment at which a silent server is given up; what comes before the answer may take its time.
  const heard = (): void => {
    if (received.text !== '') deadline.heard();
  };
  for await (const data of eventData(watched(response, heard))) {
    if (data === '[DONE]') {
      // Some servers do not say before that it ends.
      isWhole ||= isBegun;
      break;
    }
    const taken = take(parsed(data), received);
    isBegun ||= taken !== 'nothing';
    isWhole ||= taken === 'end';
    heard();
  }
  if (!isWhole) throw shapeError(isBegun ? 'a reply that breaks off' : 'a stream without a choice');
}

type Taken = 'nothing' | 'part' | 'end';

/** Takes a part of a stream, or a reply that came as a whole. Nothing is believed about its shape. */
function take(chunk: unknown, received: Received): Taken {
  if (!isObject(chunk)) throw shapeError('parts that are no objects');
  if (chunk['error'] !== undefined && chunk['error'] !== null) throw shapeError(statusOf(chunk['error']));
  if (typeof chunk['model'] === 'string' && chunk['model'] !== '') received.model = chunk['model'];
  received.usage = usageIn(chunk['usage']) ?? received.usage;
  const choices: readonly unknown[] = Array.isArray(chunk['choices']) ? chunk['choices'] : [];
  const [choice] = choices;
  if (!isObject(choice)) return 'nothing';
  const part = isObject(choice['delta']) ? choice['delta'] : choice['message'];
  if (isObject(part)) {
    // A refusal in a field of its own is what the model says, too.
    received.text += textIn(part, 'content') || textIn(part, 'refusal');
    received.unshown += textIn(part, 'reasoning_content') || textIn(part, 'reasoning');
  }
  if (received.text.length > MAX_REPLY) throw tooLongError();
  const finish = textIn(choice, 'finish_reason');
  if (finish === '') return 'part';
  received.finish = finish;
  return 'end';
}

function textIn(part: Readonly<Record<string, unknown>>, name: string): string {
  const text = part[name];
  return typeof text === 'string' ? text : '';
}

function usageIn(usage: unknown): LlmUsage | undefined {
  if (!isObject(usage)) return undefined;
  const [promptTokens, replyTokens] = [usage['prompt_tokens'], usage['completion_tokens']];
  return isCount(promptTokens) && isCount(replyTokens) ? { promptTokens, replyTokens } : undefined;
}

/** Most tokens that a server is believed to have counted. */
const MOST_TOKENS = 1e9;

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MOST_TOKENS;
}

/** What the server has counted, or roughly what it was where it has counted nothing, or nothing for something. */
function usageOf({ prompt }: Question, { usage, text, unshown }: Received): LlmUsage {
  const isTold = usage !== undefined && usage.promptTokens > 0 && (usage.replyTokens > 0 || text === '');
  return isTold ? usage : estimateUsage(prompt, unshown + text);
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

function watched({ body }: Response, heard: () => void): ReadableStream<Uint8Array> {
  if (!body) throw shapeError('a reply without a body');
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (bytes, controller) => {
        heard();
        controller.enqueue(bytes);
      },
    }),
  );
}

/** Settings and what was agreed to come by different ways: a file that was changed in between leads no key, and no prompt, elsewhere. */
function checkGrant(grant: LlmGrant | undefined, { endpoint }: LlmSettings): LlmGrant {
  const asked = endpointName(endpoint);
  if (grant && endpointName(grant.endpoint) === asked) return grant;
  throw new EspalierError({
    code: 'llm/not-agreed',
    operation: 'setting up the language model',
    expected: grant
      ? `the endpoint that was agreed to, ${endpointName(grant.endpoint)}`
      : 'an endpoint that was agreed to',
    actual: asked,
    remedy: 'Nothing was sent. Look at the endpoint in the run.json, and resume the run: you are asked about it anew.',
  });
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
