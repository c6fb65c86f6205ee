import { asRanked } from '../../src/experiment/planned.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import type { ErrorCode } from '../../src/base/errors.ts';
import type { SeenWorker } from '../../src/experiment/seenWorker.ts';
import { ProtocolClient } from '../../src/protocol/client.ts';
import type { SearchPlan } from '../../src/search/kinds.ts';
import { PROTOCOL_VERSION, REQUESTS } from '../../src/protocol/requests.ts';
import type { RequestName, RequestParams } from '../../src/protocol/requests.ts';
import { serve } from '../../src/protocol/server.ts';
import type { RequestHandlers } from '../../src/protocol/server.ts';
import { memoryTransport } from './memoryTransport.ts';
import type { Transport } from './memoryTransport.ts';
import {
  idleStructureHandlers,
  sampleInspection,
  sampleMaskPlan,
  samplePreflight,
  sampleOpening,
  samplePlan,
  sampleRatePlan,
  sampleResult,
  sampleSearchPlan,
  sampleStructureOpening,
  sampleSummary,
} from './samples.ts';

const handlers: RequestHandlers = {
  evaluate: (plan, { signal, onProgress, onResult }) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(failure('cancelled'));
      });
      if (plan.model === '/hang') return;
      if (plan.model === '/fail') {
        reject(failure('checkpoint/config'));
        return;
      }
      if (plan.model === '/throw') throw new TypeError('x is not a function');
      onProgress({ stage: 'pruning', done: 1, total: 2, detail: 'block 1 of 2' });
      onResult(sampleResult(), 0);
      resolve([sampleResult()]);
    }),
  preflight: (_, { onProgress }) => {
    onProgress({ stage: 'reading', done: 0, total: 0, detail: 'reading the checkpoint' });
    return Promise.resolve(samplePreflight());
  },
  inspect: ({ tensor }, { onProgress }) => {
    onProgress({ stage: 'evaluating', done: 1, total: 1, detail: 'node 1 of 1' });
    return Promise.resolve(sampleInspection(tensor === null ? {} : { tensor }));
  },
  open: (plan, { onProgress }) => {
    onProgress({ stage: 'evaluating', done: 1, total: 2, detail: 'dense, block 1 of 2' });
    return Promise.resolve(plan.kind === 'metrics' ? sampleOpening() : sampleStructureOpening());
  },
  probe: () => Promise.resolve([]),
  measure: () => Promise.resolve([]),
  ...idleStructureHandlers(),
  search: ({ folder }, { signal, onGrew }) => {
    onGrew(3, 'resumed');
    if (folder !== '/long') return Promise.resolve('finished');
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        resolve('paused');
      });
    });
  },
  devices: () => Promise.resolve([]),
  describe: ({ model }) => Promise.resolve(sampleSummary(model)),
  identify: ({ models, files }) =>
    Promise.resolve({ models: models.map(() => null), files: files.map((file) => `hash of ${file}`) }),
  shutdown: () => Promise.resolve({}),
};

interface Connected {
  client: ProtocolClient;
  ends: { client: Transport; server: Transport };
  broken: string[];
  log: string[];
}

const open: Connected[] = [];

function connect(changes: Partial<RequestHandlers> = {}): Connected {
  const ends = memoryTransport();
  const log: string[] = [];
  const broken: string[] = [];
  serve(
    ends.server.reader,
    ends.server.writer,
    { ...handlers, ...changes },
    { version: '1', pid: 7, log: (line) => log.push(line) },
  );
  const client = new ProtocolClient(ends.client.reader, ends.client.writer, {
    log: (line) => log.push(line),
    onBroken: (reason) => broken.push(reason),
  });
  const connected = { client, ends, broken, log };
  open.push(connected);
  return connected;
}

afterEach(() => {
  for (const { client } of open.splice(0)) client.dispose(failure('worker/exited'));
});

function failure(code: ErrorCode): EspalierError {
  return new EspalierError({ code, operation: 'testing', expected: 'this', actual: 'that', remedy: 'None.' });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'settled',
    (error: unknown) => (error instanceof EspalierError ? error.code : `not coded: ${String(error)}`),
  );
}

