import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Served } from '../../src/server/served.ts';
import { startServer } from '../../src/server/startServer.ts';
import { failureOf } from '../support/expectCoded.ts';
import { complete, errorOf, post, serving } from './serving.ts';
import type { Serving } from './serving.ts';

// Several clients, clients that go away, and the end of the server.

let tiny: Serving;
beforeAll(async () => {
  tiny = await serving();
});
afterAll(() => tiny.stop());

const GOOD = { prompt: [5, 300], max_tokens: 2, temperature: 0 };

/** The same model, whose work waits until it is let go on; what it was asked, and with what it ended. */
function held(served: Served) {
  const begun: AbortSignal[] = [];
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const ended = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
  const waiting: Served = {
    ...served,
    async generate(asked, onToken, signal, pause) {
      begun.push(signal);
      await Promise.race([gate, ended(signal)]);
      await served.generate(asked, onToken, signal, pause);
    },
  };
  return {
    waiting,
    begun,
    release: () => {
      release();
    },
  };
}

const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => {
    expect(condition()).toBe(true);
  }, 10_000);

describe('several clients', () => {
  it('are answered alike, whoever asks at the same time', async () => {
    const bodies = Array.from({ length: 12 }, (_, i) => ({
      prompt: [[5 + i, 300], [7]],
      max_tokens: 1 + (i % 4),
      temperature: i % 2,
      seed: i,
      logprobs: 1,
      echo: i % 3 === 0,
    }));
    const alone = [];
    for (const body of bodies) alone.push((await complete(tiny.server, body)).choices);
    const together = await Promise.all(bodies.map(async (body) => (await complete(tiny.server, body)).choices));
    expect(together).toEqual(alone);
  });

  it('take turns: a long request does not keep a short one waiting for all of it', async () => {
    const done: string[] = [];
    let open = 0;
    const server = await tiny.start({
      onChange: (requests) => {
        open = requests;
      },
    });
    const long = complete(server, {
      prompt: Array.from({ length: 40 }, () => [5]),
      max_tokens: 30,
      temperature: 0,
    }).then(() => done.push('long'));
    await until(() => open > 0);
    const short = complete(server, GOOD).then(() => done.push('short'));
    await Promise.all([long, short]);
    expect(done).toEqual(['short', 'long']);
  });

  it('take turns within one long answer, too, which is none the worse', async () => {
    const body = { prompt: [5], max_tokens: 40, temperature: 0 };
    const alone = await complete(tiny.server, body);
    let pauses = 0;
    const served: Served = {
      ...tiny.served,
      generate: (asked, onToken, signal, pause) =>
        tiny.served.generate(asked, onToken, signal, async () => {
          pauses++;
          await pause();
        }),
    };
    const server = await startServer(served, { host: '127.0.0.1', port: 0, special: true });
    const together = await Promise.all([body, { ...body, max_tokens: 12 }, body].map((each) => complete(server, each)));
    await server.close();
    for (const index of [0, 2]) expect(together[index]!.choices).toEqual(alone.choices);
    expect(together[1]!.usage.completion_tokens).toBe(12);
    // Behind the prompt, and after each eight tokens.
    expect(pauses).toBe(5 + 2 + 5);
  });

  it('one who goes away in a pause leaves its turn to others', async () => {
    const leaving = new AbortController();
    const ids = { prompt: [[5], [6]], max_tokens: 40, temperature: 0 };
    const gone = fetch(`${tiny.server.url}/v1/completions`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(ids) },
      signal: leaving.signal,
    }).catch(() => 'gone');
    const others = [12, 20].map((most) => complete(tiny.server, { ...ids, max_tokens: most }));
    setTimeout(() => {
      leaving.abort();
    }, 20);
    await gone;
    for (const { choices } of await Promise.all(others)) expect(choices).toHaveLength(2);
    expect((await complete(tiny.server, GOOD)).choices).toHaveLength(1);
  });

  it('are told to come again where there are too many', async () => {
    const { waiting, begun, release } = held(tiny.served);
    const server = await startServer(waiting, { host: '127.0.0.1', port: 0, special: true, most: 2 });
    const first = [complete(server, GOOD), complete(server, GOOD)];
    await until(() => begun.length === 1);
    await vi.waitFor(async () => {
      const refused = await post(server, GOOD);
      expect([refused.status, errorOf(refused).code, refused.headers.get('retry-after')]).toEqual([
        429,
        'serve/busy',
        '1',
      ]);
    });
    release();
    await Promise.all(first);
    expect((await post(server, GOOD)).status).toBe(200);
    await server.close();
  });
});

