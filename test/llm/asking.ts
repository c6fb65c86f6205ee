import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DEFAULT_LLM_SETTINGS } from '../../src/search/llm/settings.ts';
import type { LlmSettings } from '../../src/search/llm/settings.ts';
import type { Completion, Question } from '../../src/llm/languageModel.ts';
import { openAiModel } from '../../src/llm/openAi.ts';
import { withRetries } from '../../src/llm/retries.ts';
import type { Timer } from '../../src/llm/retries.ts';
import { ScriptedLlm } from '../support/scriptedLlm.ts';
import type { Fault, ScriptedOptions } from '../support/scriptedLlm.ts';

export const KEY = 'sk-marker/0123+4567';
export const PROMPT = 'Propose new configurations, as many as 3:\n- exactly 4 numbers\n- their mean is 0.30000';

/** Waits of seconds take milliseconds here, in their order. */
export const timer: Timer & { readonly waited: number[] } = {
  waited: [],
  after: (milliseconds, callback) => {
    timer.waited.push(milliseconds);
    const handle = setTimeout(callback, Math.min(milliseconds / 50, 2400));
    return () => {
      clearTimeout(handle);
    };
  },
};

const servers: { close(): unknown }[] = [];

/** For `afterEach`: ends the servers, and forgets what was waited for. */
export async function tidyUp(): Promise<void> {
  timer.waited.length = 0;
  for (const server of servers.splice(0)) await server.close();
}

export async function serve(options: ScriptedOptions | readonly Fault[]): Promise<ScriptedLlm> {
  const isFaults = (value: typeof options): value is readonly Fault[] => Array.isArray(value);
  const server = await ScriptedLlm.start(
    isFaults(options) ? { fault: ({ index }) => options[Math.min(index, options.length - 1)]! } : options,
  );
  servers.push(server);
  return server;
}

/** What a server of {@link answering} was asked. */
export interface Asked {
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * A server that answers as is said, by the number of requests before.
 *
 * @returns its base URL, and what it was asked
 */
export async function answering(
  answer: (response: ServerResponse, before: number, request: IncomingMessage) => unknown,
): Promise<{ readonly url: string; readonly asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const body = (text === '' ? {} : JSON.parse(text)) as Asked['body'];
      asked.push({ headers: request.headers, body });
      response.on('error', () => undefined);
      answer(response, asked.length - 1, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked };
}

export interface Asking extends Partial<LlmSettings> {
  readonly key?: string | undefined;
  readonly signal?: AbortSignal;
  readonly patience?: Timer;
  readonly hasRoom?: NonNullable<Question['hasRoom']>;
}

export function ask(
  server: { readonly url: string } | string,
  { key = KEY, signal, patience = timer, hasRoom, ...changes }: Asking = {},
): Promise<Completion> {
  const endpoint = typeof server === 'string' ? server : server.url;
  const settings = { ...DEFAULT_LLM_SETTINGS, provider: 'openai', endpoint, llm: 'tiny-llm', ...changes } as const;
  const model = withRetries(
    openAiModel({ settings, grant: { endpoint: settings.endpoint, ...(key !== '' && { key }) }, timer: patience }),
    settings,
    patience,
  );
  const question: Question = { prompt: PROMPT, role: 'initialise', generation: 0, idempotencyKey: 'run-7' };
  return model.complete({ ...question, ...(hasRoom && { hasRoom }) }, signal ?? new AbortController().signal);
}
