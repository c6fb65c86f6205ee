import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { estimateTokens } from '../../src/llm/languageModel.ts';
import { eventData } from '../../src/llm/serverSentEvents.ts';
import { failureOf } from '../support/expectCoded.ts';
import { answering, ask, KEY, PROMPT, tidyUp, timer } from './asking.ts';

afterEach(tidyUp);

const part = (content: object, finish: string | null = null): object => ({
  choices: [{ index: 0, delta: content, finish_reason: finish }],
});
const SAID = [part({ content: '[0.3, ' }), part({ content: '0.3]' }, 'stop')];

function stream(response: ServerResponse, parts: readonly (object | string)[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const each of parts) {
    response.write(typeof each === 'string' ? each : `data: ${JSON.stringify(each)}\n\n`);
  }
}

/** A server that streams these parts. */
const streaming = (...parts: readonly (object | string)[]) =>
  answering((response) => {
    stream(response, parts);
    response.end();
  });

const refusing = (status: number, said: string, headers: object = {}) =>
  answering((response) => {
    response.writeHead(status, { ...headers }).end(said);
  });

describe('what is sent to a server', () => {
  it('is the prompt and what is needed with it, whatever the environment adds', async () => {
    vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'Authorization: Bearer of-another-place\nX-Secret: of-another-place');
    vi.stubEnv('OPENAI_ORG_ID', 'of-another-place');
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:9/of-another-place');
    const server = await streaming(...SAID, 'data: [DONE]\n\n');
    await ask(server);
    await ask(server, { key: '' });
    vi.unstubAllEnvs();
    const [withKey, without] = server.asked;
    const own = ['accept', 'authorization', 'content-type', 'idempotency-key', 'user-agent'];
    const transport = ['accept-encoding', 'accept-language', 'connection', 'content-length', 'host', 'sec-fetch-mode'];
    expect(
      Object.keys(withKey!.headers)
        .filter((name) => !transport.includes(name))
        .sort(),
    ).toEqual(own);
    expect([withKey!.headers.authorization, without!.headers.authorization]).toEqual([`Bearer ${KEY}`, undefined]);
    expect(JSON.stringify(server.asked)).not.toContain('another-place');
  });

  it.each<[string, string, string, string]>([
    [
      'max_tokens',
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      'max_tokens',
      'max_completion_tokens',
    ],
    [
      'stream_options',
      '{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"]}]}',
      'stream_options',
      'max_tokens',
    ],
  ])('leaves out what the server does not know, from then on: %s', async (_, said, unknown, known) => {
    const server = await answering((response, before) => {
      if (before === 0) response.writeHead(422).end(said);
      else stream(response, [...SAID, 'data: [DONE]\n\n']);
      response.end();
    });
    expect((await ask(server, { retries: 0 })).text).toBe('[0.3, 0.3]');
    expect(server.asked.map(({ body }) => [unknown in body, known in body])).toEqual([
      [true, known === 'max_tokens'],
      [false, true],
    ]);
  });

  it.each([
    ['max_tokens is too large: 8192. This model has at most 4096', 1],
    ['temperature is not supported', 1],
    ['neither max_tokens nor max_completion_tokens nor stream_options is supported: unknown', 2],
  ])('is not changed otherwise: %s', async (said, requests) => {
    const server = await refusing(400, JSON.stringify({ error: { message: said } }));
    const { data } = await failureOf(() => ask(server));
    expect([data.code, server.asked.length]).toEqual(['llm/refused', requests]);
    expect(data.actual).toContain(said);
  });
});

