import { afterEach, describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from '../../src/coordinator/clock.ts';
import { DEFAULT_LLM_SETTINGS } from '../../src/search/llm/settings.ts';
import { estimateTokens } from '../../src/llm/languageModel.ts';
import { openAiModel } from '../../src/llm/openAi.ts';
import { newOpenAiClient } from '../../src/llm/openAiClient.ts';
import { failureOf } from '../support/expectCoded.ts';
import type { Fault } from '../support/scriptedLlm.ts';
import { answering, ask, KEY, PROMPT, serve, tidyUp, timer } from './asking.ts';
import type { Asking } from './asking.ts';

afterEach(tidyUp);

describe('an OpenAI-compatible endpoint', () => {
  it('is asked with model, key and limits, and answers with text and usage', async () => {
    const server = await serve(['none']);
    const { text, usage, model } = await ask(server, { temperature: 0.5, replyTokens: 99 });
    expect(text.split('\n')).toHaveLength(3);
    expect([model, usage]).toEqual(['tiny-llm', { promptTokens: PROMPT.length >> 2, replyTokens: text.length >> 2 }]);
    const [request] = server.requests;
    expect(request).toMatchObject({ authorization: `Bearer ${KEY}`, idempotencyKey: 'run-7', answered: true });
    expect(JSON.parse(request!.body)).toMatchObject({
      ...{ model: 'tiny-llm', temperature: 0.5, max_tokens: 99, stream: true },
      messages: [{ role: 'user', content: PROMPT }],
    });
  });

  it('gets no key where there is none', async () => {
    const server = await serve(['none']);
    await ask(server, { key: '' });
    expect(server.requests[0]!.authorization).toBeUndefined();
  });

  it.each<[Fault, object]>([
    ['slow', {}],
    // One that does not stream, and one that does not count.
    ['whole', { usage: { promptTokens: PROMPT.length >> 2 } }],
    ['no-usage', { usage: { estimated: true, promptTokens: estimateTokens(PROMPT) } }],
    ['empty', { text: '' }],
  ])('is understood: %s', async (fault, expected) => {
    expect(await ask(await serve([fault]))).toMatchObject(expected);
  });

  it.each<[Fault, number]>([
    ['status-429', 2],
    ['status-500', 2],
    ['truncated', 2],
    ['reset', 2],
    ['garbage', 2],
    ['silent', 2],
    ['hang', 2],
  ])('is asked again, as the same question, after: %s', async (fault, tries) => {
    const server = await serve([fault, 'none']);
    const { text, usage } = await ask(server, { timeout: 10 });
    expect(text.split('\n')).toHaveLength(3);
    expect(server.requests.map(({ idempotencyKey }) => idempotencyKey)).toEqual(new Array(tries).fill('run-7'));
    // What a server had begun to answer counts.
    const isBegun = !['status-429', 'status-500', 'reset'].includes(fault);
    expect(usage.estimated === true && usage.promptTokens > estimateTokens(PROMPT)).toBe(isBegun);
  });

  it.each<[Fault, string, number]>([
    ['status-429', 'llm/rate-limited', 3],
    ['status-500', 'llm/unreachable', 3],
    ['reset', 'llm/unreachable', 3],
    ['garbage', 'llm/bad-reply', 3],
    ['html', 'llm/bad-reply', 3],
    ['truncated', 'llm/unreachable', 3],
    ['hang', 'llm/timeout', 3],
    ['refuse', 'llm/refused', 1],
    ['echo-key', 'llm/refused', 1],
  ])('that always fails with %s is an error %s after %i requests', async (fault, code, requests) => {
    const server = await serve([fault]);
    const error = await failureOf(() => ask(server, { retries: 2, timeout: 5 }));
    expect([error.code, server.requests.length]).toEqual([code, requests]);
    expect(JSON.stringify([error.data, error.stack, error.cause])).not.toContain(KEY);
  });

  it('that nobody is behind is unreachable', async () => {
    const server = await serve(['none']);
    const { url } = server;
    await server.close();
    expect(await failureOf(() => ask(url, { retries: 1 }))).toMatchObject({ code: 'llm/unreachable' });
  });

  it('waits longer from try to try, and as long as it is told to', async () => {
    const server = await serve(['status-500']);
    await failureOf(() => ask(server, { retries: 4, timeout: 999 }));
    expect(timer.waited.filter((wait) => wait !== 999_000)).toEqual([500, 1000, 2000, 4000]);
  });

  it('that is cancelled gives up at once, while it answers and while it waits', async () => {
    for (const fault of ['hang', 'silent', 'status-500'] as const) {
      const server = await serve([fault]);
      const controller = new AbortController();
      const began = performance.now();
      const asking = failureOf(() => ask(server, { signal: controller.signal, timeout: 3600, retries: 20 }));
      while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      setTimeout(() => {
        controller.abort();
      }, 5);
      expect((await asking).code).toBe('cancelled');
      expect(performance.now() - began).toBeLessThan(1000);
    }
  });

  it('that repeats the key does not make it known', async () => {
    const { text } = await ask(await serve(['echo-key-in-reply']));
    expect(text).toContain('You sent Bearer [key]');
    expect(text).not.toContain('marker');
  });

  it('is not followed to another address', async () => {
    const other = await serve(['none']);
    const server = await answering((response) => {
      response.writeHead(307, { location: `${other.url}/chat/completions` }).end();
    });
    const error = await failureOf(() => ask(server));
    expect([error.code, other.requests.length]).toEqual(['llm/refused', 0]);
    expect(error.data.remedy).toContain('elsewhere');
  });

  it.each([301, 302, 303, 307, 308])('that redirects with %i leads the key nowhere', async (status) => {
    const other = await answering((response) => response.writeHead(200).end());
    for (const location of [other.url, other.url.replace('http://', 'http://user@'), other.url.replace('http:', '')]) {
      const server = await answering((response) => {
        response.writeHead(status, { location }).end();
      });
      expect((await failureOf(() => ask(server))).code).toBe('llm/refused');
    }
    expect(other.asked).toEqual([]);
  });

  it('is the one that was agreed to, or nobody is asked', async () => {
    const server = await answering((response) => response.writeHead(200).end());
    const settings = { ...DEFAULT_LLM_SETTINGS, provider: 'openai', endpoint: server.url, llm: 'x' } as const;
    for (const grant of [undefined, { endpoint: 'http://localhost:1/v1', key: KEY }, { endpoint: '', key: KEY }]) {
      const error = await failureOf(() => openAiModel({ settings, grant, timer }));
      expect(error.code).toBe('llm/not-agreed');
      expect(error.message).not.toContain(KEY);
    }
    const page = newOpenAiClient(await import('../../src/llm/openAiPackage.ts'), new URL('http://localhost:1/v1'), KEY);
    await expect(page.get(`${server.url}/models`)).rejects.toThrow();
    expect(server.asked).toEqual([]);
  });

  it('that answers without end is stopped, and hears of it', async () => {
    let sent = 0;
    let isClosed = false;
    const server = await answering((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const part = `data: ${JSON.stringify({ choices: [{ delta: { content: 'x'.repeat(1 << 17) } }] })}\n\n`;
      const more = (): void => {
        while (!response.destroyed && response.write(part)) sent++;
      };
      response.on('drain', more).on('close', () => (isClosed = true));
      more();
    });
    const error = await failureOf(() => ask(server, { patience: SYSTEM_CLOCK }));
    expect(error.code).toBe('llm/bad-reply');
    expect(sent).toBeLessThan(300);
    await expect.poll(() => isClosed).toBe(true);
  });
});

describe('a language model that cannot be asked', () => {
  it.each<[string, Asking & { readonly at?: string }, string]>([
    ['OpenAI without a key', { at: '', key: '' }, 'llm/no-key'],
    ['a key with a line break', { key: 'sk-marker\nx' }, 'llm/no-key'],
    ['no model', { llm: '' }, 'settings/invalid'],
    ['a user in the endpoint', { at: 'https://me:marker@example.org/v1' }, 'settings/invalid'],
    ['a key in the endpoint', { at: 'https://example.org/v1?key=marker' }, 'settings/invalid'],
    ['no URL', { at: 'marker' }, 'settings/invalid'],
    ['a file', { at: 'file:///v1' }, 'settings/invalid'],
  ])('%s', async (_, { at = 'http://localhost:1/v1', ...asking }, code) => {
    const error = await failureOf(() => ask(at, asking));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain('marker');
  });
});
