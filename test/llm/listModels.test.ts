import { afterEach, describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from '../../src/coordinator/clock.ts';
import { listModels } from '../../src/llm/listModels.ts';
import { failureOf } from '../support/expectCoded.ts';
import { answering, KEY, tidyUp, timer } from './asking.ts';

afterEach(tidyUp);

const never = new AbortController().signal;

const saying = (status: number, body: unknown) =>
  answering((response, _, { url, headers }) => {
    const isAsked = url === '/v1/models' && headers.authorization === `Bearer ${KEY}`;
    response.writeHead(isAsked ? status : 500, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });

describe('the models of an endpoint', () => {
  it('are told once each, without the key, however its address ends', async () => {
    const { url } = await saying(200, { object: 'list', data: [{ id: 'b' }, { id: 'a' }, { id: 'b' }, { id: KEY }] });
    for (const each of [url, `${url}/`]) {
      expect(await listModels({ url: each, key: KEY }, SYSTEM_CLOCK, never)).toEqual(['[key]', 'a', 'b']);
    }
  });

  it.each([
    ['another key', 401, { error: { message: `no such key: ${KEY}` } }, 'llm/refused', /no such key: \[key\]/],
    ['too many requests', 429, { error: { message: 'slow down' } }, 'llm/rate-limited', /slow down/],
    ['a page', 200, '<html>', 'llm/bad-reply', /no list/],
    ['another list', 200, { models: ['a'] }, 'llm/bad-reply', /no list/],
    ['a redirection, which might get the key', 302, '', 'llm/refused', /302/],
  ])('are a coded error for %s', async (_, status, body, code, actual) => {
    const { data } = await failureOf(async () =>
      listModels({ url: (await saying(status, body)).url, key: KEY }, SYSTEM_CLOCK, never),
    );
    expect(data.code).toBe(code);
    expect(data.actual).toMatch(actual);
  });

  it('are not waited for long, nor once that is cancelled', async () => {
    const { url } = await answering(() => undefined);
    expect((await failureOf(() => listModels({ url, key: undefined }, timer, never))).code).toBe('llm/timeout');
    const controller = new AbortController();
    const asked = failureOf(() => listModels({ url, key: undefined }, timer, controller.signal));
    controller.abort();
    expect((await asked).code).toBe('cancelled');
  });

  it('are not asked for with a password in the address', async () => {
    const asked = failureOf(() => listModels({ url: 'http://me:secret@127.0.0.1:1/v1', key: undefined }, timer, never));
    expect((await asked).code).toBe('settings/invalid');
  });
});
