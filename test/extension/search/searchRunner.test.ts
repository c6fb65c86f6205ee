import { describe, expect, it } from 'vitest';
import { cancelledError, EspalierError } from '../../../src/base/errors.ts';
import type { ErrorCode } from '../../../src/base/errors.ts';
import { SearchRunner } from '../../../src/extension/search/searchRunner.ts';
import type { SearchWorker } from '../../../src/extension/search/searchRunner.ts';
import type { SeenWorker } from '../../../src/experiment/seenWorker.ts';
import type { AskedQueue } from '../../../src/extension/queue/queueAccess.ts';
import type { LlmGrant } from '../../../src/search/llm/endpoint.ts';
import type { LlmAccess } from '../../../src/extension/llm/languageModels.ts';
import type { RequestHooks } from '../../../src/protocol/requests.ts';
import { FakeClock, settle } from '../fakeWorker.ts';

const coded = (code: ErrorCode) => new EspalierError({ code, operation: 'a', expected: 'b', actual: 'c', remedy: 'd' });

interface Asked {
  readonly folder: string;
  readonly queue: AskedQueue['grant'] | undefined;
  readonly llm: LlmGrant | undefined;
  readonly hooks: RequestHooks;
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
}

/** A runner over workers that do what the test says. */
function setUp(
  remembered: readonly string[] = [],
  access: (folder: string) => LlmAccess = () => ({ editor: false }),
  queue: () => AskedQueue | undefined = () => undefined,
) {
  const asked: Asked[] = [];
  const ends: string[] = [];
  const ended: string[] = [];
  let memory = remembered;
  const clock = new FakeClock();
  const newWorker = (): SearchWorker => ({
    search: ({ folder, llm, queue: over }, hooks = {}) =>
      new Promise((resolve, reject) => {
        hooks.signal!.onabort = () => {
          resolve('paused');
        };
        asked.push({
          folder,
          llm,
          queue: over,
          hooks,
          finish: () => {
            resolve('finished');
          },
          fail: reject,
        });
      }),
    stop: () => {
      ended.push('stopped');
      return Promise.resolve();
    },
    dispose: () => {
      ended.push('disposed');
      asked.at(-1)?.fail(cancelledError('searching'));
    },
  });
  const runner = new SearchRunner({
    newWorker,
    memory: { get: () => memory, set: (folders) => (memory = folders) },
    llmAccess: (folder) => Promise.resolve(access(folder)),
    askLanguageModel: () => Promise.reject(new Error('nobody is asked')),
    queue: () => Promise.resolve().then(queue),
    clock,
    log: () => undefined,
    onChange: () => undefined,
    onEnd: (folder, end) => ends.push(`${folder} ${typeof end === 'object' ? end.error.code : end}`),
  });
  return { runner, asked, ends, ended, clock, memory: () => memory };
}

describe('a run that this window drives', () => {
  it('may ask what the person has agreed to, and no other language model', async () => {
    const grant = { endpoint: 'http://localhost/v1', key: 'k' };
    const accesses: Readonly<Record<string, LlmAccess>> = {
      '/nobody': { editor: false },
      '/endpoint': { grant, editor: false },
      '/editor': { editor: true },
    };
    const { runner, asked } = setUp([], (folder) => accesses[folder]!);
    for (const folder of Object.keys(accesses)) runner.drive(folder);
    await settle();
    expect(asked.map(({ folder, llm, hooks }) => [folder, llm, hooks.askLanguageModel !== undefined])).toEqual([
      ['/nobody', undefined, false],
      ['/endpoint', grant, false],
      ['/editor', undefined, true],
    ]);
  });

  it('starts, runs, finishes, and is remembered until then', async () => {
    const { runner, asked, ends, ended, memory } = setUp();
    runner.drive('/run');
    await settle();
    runner.drive('/run');
    await settle();
    expect(asked).toHaveLength(1);
    expect(runner.drivingOf('/run')).toEqual({ kind: 'starting' });
    expect(memory()).toEqual(['/run']);
    const progress = { stage: 'reading', done: 1, total: 4, detail: 'block 1 of 4' } as const;
    asked[0]!.hooks.onProgress?.(progress);
    expect(runner.drivingOf('/run')).toEqual({ kind: 'starting', detail: 'block 1 of 4', share: 0.25 });
    asked[0]!.hooks.onGrew?.(0, 'resumed');
    expect(runner.drivingOf('/run')?.kind).toBe('starting');
    asked[0]!.hooks.onGrew?.(1, 'baseline');
    expect(runner.drivingOf('/run')).toEqual({ kind: 'running' });
    asked[0]!.finish();
    await settle();
    expect(runner.drivingOf('/run')).toBeUndefined();
    expect([ends, memory()]).toEqual([['/run finished'], []]);
    expect(ended).toEqual(['stopped', 'disposed']);
  });

  it('is paused, and driven again', async () => {
    const { runner, asked, ends, memory } = setUp();
    runner.drive('/run');
    await settle();
    runner.pause('/run');
    expect(runner.drivingOf('/run')).toEqual({ kind: 'pausing' });
    await settle();
    expect([ends, memory(), runner.errorOf('/run')]).toEqual([['/run paused'], [], undefined]);
    runner.drive('/run');
    await settle();
    expect(asked).toHaveLength(2);
  });

  it('is stopped at once: its process is ended', async () => {
    const { runner, ends, ended } = setUp();
    runner.drive('/run');
    await settle();
    runner.stop('/run');
    expect(ended).toEqual(['disposed']);
    await settle();
    expect(ends).toEqual(['/run paused']);
  });

  it('goes on after its worker died, until that is given up', async () => {
    const { runner, asked, ends, memory } = setUp();
    runner.drive('/run');
    await settle();
    asked[0]!.fail(coded('worker/exited'));
    await settle();
    expect(asked).toHaveLength(2);
    expect(runner.drivingOf('/run')).toEqual({ kind: 'starting' });
    asked[1]!.fail(coded('worker/gave-up'));
    await settle();
    expect([ends, memory()]).toEqual([['/run worker/gave-up'], []]);
    expect(runner.errorOf('/run')?.code).toBe('worker/gave-up');
    runner.drive('/run');
    await settle();
    expect(runner.errorOf('/run')).toBeUndefined();
  });

  it('that failed is told, and not tried again by itself', async () => {
    const { runner, asked, ends } = setUp();
    runner.drive('/run');
    await settle();
    asked[0]!.fail(coded('device/failed'));
    await settle();
    expect([asked.length, ends]).toEqual([1, ['/run device/failed']]);
  });
});

