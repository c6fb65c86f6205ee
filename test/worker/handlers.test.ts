import { afterEach, describe, expect, it } from 'vitest';
import { EspalierError, throwIfCancelled } from '../../src/base/errors.ts';
import type { EvaluationHooks } from '../../src/engine/evaluation/hooks.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { EvaluationPlan } from '../../src/experiment/planSchema.ts';
import type { PerplexityResult } from '../../src/experiment/resultSchema.ts';
import { ProtocolClient } from '../../src/protocol/client.ts';
import { serve } from '../../src/protocol/server.ts';
import { createHandlers } from '../../src/worker/handlers.ts';
import type { WorkerParts } from '../../src/worker/handlers.ts';
import { memoryTransport } from '../protocol/memoryTransport.ts';
import {
  sampleCosts,
  sampleExportReport,
  sampleInspection,
  sampleGenerated,
  samplePreflight,
  samplePlan,
  sampleResult,
  sampleServed,
  sampleSummary,
  sampleClass,
} from '../protocol/samples.ts';

/** An engine whose evaluation takes `steps` turns of the event loop, as the real one yields after each program. */
class SteppedEngine implements Engine {
  running = 0;
  most = 0;
  steps = 0;
  disposed = false;
  isOutOfLuck = false;

  evaluate = async (plan: EvaluationPlan, hooks: EvaluationHooks = {}): Promise<readonly PerplexityResult[]> => {
    if (this.isOutOfLuck) throw new Error('out of luck');
    this.most = Math.max(this.most, ++this.running);
    try {
      const total = plan.settings.blocks;
      for (let done = 1; done <= total; done++) {
        this.steps++;
        hooks.onProgress?.({ stage: 'evaluating', done, total, detail: `block ${done} of ${total}` });
        await new Promise(setImmediate);
        throwIfCancelled(hooks.signal, 'evaluating');
      }
      hooks.onFailure?.({ code: 'metric/invalid-score', operation: 'a', expected: 'b', actual: 'c', remedy: 'd' }, 0);
      hooks.onResult?.(sampleResult(), 1);
      return [sampleResult()];
    } finally {
      this.running--;
    }
  };

  preflight = () => Promise.resolve(samplePreflight());
  inspect = () => Promise.resolve(sampleInspection());
  open: Engine['open'] = () => Promise.reject(new Error('nothing to search'));
  probe = () => Promise.resolve([]);
  measure = () => Promise.resolve([]);
  train = () => Promise.resolve({ losses: [], state: null, seconds: 0 });
  validate = () => Promise.resolve({ loss: 3, seconds: 0 });
  recovered = () => Promise.resolve(sampleResult());
  saveRecovery: Engine['saveRecovery'] = ({ to, as }) => Promise.resolve({ folder: to, as, bytes: 0 });
  exportModel = () => Promise.resolve(sampleExportReport());
  exportRecovered = () => Promise.resolve(sampleExportReport());
  readers = () => Promise.resolve({ verdicts: [], exact: true });
  measureSpeed = () => Promise.resolve([]);
  costs = () => Promise.resolve(sampleCosts());
  verify = () => Promise.resolve(sampleExportReport().verification);
  openSpeed = () => Promise.resolve({ parameters: 1000, bytes: 4000, modelLength: 256 });
  speedRound = () =>
    Promise.resolve({ seconds: 0.5, decode: { seconds: 0.1, tokens: 16, batch: 1 }, peakMemory: 100e6 });
  componentScores = () => Promise.resolve({ groups: '', channels: '' });
  openServed = () => Promise.resolve(sampleServed());
  generate: Engine['generate'] = () => Promise.resolve(sampleGenerated());
  score: Engine['score'] = () => Promise.resolve([]);
  closeServed = () => Promise.resolve({});
  tokenizerOf: Engine['tokenizerOf'] = () => {
    throw new Error('not asked for');
  };
  describe = (model: string) => Promise.resolve(sampleSummary(model));
  workClass = () => Promise.resolve(sampleClass());
  tokens = () => Promise.resolve(new Int32Array());
  dispose = () => {
    this.disposed = true;
    return Promise.resolve();
  };
}