describe('a request settles with its result or with the coded error of the worker', () => {
  it('evaluates, with events before the reply', async () => {
    const { client } = connect();
    await expect(client.initialize('1')).resolves.toEqual({ protocol: PROTOCOL_VERSION, version: '1', pid: 7 });
    const seen: string[] = [];
    const reply = await client.request('evaluate', samplePlan(), {
      onProgress: ({ detail }) => seen.push(detail),
      onResult: ({ metric }) => seen.push(metric),
    });
    seen.push('reply');
    expect(seen).toEqual(['block 1 of 2', 'wanda', 'reply']);
    expect(reply).toEqual([sampleResult()]);
  });

  it.each<[string, SearchPlan, unknown]>([
    ['metrics', sampleSearchPlan(), sampleOpening()],
    ['rates', sampleRatePlan(), sampleStructureOpening()],
    ['masks', sampleMaskPlan(), sampleStructureOpening()],
  ])('opens a search for %s, with progress before the reply', async (_, plan, opening) => {
    const { client } = connect();
    await client.initialize('1');
    const seen: string[] = [];
    const found = await client.request('open', plan, { onProgress: ({ detail }) => seen.push(detail) });
    expect(seen).toEqual(['dense, block 1 of 2']);
    expect(found).toEqual(opening);
  });

  it('inspects a metric, with progress before the reply', async () => {
    const { client } = connect();
    await client.initialize('1');
    const seen: string[] = [];
    const asked = { plan: samplePlan(), tensor: 'a.weight' };
    const inspection = await client.request('inspect', asked, { onProgress: ({ detail }) => seen.push(detail) });
    expect(seen).toEqual(['node 1 of 1']);
    expect(inspection).toEqual(sampleInspection({ tensor: 'a.weight' }));
  });

  it('correlates replies that come in another order', async () => {
    const waiting: ((hash: string) => void)[] = [];
    const { client } = connect({
      identify: () =>
        new Promise((resolve) =>
          waiting.push((hash) => {
            resolve({ models: [hash], files: [] });
          }),
        ),
    });
    await client.initialize('1');
    const first = client.request('identify', { models: ['a'], files: [] });
    const second = client.request('identify', { models: ['b'], files: [] });
    await expect.poll(() => waiting.length).toBe(2);
    waiting[1]!('second');
    await expect(second).resolves.toMatchObject({ models: ['second'] });
    waiting[0]!('first');
    await expect(first).resolves.toMatchObject({ models: ['first'] });
  });

  it.each([
    ['an error of the engine keeps its code', '/fail', 'checkpoint/config'],
    ['a defect is internal', '/throw', 'internal'],
  ])('%s', async (_, model, code) => {
    const { client } = connect();
    await client.initialize('1');
    expect(await codeOf(client.request('evaluate', samplePlan({ model })))).toBe(code);
  });

  it('cancels through the signal, before and while it runs', async () => {
    const { client } = connect();
    await client.initialize('1');
    const controller = new AbortController();
    const running = client.request('evaluate', samplePlan({ model: '/hang' }), { signal: controller.signal });
    setTimeout(() => {
      controller.abort();
    }, 5);
    expect(await codeOf(running)).toBe('cancelled');
    expect(
      await codeOf(client.request('evaluate', samplePlan({ model: '/hang' }), { signal: controller.signal })),
    ).toBe('cancelled');
  });

  it('rejects everything pending when the owner gives up the connection, and everything after', async () => {
    const { client, ends, broken } = connect();
    await client.initialize('1');
    const pending = [1, 2, 3].map(() => codeOf(client.request('evaluate', samplePlan({ model: '/hang' }))));
    ends.client.close();
    await expect.poll(() => broken.length).toBeGreaterThan(0);
    client.dispose(failure('worker/exited'));
    expect(await Promise.all(pending)).toEqual(['worker/exited', 'worker/exited', 'worker/exited']);
    expect(await codeOf(client.request('devices', {}))).toBe('worker/exited');
  });

  it('aborts what runs in the worker when the client goes away', async () => {
    let aborted = false;
    const { client, ends } = connect({
      evaluate: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(failure('cancelled'));
          });
        }),
    });
    await client.initialize('1');
    void codeOf(client.request('evaluate', samplePlan()));
    await new Promise((resolve) => setTimeout(resolve, 10));
    ends.server.close();
    await expect.poll(() => aborted).toBe(true);
  });
});

