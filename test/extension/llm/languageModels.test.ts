import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { listModels, testModel } from '../../../src/extension/llm/endpointClient.ts';
import { EndpointKeys } from '../../../src/extension/llm/endpointKeys.ts';
import { llmForecast } from '../../../src/extension/llm/forecast.ts';
import { forecastLines } from '../../../src/extension/llm/confirmLlm.ts';
import { syntheticRatePlan } from '../../support/syntheticStructure.ts';
import { failureOf } from '../../support/expectCoded.ts';

vi.mock('vscode', () => ({}));

const KEY = 'sk-secret-0123456789';
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = (status: number, body: unknown): void => {
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    const path = request.url ?? '';
    const kind = path.split('/')[1];
    if (kind === 'moved') response.writeHead(302, { location: '/v1/models' }).end();
    else if (kind === 'silent') return;
    else if (kind === 'html') answer(200, '<html>');
    else if (kind === 'busy') answer(429, { error: { message: 'slow down' } });
    else if (request.headers.authorization !== `Bearer ${KEY}`)
      answer(401, { error: { message: `no such key: ${request.headers.authorization ?? 'none'} ${KEY}` } });
    else if (path.endsWith('/models')) answer(200, { object: 'list', data: [{ id: 'b' }, { id: 'a' }, { id: 'b' }] });
    else if (path.endsWith('/chat/completions')) {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { model } = JSON.parse(body) as { model: string };
        if (model === 'a') answer(200, { choices: [{ message: { role: 'assistant', content: ' OK.\n' } }] });
        else answer(404, { error: { message: `no model ${model}` } });
      });
    } else answer(404, 'nothing');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** The coded error that something is rejected with. */
async function expectCode(work: Promise<unknown>, code: string) {
  const error = await failureOf(() => work);
  expect(error.code).toBe(code);
  return error;
}

const never = new AbortController().signal;

describe('an endpoint that is set up', () => {
  it('is asked for its models, and for one word', async () => {
    const endpoint = { url: `${url}/v1/`, key: KEY };
    expect(await listModels(endpoint, never)).toEqual(['a', 'b']);
    expect(await testModel(endpoint, 'a', never)).toBe('OK.');
  });

  it.each([
    ['another key', '/v1', 'llm/refused', /HTTP 401/],
    ['too many requests', '/busy/v1', 'llm/rate-limited', /slow down/],
    ['something that is no such server', '/html/v1', 'llm/bad-reply', /something else/],
    ['one that sends elsewhere, which might get the key', '/moved', 'llm/unreachable', /redirect/],
    ['one that says nothing', '/silent/v1', 'llm/timeout', /none/],
  ])('%s is a coded error', async (_, path, code, actual) => {
    const { data } = await expectCode(listModels({ url: url + path, key: 'sk-other' }, never, 300), code);
    expect(data.actual).toMatch(actual);
  });

  it('that nobody listens at is a coded error that says why', async () => {
    const { data } = await expectCode(
      listModels({ url: 'http://127.0.0.1:9', key: undefined }, never),
      'llm/unreachable',
    );
    expect(data.actual).toMatch(/ECONNREFUSED|refused|bad port/i);
  });

  it('that repeats a key is not repeated', async () => {
    const endpoint = { url: `${url}/v1`, key: `${KEY}x` };
    const { data } = await expectCode(testModel(endpoint, 'a', never), 'llm/refused');
    expect(JSON.stringify(data)).not.toContain(endpoint.key);
    expect(data.actual).toContain('•••');
  });

  it('is not waited for once it is cancelled', async () => {
    const controller = new AbortController();
    const asked = listModels({ url: `${url}/silent/v1`, key: undefined }, controller.signal);
    controller.abort();
    await expectCode(asked, 'cancelled');
  });

  it('is refused with a password in it, before anything is sent', async () => {
    await expectCode(listModels({ url: 'http://me:secret@127.0.0.1:1/v1', key: undefined }, never), 'settings/invalid');
  });
});

describe('keys', () => {
  const stored = new Map<string, string>();
  let endpoints: readonly string[] = [];
  const keys = new EndpointKeys({
    secrets: {
      get: (name) => Promise.resolve(stored.get(name)),
      store: (name, value) => Promise.resolve(void stored.set(name, value)),
      delete: (name) => Promise.resolve(void stored.delete(name)),
    },
    index: { get: () => endpoints, set: (all) => Promise.resolve(void (endpoints = all)) },
  });

  it('belong to an endpoint, however it is spelled, and to no other', async () => {
    await keys.set('http://localhost:8000/v1/', KEY);
    await keys.set('', 'sk-openai');
    expect(await keys.get('http://LOCALHOST:8000/v1')).toBe(KEY);
    expect(await keys.get('http://localhost:8001/v1')).toBeUndefined();
    expect(await keys.get('https://api.openai.com/v1')).toBe('sk-openai');
    expect(keys.endpoints).toEqual(['http://localhost:8000/v1', 'https://api.openai.com/v1']);
    // What is listed is no secret.
    expect(JSON.stringify(endpoints)).not.toContain('sk-');
    await keys.remove('http://localhost:8000/v1');
    expect([await keys.get('http://localhost:8000/v1'), keys.endpoints]).toEqual([
      undefined,
      ['https://api.openai.com/v1'],
    ]);
  });
});

describe('what a search will ask is said before', () => {
  it.each([
    ['by default', {}, 41, 123],
    ['without mutation', { mutate: 'classical' }, 21, 63],
    ['of first configurations alone', { mutate: 'off', cross: 'classical' }, 1, 3],
    ['of nobody', { initialise: 'off', mutate: 'off', cross: 'off' }, 0, 0],
    ['where a role has nothing to make', { crossovers: 0 }, 21, 63],
  ] as const)('%s', (_, search, requests, most) => {
    expect(llmForecast(syntheticRatePlan(search), 32)).toMatchObject({ requests, most });
  });

  it('with tokens in proportion to blocks and population, and cost where prices are known', () => {
    const plan = syntheticRatePlan();
    const [small, large] = [llmForecast(plan, 6), llmForecast(plan, 12)];
    expect(large.replyTokens).toBe(2 * small.replyTokens);
    expect(small.cost).toBeCloseTo((small.promptTokens * 0.4 + small.replyTokens * 1.6) / 1e6, 5);
    const free = syntheticRatePlan(
      {},
      { llm: { ...plan.llm, promptPrice: 0, replyPrice: 0, tokenCap: 0, costCap: 0 } },
    );
    expect(llmForecast(free, 6).cost).toBeUndefined();
    expect(forecastLines(free, llmForecast(free, 6)).join('\n')).toContain('no cap');
    const lines = forecastLines(plan, small).join('\n');
    for (const part of ['About 41 requests', 'at most 123', '400k tokens or a cost of 0.5', '(wikitext-llama-6m)'])
      expect(lines).toContain(part);
    expect(lines).not.toContain('/workspace');
  });
});