describe('a client that goes away', () => {
  it.each([true, false])('ends its work, streaming: %s', async (stream) => {
    const { waiting, begun, release } = held(tiny.served);
    const server = await startServer(waiting, { host: '127.0.0.1', port: 0, special: true });
    const leaving = new AbortController();
    const asked = fetch(`${server.url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...GOOD, stream }),
      signal: leaving.signal,
    });
    const left = expect(asked).rejects.toThrow();
    await until(() => begun.length === 1);
    leaving.abort();
    await left;
    await until(() => begun[0]!.aborted);
    // Nobody else waits for it.
    release();
    expect((await post(server, GOOD)).status).toBe(200);
    await server.close();
  });

  it('while it waits gives its place away', async () => {
    const { waiting, begun, release } = held(tiny.served);
    const server = await startServer(waiting, { host: '127.0.0.1', port: 0, special: true });
    const first = complete(server, GOOD);
    await until(() => begun.length === 1);
    const leaving = new AbortController();
    const second = expect(
      fetch(`${server.url}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(GOOD),
        signal: leaving.signal,
      }),
    ).rejects.toThrow();
    const third = complete(server, GOOD);
    leaving.abort();
    await second;
    release();
    await Promise.all([first, third]);
    expect(begun.length).toBe(2);
    await server.close();
  });
});

describe('the end of the server', () => {
  it('tells who waits, and who is being answered', async () => {
    const { waiting, begun } = held(tiny.served);
    const server = await startServer(waiting, { host: '127.0.0.1', port: 0, special: true });
    const both = [post(server, GOOD), post(server, GOOD)];
    await until(() => begun.length === 1);
    const closing = server.close();
    for (const said of await Promise.all(both)) expect([said.status, errorOf(said).code]).toEqual([503, 'cancelled']);
    await closing;
    await expect(fetch(`${server.url}/v1/models`)).rejects.toThrow();
  });

  it('comes within a stream as its last event', async () => {
    const { waiting, begun } = held({
      ...tiny.served,
      async generate(asked, onToken, signal, pause) {
        await tiny.served.generate({ ...asked, most: 1 }, onToken, signal, pause);
      },
    });
    const server = await startServer(waiting, { host: '127.0.0.1', port: 0, special: true });
    const answer = await fetch(`${server.url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...GOOD, echo: true, stream: true }),
    });
    await until(() => begun.length === 1);
    await Promise.all([
      server.close(),
      answer.text().then((text) => {
        expect(text).toContain('"code":"cancelled"');
        expect(text).not.toContain('[DONE]');
      }),
    ]);
  });
});

describe('where it listens', () => {
  it('a port that is taken is a coded error, as is an address of another machine', async () => {
    const { port } = tiny.server;
    const options = { host: '127.0.0.1', special: true };
    expect((await failureOf(() => startServer(tiny.served, { ...options, port }))).code).toBe('serve/address');
    expect((await failureOf(() => startServer(tiny.served, { ...options, host: '192.0.2.1', port: 0 }))).code).toBe(
      'serve/address',
    );
  });

  it('it knows whether others get there', async () => {
    const wide = await tiny.start({ host: '0.0.0.0' });
    expect([tiny.server.isLoopback, wide.isLoopback]).toEqual([true, false]);
  });
});