/** A search of three events, paused before the first where it is asked to recover. */
const countToThree: WorkerParts['search'] = async ({ recover }, { signal, onGrew }) => {
  for (let seq = 0; seq < 3; seq++) {
    if (recover)
      await new Promise<void>(
        (resolve) =>
          (signal.onabort = () => {
            resolve();
          }),
      );
    if (signal.aborted) return 'paused';
    onGrew(seq, 'resumed');
  }
  return 'finished';
};

let close: (() => void) | undefined;
afterEach(() => close?.());

async function setUp() {
  const engine = new SteppedEngine();
  const ends = memoryTransport();
  let now = 0;
  let exits = 0;
  const handlers = createHandlers(engine, {
    exit: () => exits++,
    search: countToThree,
    devices: () => Promise.resolve([{ name: 'cpu' as const, works: true, detail: '2 threads', float16: false }]),
    identifyModel: (folder) => (folder === '/gone' ? Promise.reject(new Error('ENOENT')) : Promise.resolve('hash')),
    firstDocuments: (file, most) =>
      file === '/gone'
        ? Promise.reject(new Error('ENOENT'))
        : Promise.resolve(
            Array.from({ length: most + 1 }, (_, i) => ({
              i,
              text: 'x'.repeat(file === '/huge' ? 2_000_000 : file === '/long' ? 300_000 : 3),
            })),
          ),
    identifyFile: (file, signal) =>
      new Promise<string>((resolve, reject) => {
        if (file !== '/slow') resolve('hash');
        signal.addEventListener('abort', () => {
          reject(new EspalierError({ code: 'cancelled', operation: 'a', expected: 'b', actual: 'c', remedy: 'd' }));
        });
      }),
  });
  serve(ends.server.reader, ends.server.writer, handlers, {
    ...{ version: '1', pid: 1, log: () => undefined },
    now: () => (now += 10),
  });
  const client = new ProtocolClient(ends.client.reader, ends.client.writer, {
    log: () => undefined,
    onBroken: () => undefined,
  });
  close = () => {
    client.dispose(new EspalierError({ code: 'cancelled', operation: 'a', expected: 'b', actual: 'c', remedy: 'd' }));
  };
  await client.initialize('1');
  return { client, engine, ends, exits: () => exits };
}

const planOf = (blocks: number): EvaluationPlan => samplePlan({ settings: { ...samplePlan().settings, blocks } });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'settled',
    (error: unknown) => (error as EspalierError).code,
  );

describe('search', () => {
  it('passes events on under their numbers, while the device is free for others', async () => {
    const { client } = await setUp();
    const seen: number[] = [];
    const pause = new AbortController();
    const paused = client.request('search', { folder: '/r', recover: true }, { signal: pause.signal });
    const other = client.request('search', { folder: '/r' }, { onGrew: (seq) => seen.push(seq) });
    await expect(other).resolves.toBe('finished');
    expect(seen).toEqual([0, 1, 2]);
    await client.request('evaluate', planOf(1));
    pause.abort();
    await expect(paused).resolves.toBe('paused');
  });
});

