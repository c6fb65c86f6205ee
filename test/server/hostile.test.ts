import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { complete, errorOf, post, serving } from './serving.ts';
import type { Serving } from './serving.ts';

// What no client of good will sends: every answer is a coded error or a completion, and the server goes on.

let tiny: Serving;
beforeAll(async () => {
  tiny = await serving();
});
afterAll(() => tiny.stop());

const GOOD = { model: 'tiny', prompt: [5, 300], max_tokens: 1, temperature: 0 };

async function expectAlive(): Promise<void> {
  expect((await complete(tiny.server, GOOD)).choices.length).toBe(1);
}

const VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.5,
  1e308,
  2 ** 53,
  -0,
  '',
  'x',
  '\ud800',
  '\u0000\u202e\ufffd',
  'é'.repeat(5000),
  [],
  [[]],
  [[[[1]]]],
  [null],
  [-1],
  [1.5],
  [384],
  [2 ** 31],
  ['a', 1],
  Array.from({ length: 2000 }, () => 5),
  Array.from({ length: 1025 }, () => [5]),
  {},
  { length: 3 },
  { __proto__: null, toString: 1 },
  'NaN',
];

const FIELDS = [
  ...[
    'model',
    'prompt',
    'echo',
    'logprobs',
    'max_tokens',
    'n',
    'temperature',
    'top_p',
    'seed',
    'stop',
    'stream',
    'stream_options',
  ],
  ...[
    'user',
    'suffix',
    'best_of',
    'logit_bias',
    'frequency_penalty',
    'add_special_tokens',
    '__proto__',
    'constructor',
    'x'.repeat(300),
  ],
];

describe('a prompt that no tokenizer could be given', () => {
  it.each([
    ['prompt', 'the \ud800 river'],
    ['prompt.1', ['a', '\udc00']],
  ])('is refused, and not another text measured in its place: %s', async (where, prompt) => {
    const said = await post(tiny.server, { ...GOOD, prompt });
    expect(said.status).toBe(400);
    expect(errorOf(said)).toMatchObject({ code: 'serve/request', param: where });
  });
});

