import { afterEach, describe, expect, it } from 'vitest';
import { EspalierError } from '../../../src/base/errors.ts';
import { Supervisor } from '../../../src/extension/worker/supervisor.ts';
import { samplePlan, sampleResult } from '../../protocol/samples.ts';
import { FakeClock, FakeWorker, settle } from '../fakeWorker.ts';
import type { Behaviour } from '../fakeWorker.ts';

let undo: (() => void)[] = [];
afterEach(() => {
  for (const each of undo) each();
  undo = [];
});

/** A supervisor whose n-th worker behaves as the n-th entry says, and the last one for ever. */
function setUp(...behaviours: Behaviour[]) {
  const clock = new FakeClock();
  const workers: FakeWorker[] = [];
  const states: string[] = [];
  const log: string[] = [];
  const supervisor = new Supervisor({
    spawn: () => {
      const worker = new FakeWorker(behaviours[Math.min(workers.length, behaviours.length - 1)]!);
      workers.push(worker);
      return worker;
    },
    version: '1',
    clock,
    log: (line) => log.push(line),
  });
  supervisor.onChange((state) => {
    if (states.at(-1) !== state.kind) states.push(state.kind);
  });
  undo.push(() => {
    supervisor.dispose();
  });
  const evaluate = () => {
    const controller = new AbortController();
    const outcome = supervisor.request('evaluate', samplePlan(), { signal: controller.signal }).then(
      (results) => results[0]!.perplexity,
      (error: unknown) => (error instanceof EspalierError ? error.code : String(error)),
    );
    return {
      outcome,
      cancel: () => {
        controller.abort();
      },
    };
  };
  return { supervisor, clock, workers, states, log, evaluate };
}

describe('a worker that works', () => {
  it('is started by the first request and stays', async () => {
    const { supervisor, workers, states, evaluate } = setUp('healthy');
    expect(supervisor.state.kind).toBe('stopped');
    const first = evaluate();
    await settle();
    expect(supervisor.state).toEqual({ kind: 'busy', pid: workers[0]!.pid });
    workers[0]!.finish();
    expect(await first.outcome).toBe(sampleResult().perplexity);
    await supervisor.request('devices', {});
    expect(states).toEqual(['starting', 'ready', 'busy', 'ready', 'busy', 'ready']);
    expect(workers).toHaveLength(1);
  });

  it('serves all who asked while it was starting', async () => {
    const { supervisor, workers } = setUp('healthy');
    const replies = await Promise.all([supervisor.request('devices', {}), supervisor.request('devices', {})]);
    expect(replies).toEqual([[], []]);
    expect(workers).toHaveLength(1);
  });

  it('acknowledges cancelling and is kept', async () => {
    const { supervisor, clock, workers, evaluate } = setUp('healthy');
    const running = evaluate();
    await settle();
    running.cancel();
    expect(await running.outcome).toBe('cancelled');
    await clock.pass(60_000);
    expect(supervisor.state.kind).toBe('ready');
    expect(workers.map(({ killed }) => killed)).toEqual([false]);
  });

  it('leaves no timer behind', async () => {
    const { clock, workers, evaluate } = setUp('healthy');
    const running = evaluate();
    await settle();
    workers[0]!.finish();
    await running.outcome;
    expect(clock.pending).toBe(0);
  });
});

describe('a worker that dies', () => {
  it.each([
    ['by a signal', { code: null, signal: 'SIGKILL' }, 'SIGKILL'],
    ['with an exit code', { code: 134, signal: null }, '134'],
  ])('during an evaluation, %s: the evaluation fails, says how, and the next one works', async (_, exit, said) => {
    const { supervisor, clock, workers, states, log, evaluate } = setUp('healthy');
    const [one, two] = [evaluate(), evaluate()];
    await settle();
    workers[0]!.exit(exit);
    expect(await Promise.all([one.outcome, two.outcome])).toEqual(['worker/exited', 'worker/exited']);
    expect(log.join('\n')).toContain(said);
    expect(log.join('\n')).toContain('last words');
    await clock.pass(1000);
    expect(supervisor.state.kind).toBe('ready');
    const next = evaluate();
    await settle();
    workers[1]!.finish();
    expect(await next.outcome).toBe(sampleResult().perplexity);
    expect(states).toEqual(['starting', 'ready', 'busy', 'starting', 'ready', 'busy', 'ready']);
  });

  it('while idle is restarted without a word to the user', async () => {
    const { supervisor, clock, workers } = setUp('healthy');
    await supervisor.request('devices', {});
    workers[0]!.exit({ code: 1, signal: null });
    await clock.pass(1000);
    expect(supervisor.state.kind).toBe('ready');
    expect(workers).toHaveLength(2);
  });

  it('at its start is started again, and the request that waits is served', async () => {
    const { clock, workers, evaluate } = setUp('dies at start', 'dies at start', 'healthy');
    const running = evaluate();
    await clock.pass(5000);
    workers[2]!.finish();
    expect(await running.outcome).toBe(sampleResult().perplexity);
  });

  it.each<[Behaviour]>([['dies at start'], ['cannot be started'], ['never answers']])(
    'every time (%s): gives up after five restarts; a retry starts anew',
    async (behaviour) => {
      const { supervisor, clock, workers, evaluate } = setUp(...Array<Behaviour>(6).fill(behaviour), 'healthy');
      const running = evaluate();
      await clock.pass(150_000);
      expect(await running.outcome).toBe('worker/gave-up');
      expect(workers).toHaveLength(6);
      expect(workers.every(({ gone }) => gone)).toBe(true);
      expect(supervisor.state.kind).toBe('failed');
      expect(await evaluate().outcome).toBe('worker/gave-up');
      await clock.pass(600_000);
      expect(workers).toHaveLength(6);

      await supervisor.restart();
      await clock.pass(1000);
      expect(supervisor.state.kind).toBe('ready');
    },
  );

  it('counts crashes within three minutes only', async () => {
    const { supervisor, clock, workers } = setUp('healthy');
    await supervisor.request('devices', {});
    for (let crash = 0; crash < 12; crash++) {
      workers.at(-1)!.exit({ code: 1, signal: null });
      await clock.pass(40_000);
      expect(supervisor.state.kind).toBe('ready');
    }
    for (let crash = 0; crash < 6; crash++) {
      workers.at(-1)!.exit({ code: 1, signal: null });
      await clock.pass(4000);
    }
    expect(supervisor.state.kind).toBe('failed');
  });
});