describe('a reply', () => {
  it.each<[string, readonly (object | string)[], object]>([
    ['whose end is said by [DONE] alone', [part({ content: 'ab' }), 'data: [DONE]\n\n'], { text: 'ab' }],
    [
      'with comments, names of events and carriage returns',
      [': wait\r\n\r\n', `event: x\r\nid: 1\r\ndata: ${JSON.stringify(SAID[1])}\r\n\r\n`],
      { text: '0.3]' },
    ],
    ['that is a refusal', [part({ refusal: 'I cannot do that.' }, 'stop')], { text: 'I cannot do that.' }],
    [
      'after thoughts, which are paid for',
      [part({ reasoning_content: 'hmm '.repeat(9) }), part({ content: 'a' }, 'stop')],
      { text: 'a', usage: { promptTokens: estimateTokens(PROMPT), replyTokens: 10, estimated: true } },
    ],
    [
      'with a tool call',
      [part({ tool_calls: [{ function: { name: 'rm', arguments: '{}' } }] }, 'tool_calls')],
      { text: '' },
    ],
    ['that is cut at its longest', [part({ content: '[0.3, 0' }, 'length')], { text: '[0.3, 0' }],
    ['of a model with the key for a name', [{ ...SAID[1], model: `gpt ${KEY}` }], { model: 'gpt [key]' }],
    ['with text that is no Unicode', [part({ content: '\ud800\u0000\u2028' }, 'stop')], { text: '\ud800\u0000\u2028' }],
  ])('%s is understood', async (_, parts, expected) => {
    expect(await ask(await streaming(...parts), { retries: 0 })).toMatchObject(expected);
  });

  it.each<[string, object]>([
    ['negative', { prompt_tokens: -5, completion_tokens: 3 }],
    ['nothing for something', { prompt_tokens: 20, completion_tokens: 0 }],
    ['no prompt', { prompt_tokens: 0, completion_tokens: 3 }],
    ['more than can be', { prompt_tokens: 20, completion_tokens: Number.MAX_SAFE_INTEGER }],
    ['text', { prompt_tokens: '20', completion_tokens: '3' }],
  ])('is counted here where its server counts %s', async (_, usage) => {
    const { usage: counted } = await ask(await streaming(...SAID, { choices: [], usage }, 'data: [DONE]\n\n'));
    expect(counted).toEqual({
      promptTokens: estimateTokens(PROMPT),
      replyTokens: estimateTokens('[0.3, 0.3]'),
      estimated: true,
    });
  });

  it('may begin late, and be followed by no long silence', async () => {
    const server = await answering((response, before) => {
      stream(response, [': thinking\n\n', part({ role: 'assistant', content: '' })]);
      if (before === 0) streamLater(response);
      else response.write(`data: ${JSON.stringify(SAID[0])}\n\n`);
    });
    const streamLater = (response: ServerResponse): void => {
      setTimeout(() => {
        response.end(SAID.map((each) => `data: ${JSON.stringify(each)}\n\n`).join(''));
      }, 40);
    };
    expect((await ask(server, { timeout: 3000, retries: 0 })).text).toBe('[0.3, 0.3]');
    // It began at once, to send what is no answer: the time of silences ran only once the answer itself had begun.
    const [whole, ...silences] = timer.waited;
    expect([whole, silences.length > 0]).toEqual([3_000_000, true]);
    const error = await failureOf(() => ask(server, { timeout: 3000, retries: 0 }));
    expect(error.code).toBe('llm/timeout');
  });

  it('that fails although its server has counted it is counted so', async () => {
    const usage = { prompt_tokens: 20, completion_tokens: 8000 };
    const server = await streaming(part({}, 'length'), { choices: [], usage }, 'data: [DONE]\n\n');
    expect(await failureOf(() => ask(server))).toMatchObject({ usage: { promptTokens: 20, replyTokens: 8000 } });
  });

  it.each<[string, readonly (object | string)[], string, RegExp]>([
    ['used up by thoughts', [part({ reasoning: 'hmm' }, 'length')], 'llm/bad-reply', /used up/],
    ['held back', [part({}, 'content_filter')], 'llm/refused', /content filter/],
  ])('that is %s is an error, and not tried again', async (_, parts, code, actual) => {
    const server = await streaming(...parts);
    const error = await failureOf(() => ask(server));
    expect([error.code, server.asked.length]).toEqual([code, 1]);
    expect(error.data.actual).toMatch(actual);
    expect(error).toMatchObject({ usage: { promptTokens: estimateTokens(PROMPT) } });
  });

  it.each<[string, readonly (object | string)[], RegExp]>([
    ['no choice', [{ choices: [] }, 'data: [DONE]\n\n'], /without a choice/],
    ['choices that are no list', [{ choices: 'x' }], /without a choice/],
    ['no objects', ['data: 7\n\n'], /no objects/],
    ['an error in its middle', [SAID[0]!, { error: { message: `no ${KEY}` } }], /in its middle: no \[key\]/],
    ['an event that the library would log', [`event: thread.x\ndata: {no ${KEY}\n\n`], /no JSON/],
  ])('with %s is a coded error', async (_, parts, actual) => {
    const logged = (['log', 'info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
    const { data } = await failureOf(async () => ask(await streaming(...parts), { retries: 0 }));
    expect(data.code).toBe('llm/bad-reply');
    expect(data.actual).toMatch(actual);
    for (const spy of logged) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });
});

describe('a refusal', () => {
  it.each<[number, string, string, string]>([
    [400, '{"detail":"no such thing"}', 'llm/refused', '400: no such thing'],
    [400, '{"object":"error","message":"too long"}', 'llm/refused', '400: too long'],
    [404, '{"error":"model not found"}', 'llm/refused', '404: model not found'],
    [
      502,
      '<html><head><style>a{}</style><title>Bad gateway</title></head><body>nginx</body></html>',
      'llm/unreachable',
      '502: Bad gateway nginx',
    ],
    [503, '', 'llm/unreachable', '503: status code (no body)'],
    [403, JSON.stringify({ error: { message: `not for Bearer ${KEY}` } }), 'llm/refused', '403: not for Bearer [key]'],
    [418, 'null', 'llm/refused', '418: null'],
  ])('with %i %s is %s', async (status, said, code, actual) => {
    const { data } = await failureOf(async () => ask(await refusing(status, said), { retries: 0 }));
    expect([data.code, data.actual]).toEqual([code, actual]);
  });

  it.each<[string, object, number]>([
    ['seconds', { 'retry-after': '7' }, 7000],
    [
      'a date, by the clock of the server',
      { date: 'Sun, 06 Nov 1994 08:49:37 GMT', 'retry-after': 'Sun, 06 Nov 1994 08:49:46 GMT' },
      9000,
    ],
    [
      'a date that has passed',
      { date: 'Sun, 06 Nov 1994 08:49:37 GMT', 'retry-after': 'Sun, 06 Nov 1994 08:49:30 GMT' },
      500,
    ],
    ['nonsense', { 'retry-after': 'soon' }, 500],
    ['less than we wait', { 'retry-after-ms': '-3' }, 500],
  ])('that names when to come again is heeded: %s', async (_, headers, milliseconds) => {
    const server = await refusing(429, '{}', headers);
    await failureOf(() => ask(server, { retries: 1, timeout: 99 }));
    expect(timer.waited.filter((wait) => wait !== 99_000)).toEqual([milliseconds]);
  });

  it('that sends one away for longer than a request may take is the last', async () => {
    const server = await refusing(503, '{}', { 'retry-after': '100' });
    expect((await failureOf(() => ask(server, { timeout: 99 }))).code).toBe('llm/unreachable');
    expect(server.asked).toHaveLength(1);
  });

  it('is followed by no other try that the limits leave no room for', async () => {
    const server = await streaming(SAID[0]!);
    const error = await failureOf(() => ask(server, { hasRoom: (spent) => (spent?.promptTokens ?? 0) < 50 }));
    expect(server.asked).toHaveLength(2);
    expect(error.data.actual).toMatch(/the last of 2 tries; the limit on tokens or money leaves no room/);
    expect(error).toMatchObject({ usage: { promptTokens: 2 * estimateTokens(PROMPT) } });
  });
});

describe('a stream of events', () => {
  it('is the same however it is cut', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 12 }).map((each) => each.replace(/[\r\n]/g, ''));
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { maxLength: 4 }),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 9 }),
        async (all, end, size) => {
          const written = all.map((each) => `: c${end}event: e${end}data: ${each}${end}${end}`).join('');
          const bytes = Buffer.from(`${written}data: not whole`);
          const body = new ReadableStream<Uint8Array>({
            start: (controller) => {
              for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size));
              controller.close();
            },
          });
          const read: string[] = [];
          for await (const data of eventData(body)) read.push(data);
          expect(read).toEqual(all.map((each) => Buffer.from(each).toString()));
        },
      ),
      { seed: 5, numRuns: 40 },
    );
  });
});