describe('1000 malformed and hostile bodies', () => {
  it('are each refused with a code, or answered', async () => {
    const rng = new Rng(20261130);
    const pick = <Item>(items: readonly Item[]): Item => items[rng.integer(items.length)]!;
    const bodies: string[] = [];
    for (let round = 0; round < 1000; round++) {
      const fields: [string, unknown][] = Object.entries(GOOD);
      for (let count = 1 + rng.integer(2); count > 0; count--) fields.push([pick(FIELDS), pick(VALUES)]);
      // As text, so that fields may come twice and be called what they like.
      let body = `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
      const at = rng.integer(body.length);
      if (round % 3 === 1)
        body = body.slice(0, at) + pick(['', '{', ']', '"', '\\', '\u0000', '1e999', ',']) + body.slice(at + 1);
      if (round % 10 === 2) body = body.slice(0, at);
      bodies.push(body);
    }
    const outcomes = new Map<string, number>();
    const ask = async (body: string): Promise<void> => {
      const said = await post(tiny.server, body);
      const { code, message } = said.status === 200 ? { code: 'answered', message: '' } : errorOf(said);
      outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
      expect(code, body.slice(0, 300)).toMatch(/^(serve\/[a-z-]+|answered)$/);
      expect(said.status).toBeLessThan(500);
      expect(message.length).toBeLessThan(1000);
    };
    // Several at once, as those who mean harm would.
    for (let first = 0; first < bodies.length; first += 20) await Promise.all(bodies.slice(first, first + 20).map(ask));
    expect(Object.fromEntries(outcomes)).toMatchObject({
      answered: expect.any(Number) as number,
      'serve/not-found': expect.any(Number) as number,
      'serve/request': expect.any(Number) as number,
    });
    await expectAlive();
  }, 120_000);
});

/** Sends bytes, and returns what comes until the server closes, or the time is over. */
function sent(bytes: string | Buffer, wait = 2000): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(tiny.server.port, '127.0.0.1');
    let said = '';
    const end = (): void => {
      socket.destroy();
      resolve(said);
    };
    const timer = setTimeout(end, wait);
    socket.on('data', (data) => {
      said += data.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(said);
    });
    socket.write(bytes);
  });
}

describe('what is no HTTP, or HTTP of another kind', () => {
  const head = 'POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n';
  const last = 'Connection: close\r\n';
  it.each<[string, string | Buffer, string]>([
    ['noise', Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 37) % 256)), '400'],
    ['a line of TLS', Buffer.from('160301020001000000', 'hex'), '400'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, '431'],
    ['two lengths', `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}`, '400'],
    ['a length and chunks', `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, '400'],
    ['chunks that are none', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, '400'],
    ['a body larger than allowed', `${head}Content-Length: 99999999\r\n\r\n{}`, '413'],
    [
      'a body that is no UTF-8',
      Buffer.concat([Buffer.from(`${head}${last}Content-Length: 3\r\n\r\n`), Buffer.from([0x22, 0xff, 0x22])]),
      '400',
    ],
    ['a compressed body', `${head}${last}Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}`, '415'],
    ['a nest of lists', `${head}${last}Content-Length: 10000\r\n\r\n${'['.repeat(10_000)}`, '400'],
    ['no host', `GET /v1/models HTTP/1.1\r\n${last}\r\n`, '403'],
    ['a path that leads elsewhere', `GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n${last}\r\n`, '404'],
    ['a percent that is none', `GET /v1/models/%zz HTTP/1.1\r\nHost: 127.0.0.1\r\n${last}\r\n`, '404'],
    ['a proxy’s question', `CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n`, ''],
    [
      'an upgrade',
      `GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      '200',
    ],
    ['another method', `DELETE /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n${last}\r\n`, '405'],
  ])('%s', async (_, bytes, status) => {
    const said = await sent(bytes);
    expect(said.slice(0, 12)).toBe(status === '' ? '' : `HTTP/1.1 ${status}`);
    if (said !== '' && status !== '200') expect(said).toContain('"code":"serve/');
    await expectAlive();
  });

  it('a body that is promised and does not come, from a client that goes', async () => {
    expect(await sent(`${head}Content-Length: 100\r\n\r\n{"pro`, 100)).toBe('');
    await expectAlive();
  });
});

describe('who may ask', () => {
  it.each([
    ['evil.example', 403],
    ['evil.example:8000', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost.evil.example', 403],
    ['localhost@evil.example', 403],
    ['[::1', 403],
    ['localhost:1', 200],
    ['LOCALHOST', 200],
    ['127.0.0.1:9', 200],
    ['[::1]:80', 200],
  ])('who calls the server %s gets %d', async (host, status) => {
    const said = await sent(`GET /v1/models HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(said.slice(9, 12)).toBe(String(status));
    if (status === 403) expect(said).toContain('"code":"serve/origin"');
  });

  it.each([true, 21, -1, 1.5, '3'])('of logprobs %j says what it takes', async (logprobs) => {
    const said = await post(tiny.server, { ...GOOD, logprobs });
    expect([said.status, errorOf(said)]).toMatchObject([
      400,
      { param: 'logprobs', message: expect.stringContaining('a whole number from 0 to 20') as string },
    ]);
  });

  it('no page of a browser, and no form', async () => {
    const page = await post(tiny.server, GOOD, { origin: 'http://evil.example' });
    expect([page.status, errorOf(page).code]).toEqual([403, 'serve/origin']);
    const form = await post(tiny.server, GOOD, { 'content-type': 'text/plain' });
    expect([form.status, errorOf(form).code]).toEqual([415, 'serve/media-type']);
    expect(errorOf(form).message).toContain('-H "Content-Type: application/json"');
    const asked = await fetch(`${tiny.server.url}/v1/completions`, { method: 'OPTIONS' });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([405, null]);
  });

  it('with a token, who has it', async () => {
    const server = await tiny.start({ token: 'sesame' });
    for (const header of [
      undefined,
      'sesame',
      'Bearer',
      'Bearer sesam',
      'Bearer sesame2',
      'Basic sesame',
      'Bearer sésame',
    ]) {
      const said = await post(
        server,
        GOOD,
        header === undefined ? {} : { authorization: encodeURI(header).replace('%20', ' ') },
      );
      expect([said.status, errorOf(said).code, said.headers.get('www-authenticate')]).toEqual([
        401,
        'serve/token',
        'Bearer',
      ]);
      expect(JSON.stringify(said.body)).not.toContain('sesame');
    }
    expect((await fetch(`${server.url}/v1/models`)).status).toBe(401);
    expect((await post(server, GOOD, { authorization: 'Bearer sesame' })).status).toBe(200);
  });
});