describe('a worker that misbehaves', () => {
  it('and ignores cancelling is killed after two seconds, and the next evaluation gets a new one', async () => {
    const { supervisor, clock, workers, evaluate } = setUp('ignores cancelling', 'healthy');
    const running = evaluate();
    await settle();
    running.cancel();
    await clock.pass(1999);
    expect(workers[0]!.killed).toBe(false);
    const next = evaluate();
    await clock.pass(1);
    expect(await running.outcome).toBe('cancelled');
    expect(workers[0]!.gone).toBe(true);
    // It was sent to the same worker before that was killed; it is told so.
    expect(await next.outcome).toBe('cancelled');
    const later = evaluate();
    await settle();
    workers[1]!.finish();
    expect(await later.outcome).toBe(sampleResult().perplexity);
    expect(supervisor.state.kind).toBe('ready');
  });

  it('and speaks another protocol is not tried again', async () => {
    const { supervisor, clock, workers, evaluate } = setUp('speaks another protocol');
    expect(await evaluate().outcome).toBe('protocol/version');
    await clock.pass(600_000);
    expect(workers).toHaveLength(1);
    expect(workers[0]!.gone).toBe(true);
    expect(supervisor.state.kind).toBe('failed');
  });

  it('and cannot be killed does not hold up the next', async () => {
    const { supervisor, clock, workers, evaluate } = setUp('cannot be killed', 'healthy');
    await supervisor.request('devices', {});
    const stopping = evaluate();
    await settle();
    const stopped = supervisor.stop();
    expect(await stopping.outcome).toBe('cancelled');
    const next = evaluate();
    await clock.pass(5000);
    await stopped;
    workers[1]!.finish();
    expect(await next.outcome).toBe(sampleResult().perplexity);
  });
});

describe('the end', () => {
  it.each<[Behaviour, number, boolean]>([
    ['healthy', 0, false],
    ['ignores shutdown', 1000, true],
  ])('stops a worker that %s within %i ms', async (behaviour, time, killed) => {
    const { supervisor, clock, workers } = setUp(behaviour);
    await supervisor.request('devices', {});
    const stopped = supervisor.stop();
    await clock.pass(time);
    await stopped;
    expect(supervisor.state.kind).toBe('stopped');
    expect(workers.map((worker) => [worker.gone, worker.killed])).toEqual([[true, killed]]);
    await clock.pass(600_000);
    expect(workers).toHaveLength(1);
  });

  it.each<[Behaviour]>([['healthy'], ['dies at start'], ['never answers'], ['ignores cancelling']])(
    'of the window settles everything and leaves no process (%s)',
    async (behaviour) => {
      const { supervisor, clock, workers, evaluate } = setUp(behaviour);
      const running = evaluate();
      await settle();
      supervisor.dispose();
      expect(await running.outcome).toBe('cancelled');
      await clock.pass(600_000);
      expect(workers.every(({ gone }) => gone)).toBe(true);
      expect(await evaluate().outcome).toBe('cancelled');
    },
  );

  it('of a wait: a request cancelled before the worker is there goes nowhere', async () => {
    const { workers, clock, evaluate } = setUp('never answers', 'healthy');
    const running = evaluate();
    await settle();
    running.cancel();
    expect(await running.outcome).toBe('cancelled');
    await clock.pass(30_000);
    expect(workers.at(-1)!.evaluations).toBe(0);
  });

  it('of a life: restarting ends what runs and brings a new worker', async () => {
    const { supervisor, clock, workers, evaluate } = setUp('healthy');
    const running = evaluate();
    await settle();
    const restarted = supervisor.restart();
    expect(await running.outcome).toBe('cancelled');
    await restarted;
    await clock.pass(100);
    expect(supervisor.state).toEqual({ kind: 'ready', pid: workers[1]!.pid });
  });
});
