import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queueOfRun } from '../../../src/queue/questionQueue.ts';
import { startAsker } from '../../support/queueAsker.ts';
import { hasRedis, startRedis, WITHOUT_REDIS } from '../../support/queueServers.ts';
import type { TestServer } from '../../support/queueServers.ts';
import { builtCommand, jsonLines } from '../builtCommand.ts';
import type { BuiltCommand } from '../builtCommand.ts';
import {
  activeOf,
  engineOf,
  INPUTS,
  isThere,
  MEASURE,
  PATIENCE,
  PLAN,
  resultOf,
  withWorker,
  WORK,
} from './queueWorker.ts';

const OTHER = { espalier: '0.1.0', onnxruntime: '9', device: 'cpu', deviceName: 'Crystal Ball', precision: 'float32' };

describe.skipIf(!hasRedis)(`espalier worker, and what goes wrong${WITHOUT_REDIS}`, () => {
  let command: BuiltCommand;
  let server: TestServer;
  beforeAll(async () => {
    [command, server] = await Promise.all([builtCommand(), startRedis()]);
  }, 180_000);
  afterAll(() => Promise.all([command.remove(), server.dispose()]));

  it('a run of another class, version or model is refused with both sides named, and its questions stay', async () => {
    const other = await startAsker(server.url, WORK, {
      key: '1'.repeat(16),
      class: { digits: '0'.repeat(64), of: OTHER },
    });
    const older = await startAsker(server.url, WORK, { key: '2'.repeat(16), version: '0.0.9' });
    const gone = { kind: 'run', plan: { ...PLAN, model: 'nowhere' } } as const;
    const missing = await startAsker(server.url, gone, { key: '3'.repeat(16) });
    const asked = other.ask('measure', MEASURE, '0'.repeat(64)).catch(() => undefined);
    const askers = [other, older, missing];
    const { status } = await withWorker(command, server, [], async () => {
      const refused = async (): Promise<unknown[]> =>
        (await other.workers()).flatMap((worker) => worker.refused.map(({ error }) => error.code)).sort();
      await expect.poll(refused, PATIENCE).toEqual(['checkpoint/not-found', 'queue/class', 'queue/version']);
      const said = JSON.stringify(await other.workers());
      for (const side of ['Crystal Ball', '0.0.9', '0.1.0', 'nowhere']) expect(said).toContain(side);
      expect(await other.server.queue(queueOfRun(other.key)).counts()).toMatchObject({ waiting: 1, active: 0 });
    });
    expect(status).toBe(143);
    expect(await other.workers()).toEqual([]);
    await Promise.all(askers.map((asker) => asker.finish()));
    await asked;
  });

  it('an engine that ends under a question, or hangs, is the answer, and another one goes on', async () => {
    const asker = await startAsker(server.url, WORK, { key: '4'.repeat(16) });
    await withWorker(command, server, [], async (worker) => {
      const { class: of } = await asker.ask('open', PLAN, null);
      await asker.setClass(of);
      const first = engineOf(worker);
      process.kill(first, 'SIGSTOP');
      const killed = asker.ask('measure', MEASURE, of.digits);
      await expect.poll(() => activeOf(asker), PATIENCE).toBe(1);
      process.kill(first, 'SIGKILL');
      expect((await killed).outcome).toMatchObject({ kind: 'failure', error: { code: 'worker/exited' } });
      expect(resultOf(await asker.ask('measure', MEASURE, of.digits))).toMatchObject([{ answer: { kind: 'loss' } }]);
      const second = engineOf(worker);
      expect(second).not.toBe(first);
      process.kill(second, 'SIGSTOP');
      const hung = await asker.ask('probe', { expressions: [] }, of.digits, 1000);
      expect(hung.outcome).toMatchObject({
        kind: 'failure',
        error: { code: 'worker/exited', expected: 'an answer within 1 s' },
      });
    });
    await asker.finish();
  });

  it('a worker that is told to leave gives back what it cannot finish in time, and leaves no engine', async () => {
    const asker = await startAsker(server.url, WORK, { key: '5'.repeat(16) });
    let engine = 0;
    const { status, out } = await withWorker(command, server, ['--grace', '0.2s'], async (worker) => {
      const { class: of } = await asker.ask('open', PLAN, null);
      await asker.setClass(of);
      engine = engineOf(worker);
      process.kill(engine, 'SIGSTOP');
      asker.ask('measure', MEASURE, of.digits).catch(() => undefined);
      await expect.poll(() => activeOf(asker), PATIENCE).toBe(1);
    });
    expect(status).toBe(143);
    expect(jsonLines({ out }).slice(-2)).toMatchObject([
      { event: 'left', why: 'leaving' },
      { event: 'ended', why: 'asked' },
    ]);
    expect(await asker.server.queue(queueOfRun(asker.key)).counts()).toMatchObject({ waiting: 1, active: 0 });
    expect(() => process.kill(engine, 0)).toThrow();
    await asker.finish();
  });

  it('a worker that is killed takes its engine with it', async () => {
    const asker = await startAsker(server.url, WORK, { key: '6'.repeat(16) });
    let engine = 0;
    const { status } = await withWorker(command, server, [], async (worker) => {
      await asker.ask('open', PLAN, null);
      engine = engineOf(worker);
      worker.kill('SIGKILL');
    });
    expect(status).toBe('SIGKILL');
    await expect.poll(() => isThere(engine), PATIENCE).toBe(false);
    for (const { id } of await asker.workers()) await asker.directory.workers.remove(id);
    await asker.finish();
  });

  it('answers two runs, one after the other, and reads no file outside of what it may', async () => {
    const [one, two] = [
      await startAsker(server.url, WORK, { key: '8'.repeat(16) }),
      await startAsker(server.url, { kind: 'run', plan: { ...PLAN, name: 'other' } }, { key: '9'.repeat(16) }),
    ];
    await withWorker(command, server, ['--read', '.'], async () => {
      const opened = await Promise.all([
        one.ask('open', PLAN, null),
        two.ask('open', { ...PLAN, name: 'other' }, null),
      ]);
      expect(opened[0].class).toEqual(opened[1].class);
      const { digits } = opened[0].class;
      const outside = two.ask('evaluate', { ...INPUTS, text: '/etc/hostname', evaluations: [] }, digits);
      outside.catch(() => undefined);
      await expect.poll(async () => JSON.stringify(await two.workers()), PATIENCE).toContain('/etc/hostname');
      expect(JSON.stringify(await two.workers())).toContain('queue/refused');
    });
    await Promise.all([one.finish(), two.finish()]);
  });

  it('espalier queue tells who is there, and forgets what gives no sign of life', async () => {
    const asker = await startAsker(server.url, WORK, { key: 'b'.repeat(16) });
    await asker.directory.runs.put({ ...(await asker.directory.runs.get(asker.key))!, key: 'c'.repeat(16) });
    const queue = (...words: string[]) => command.espalier(['queue', '--queue', server.url, ...words]);
    const lines = jsonLines(await queue('--json'));
    expect(lines).toMatchObject([
      { kind: 'run', key: 'b'.repeat(16), silent: false },
      { kind: 'run', key: 'c'.repeat(16), silent: true },
    ]);
    const [alive, forgotten, missing] = await Promise.all([
      queue('--forget', 'b'.repeat(16)),
      queue('--forget', 'c'.repeat(16)),
      queue('--forget', 'd'.repeat(16)),
    ]);
    expect(alive.err).toContain('no sign of life');
    expect([alive.status, forgotten.status, missing.status]).toEqual([2, 0, 2]);
    expect((await asker.directory.runs.list()).entries.map(({ key }) => key)).toEqual(['b'.repeat(16)]);
    await asker.finish();
  });
});