describe('what arrives is checked', () => {
  const cases: [string, RequestName | 'fly', unknown, string][] = [
    ['an unknown request', 'fly', {}, 'protocol/unknown-request'],
    ['a name that every object has', 'constructor' as RequestName, {}, 'protocol/unknown-request'],
    ['no parameters', 'evaluate', undefined, 'protocol/malformed'],
    ['parameters by position', 'evaluate', [1, 2], 'protocol/malformed'],
    ['a field too many', 'devices', { extra: 1 }, 'protocol/malformed'],
    ['a plan without a model', 'evaluate', { ...samplePlan(), model: undefined }, 'protocol/malformed'],
    [
      'a setting out of range',
      'evaluate',
      { ...samplePlan(), settings: { ...samplePlan().settings, length: 1 } },
      'protocol/malformed',
    ],
    [
      'an unknown operation',
      'evaluate',
      { ...planWith({ kind: 'operation', operation: 'toString', arguments: [] }) },
      'protocol/malformed',
    ],
    [
      'a wrong number of arguments',
      'evaluate',
      { ...planWith({ kind: 'operation', operation: 'add', arguments: [{ kind: 'number', value: 1 }] }) },
      'protocol/malformed',
    ],
    ['an expression without end', 'evaluate', { ...planWith(nested(600)) }, 'protocol/malformed'],
    [
      '4:2 sparsity',
      'evaluate',
      {
        ...samplePlan({
          evaluations: [
            { ...asRanked(samplePlan().evaluations[0]!, 'testing'), sparsity: { kind: 'n:m', keep: 4, of: 2 } },
          ],
        }),
      },
      'protocol/malformed',
    ],
  ];
  it.each(cases)('%s: refused before it is sent, and refused on arrival', async (_, name, params, code) => {
    const { client, ends } = connect();
    await client.initialize('1');
    if (name !== 'fly' && Object.hasOwn(REQUESTS, name)) {
      expect(await codeOf(client.request(name as 'devices', params as RequestParams<'devices'>))).toBe(
        'protocol/malformed',
      );
    }
    expect(await rawReplyCode(ends, { jsonrpc: '2.0', id: 'raw', method: name, params })).toBe(code);
    // And the connection is as good as before.
    await expect(client.request('devices', {})).resolves.toEqual([]);
  });

  it('a search tells what happens in it, and is paused rather than cancelled', async () => {
    const { client } = connect();
    await client.initialize('1');
    const seen: unknown[] = [];
    const pause = new AbortController();
    const onGrew = (seq: number, kind: string): void => {
      seen.push([seq, kind]);
      pause.abort();
    };
    await expect(client.request('search', { folder: '/short' })).resolves.toBe('finished');
    const asked = client.request('search', { folder: '/long', workers: 2 }, { onGrew, signal: pause.signal });
    await expect(asked).resolves.toBe('paused');
    expect(seen).toEqual([[3, 'resumed']]);
  });

  it.each<[string, number, Partial<SeenWorker>, boolean]>([
    ['who answers', 3, { detail: 'expected cpu, has cuda' }, true],
    ['as many as are told of one by one', 1000, {}, true],
    ['more of them', 1001, {}, false],
    ['one in no state that there is', 1, { state: 'asleep' as 'idle' }, false],
    ['one without a name', 1, { name: '' }, false],
  ])('a search over a queue tells %s', async (_, count, changes, isTold) => {
    const worker: SeenWorker = {
      ...{ id: '1', name: 'a', device: 'cpu', state: 'ours', answered: 1, perMinute: 0.5, silent: 2 },
      ...changes,
    };
    const workers = Array<SeenWorker>(count).fill(worker);
    const asked: unknown[] = [];
    const { client, log } = connect({
      search: ({ queue }, { onWorkers }) => {
        asked.push(queue);
        onWorkers(workers);
        return Promise.resolve('finished');
      },
    });
    await client.initialize('1');
    const seen: unknown[] = [];
    const queue = { address: 'redis://host', password: 'secret' };
    await client.request('search', { folder: '/short', queue }, { onWorkers: (all) => seen.push(all) });
    expect(asked).toEqual([queue]);
    expect(seen).toEqual(isTold ? [workers] : []);
    expect(log).toHaveLength(isTold ? 0 : 1);
  });

  it('says nothing of a request that gives no name for it', async () => {
    const { client, ends } = connect();
    await client.initialize('1');
    const seen: unknown[] = [];
    ends.client.tap((message) => seen.push((message as { method?: string }).method));
    expect(await rawReplyCode(ends, { jsonrpc: '2.0', id: 'raw', method: 'evaluate', params: samplePlan() })).toBe(
      'no error',
    );
    expect(seen).toEqual([undefined]);
  });

  it.each([
    ['a question about a request that is over', 'askLanguageModel', { token: 9, ...QUESTION }, 'llm/unreachable'],
    ['a question without a prompt', 'askLanguageModel', { token: 9, ...QUESTION, prompt: 1 }, 'protocol/malformed'],
    ['a question that there is not', 'evaluate', { token: 9, ...samplePlan() }, 'protocol/malformed'],
  ])('refuses %s of the worker', async (_, method, params, code) => {
    const { client, ends } = connect();
    await client.initialize('1');
    const reversed = { client: ends.server, server: ends.client };
    expect(await rawReplyCode(reversed, { jsonrpc: '2.0', id: 'raw', method, params })).toBe(code);
    await expect(client.request('devices', {})).resolves.toEqual([]);
  });

  it('refuses work before the handshake', async () => {
    const { client } = connect();
    expect(await codeOf(client.request('devices', {}))).toBe('protocol/malformed');
  });

  it('says which versions do not fit, whichever end is newer', async () => {
    const { client } = connect();
    expect(await codeOf(client.request('initialize', { protocol: 99, version: '9' }))).toBe('protocol/version');

    const ends = memoryTransport();
    const other = new ProtocolClient(ends.client.reader, ends.client.writer, {
      log: () => undefined,
      onBroken: () => undefined,
    });
    ends.server.reader.listen((message) => {
      ends.server.raw({
        jsonrpc: '2.0',
        id: (message as { id?: unknown }).id,
        result: { protocol: PROTOCOL_VERSION + 1, version: '9', pid: 1 },
      });
    });
    expect(await codeOf(other.initialize('1'))).toBe('protocol/version');
  });

  it('does not believe a result that is none', async () => {
    const { client } = connect({ evaluate: () => Promise.resolve([{ perplexity: 'low' }] as never) });
    await client.initialize('1');
    expect(await codeOf(client.request('evaluate', samplePlan()))).toBe('protocol/malformed');
  });

  it('drops events that are none, and says so in the log', async () => {
    const { client, ends, log } = connect();
    await client.initialize('1');
    ends.server.raw({ jsonrpc: '2.0', method: 'onProgress', params: { token: 'x', about: [] } });
    ends.server.raw({ jsonrpc: '2.0', method: 'surprise', params: {} });
    await expect.poll(() => log.length).toBe(2);
    await expect(client.request('devices', {})).resolves.toEqual([]);
  });
});

const QUESTION = { llm: '', prompt: 'Propose', temperature: 1, replyTokens: 8 };

/** Sends any message to the server and reads the code of its answer off the wire. */
function rawReplyCode(ends: Connected['ends'], message: unknown): Promise<string> {
  return new Promise((resolve) => {
    ends.client.tap((reply) => {
      const { id, error } = reply as { id?: unknown; error?: { data?: { code?: string } } };
      if (id === 'raw' || id === null) resolve(error?.data?.code ?? 'no error');
    });
    ends.client.raw(message);
  });
}

function planWith(expression: unknown): object {
  return { ...samplePlan(), evaluations: [{ ...samplePlan().evaluations[0]!, expression }] };
}

function nested(depth: number): unknown {
  let expression: unknown = { kind: 'operand', name: 'W' };
  for (let i = 0; i < depth; i++) expression = { kind: 'operation', operation: 'neg', arguments: [expression] };
  return expression;
}