describe('a run that is asked over a queue', () => {
  const over = (host: string, password?: string): AskedQueue => ({
    grant: { address: `redis://${host}`, ...(password !== undefined && { password }) },
    shown: `redis://${host}:6379/0`,
  });
  const worker: SeenWorker = {
    ...{ id: '1', name: 'a', device: 'cpu', state: 'ours', answered: 1, perMinute: 0.5, silent: 2 },
  };

  it('gets address and password by message, and shows the one without the other', async () => {
    const { runner, asked } = setUp([], undefined, () => over('h', 'secret'));
    runner.drive('/run');
    await settle();
    expect(asked[0]!.queue).toEqual({ address: 'redis://h', password: 'secret' });
    const shown = { address: 'redis://h', shown: 'redis://h:6379/0', hasPassword: true, workers: undefined };
    expect(runner.queueOf('/run')).toEqual(shown);
    asked[0]!.hooks.onWorkers?.([worker]);
    expect(runner.queueOf('/run')).toEqual({ ...shown, workers: [worker] });
    asked[0]!.finish();
    await settle();
    expect(runner.queueOf('/run')).toBeUndefined();
  });

  it('says what it waits for until something happens', async () => {
    const { runner, asked } = setUp([], undefined, () => over('h'));
    runner.drive('/run');
    await settle();
    const { hooks } = asked[0]!;
    hooks.onGrew?.(0, 'opened');
    const waits = { stage: 'reading', done: 0, total: 1, detail: 'the server is gone' } as const;
    hooks.onProgress?.(waits);
    expect(runner.drivingOf('/run')).toEqual({ kind: 'running', detail: 'the server is gone' });
    hooks.onGrew?.(1, 'candidate');
    expect(runner.drivingOf('/run')).toEqual({ kind: 'running' });
  });

  it('is computed elsewhere when it is driven again, as the setting says by then', async () => {
    let chosen: AskedQueue | undefined = over('h');
    const { runner, asked, ends, memory } = setUp([], undefined, () => chosen);
    runner.drive('/run');
    await settle();
    chosen = undefined;
    runner.driveAgain('/run');
    await settle();
    expect(asked.map(({ queue }) => queue)).toEqual([{ address: 'redis://h' }, undefined]);
    expect([runner.queueOf('/run'), ends, memory()]).toEqual([undefined, [], ['/run']]);
    // Whoever stops it meanwhile is the last who said something.
    runner.driveAgain('/run');
    runner.stop('/run');
    await settle();
    expect([asked.length, ends]).toEqual([2, ['/run paused']]);
  });

  it('does not begin where the setting is no address, and says so', async () => {
    const { runner, asked, ends } = setUp([], undefined, () => {
      throw coded('queue/address');
    });
    runner.drive('/run');
    await settle();
    expect([asked, ends, runner.errorOf('/run')?.code]).toEqual([[], ['/run queue/address'], 'queue/address']);
  });

  it('that has no workers of a queue believes nobody who tells of some', async () => {
    const { runner, asked } = setUp();
    runner.drive('/run');
    await settle();
    asked[0]!.hooks.onWorkers?.([worker]);
    expect(runner.queueOf('/run')).toBeUndefined();
  });
});

describe('a window that was reloaded', () => {
  it('goes on with what it drove; the process before may take a moment to end', async () => {
    const { runner, asked, ends, clock } = setUp(['/run', '/other']);
    runner.resumeRemembered();
    await settle();
    expect(asked.map(({ folder }) => folder)).toEqual(['/run', '/other']);
    asked[0]!.fail(coded('runs/in-use'));
    await clock.pass(500);
    expect(asked.map(({ folder }) => folder)).toEqual(['/run', '/other', '/run']);
    expect(ends).toEqual([]);
    for (let i = 2; asked[i]; i++) {
      asked[i]!.fail(coded('runs/in-use'));
      await clock.pass(600);
    }
    expect(ends).toEqual(['/run runs/in-use']);
  });

  it('that is closed ends all processes and remembers them', async () => {
    const { runner, ended, memory, ends } = setUp();
    runner.drive('/run');
    await settle();
    runner.dispose();
    await settle();
    expect([ended, memory(), ends]).toEqual([['disposed'], ['/run'], []]);
    runner.drive('/another');
    await settle();
    expect(runner.folders).toEqual(['/run']);
  });
});