describe('evaluate', () => {
  it('passes results and failures on under their index, and progress no faster than one can read', async () => {
    const { client } = await setUp();
    const seen: unknown[] = [];
    await client.request('evaluate', planOf(100), {
      onProgress: ({ done }) => seen.push(done),
      onResult: (_, index) => seen.push(`result ${index}`),
      onFailure: ({ code }, index) => seen.push(`failure ${index} ${code}`),
    });
    // One event in 80 ms of a clock that moves 10 ms a step, and always the last.
    expect(seen).toEqual([
      1,
      9,
      17,
      25,
      33,
      41,
      49,
      57,
      65,
      73,
      81,
      89,
      97,
      100,
      'failure 0 metric/invalid-score',
      'result 1',
    ]);
  });

  it('is cancelled between steps', async () => {
    const { client, engine } = await setUp();
    const controller = new AbortController();
    const outcome = codeOf(
      client.request('evaluate', planOf(1_000_000), {
        signal: controller.signal,
        onProgress: () => {
          controller.abort();
        },
      }),
    );
    expect(await outcome).toBe('cancelled');
    expect(engine.steps).toBeLessThan(100);
  });

  it('runs one at a time, in order; one that waits can be cancelled at once', async () => {
    const { client, engine } = await setUp();
    const order: string[] = [];
    const controller = new AbortController();
    const [first, second, third] = [
      client.request('evaluate', planOf(200)).then(() => order.push('first')),
      codeOf(client.request('evaluate', planOf(10), { signal: controller.signal })).then((code) => order.push(code)),
      client.request('evaluate', planOf(10)).then(() => order.push('third')),
    ];
    setImmediate(() => {
      controller.abort();
    });
    await Promise.all([first, second, third]);
    expect(order).toEqual(['cancelled', 'first', 'third']);
    expect(engine.most).toBe(1);
    expect(engine.steps).toBe(210);
  });

  it('that fails does not hold up the next', async () => {
    const { client, engine } = await setUp();
    engine.isOutOfLuck = true;
    expect(await codeOf(client.request('evaluate', planOf(1)))).toBe('internal');
    engine.isOutOfLuck = false;
    await expect(client.request('evaluate', planOf(1))).resolves.toMatchObject([{ metric: 'wanda' }]);
  });

  it('stops when the editor goes away', async () => {
    const { client, engine, ends } = await setUp();
    void codeOf(client.request('evaluate', planOf(1_000_000)));
    await expect.poll(() => engine.running).toBe(1);
    ends.server.close();
    await expect.poll(() => engine.running).toBe(0);
  });
});

describe('the other requests', () => {
  it('identify inputs, null for what cannot be read, and can be cancelled', async () => {
    const { client } = await setUp();
    await expect(client.request('identify', { models: ['/m', '/gone'], files: ['/f'] })).resolves.toEqual({
      models: ['hash', null],
      files: ['hash'],
    });
    const controller = new AbortController();
    const outcome = codeOf(client.request('identify', { models: [], files: ['/slow'] }, { signal: controller.signal }));
    setTimeout(() => {
      controller.abort();
    }, 5);
    expect(await outcome).toBe('cancelled');
  });

  it('give the first documents of a file, as many as can be shown', async () => {
    const { client } = await setUp();
    const { documents } = await client.request('firstDocuments', { file: '/f' });
    expect(documents).toHaveLength(9);
    expect(documents[0]).toEqual({ i: 0, text: 'xxx' });
    expect((await client.request('firstDocuments', { file: '/long' })).documents).toHaveLength(3);
    expect(await codeOf(client.request('firstDocuments', { file: '/huge' }))).toBe('tasks/too-large');
    expect(await codeOf(client.request('firstDocuments', { file: '/gone' }))).toBe('internal');
  });

  it('list devices and describe a checkpoint', async () => {
    const { client } = await setUp();
    await expect(client.request('devices', {})).resolves.toMatchObject([{ name: 'cpu', works: true }]);
    await expect(client.request('describe', { model: '/m' })).resolves.toMatchObject({ folder: '/m', blocks: 6 });
    const asked = { device: 'cpu', precision: 'float32' } as const;
    await expect(client.request('workClass', asked)).resolves.toEqual(sampleClass());
  });

  it('shut down: the reply comes, the engine is released, the process exits', async () => {
    const { client, engine, exits } = await setUp();
    await expect(client.request('shutdown', {})).resolves.toEqual({});
    expect(engine.disposed).toBe(true);
    await expect.poll(exits).toBe(1);
  });
});
