import { describe, expect, it, vi } from 'vitest';
import { queueItems } from '../../../src/extension/queue/queueItems.ts';
import { withQueueRemedy } from '../../../src/extension/queue/queueRemedies.ts';
import { workerCommand } from '../../../src/extension/queue/workerCommand.ts';
import { Beats } from '../../../src/queue/beats.ts';
import type { RunEntry, WorkerEntry } from '../../../src/queue/wire.ts';
import { syntheticPlan } from '../../support/syntheticSearch.ts';

vi.mock('vscode', () => ({}));

const CLASS = {
  ...{ espalier: '0.1.0', onnxruntime: '1.30', device: 'cpu', deviceName: 'EPYC', precision: 'float32' },
};
const run = (changes: Partial<RunEntry> = {}): RunEntry => ({
  ...{ format: 1, version: '0.1.0', key: '0123456789abcdef', title: 'evolved' },
  owner: { id: '0b0f0f5e-0000-4000-8000-000000000000', host: 'desk', pid: 7 },
  work: { kind: 'run', plan: syntheticPlan() },
  class: { digits: 'a'.repeat(64), of: CLASS },
  ...{ beat: 1, seenAt: 0 },
  ...changes,
});
const worker = (changes: Partial<WorkerEntry> = {}): WorkerEntry => ({
  ...{ format: 1, id: '0b0f0f5e-0000-4000-8000-000000000001', name: 'node1', host: 'node1', pid: 3, of: CLASS },
  ...{ version: '0.1.0', threads: 4, state: 'answering', run: '0123456789abcdef', answered: 12, perMinute: 3.25 },
  ...{ refused: [], startedAt: 0, beat: 1, seenAt: 0 },
  ...changes,
});

describe('who is there', () => {
  it('is told run by run, then worker by worker', () => {
    const other = worker({
      id: '0b0f0f5e-0000-4000-8000-000000000002',
      name: 'node10',
      state: 'idle',
      run: null,
      of: null,
    });
    const view = { runs: [run()], workers: [other, worker()], foreign: 2, at: 29_000 };
    const items = queueItems(view, new Beats(60_000, () => 0));
    expect(items.map(({ label, description, detail }) => [label, description, detail])).toEqual([
      ['$(info) 2 of another version of Espalier', undefined, undefined],
      ['$(search) evolved', 'asked by desk, process 7, Espalier 0.1.0', '1 worker · cpu (EPYC), float32'],
      ['$(vm) node1', 'cpu (EPYC), Espalier 0.1.0', 'answers for evolved · 12 answered · 3.3 a minute'],
      ['$(vm) node10', '4 threads, Espalier 0.1.0', 'waits for questions · 12 answered · 3.3 a minute'],
    ]);
  });

  it('is lost where a beat stands still, whatever clocks say', () => {
    let now = 0;
    const beats = new Beats(60_000, () => now);
    const look = (beat: number) =>
      queueItems({ runs: [run({ beat })], workers: [worker({ beat })], foreign: 0, at: 0 }, beats);
    expect(look(1).map(({ label }) => label)).toEqual(['$(search) evolved', '$(vm) node1']);
    now = 29_000;
    expect(look(1)[1]!.label).toBe('$(vm) node1');
    now = 34_000;
    expect(look(1).map(({ label }) => label)).toEqual(['$(warning) evolved', '$(warning) node1']);
    expect(look(1)[1]!.detail).toContain('not seen for 34 s');
    expect(look(2)[1]!.label).toBe('$(vm) node1');
  });

  it('that may be gone since before one looked says so by its own clock', () => {
    const view = { runs: [], workers: [worker({ seenAt: 1000 })], foreign: 0, at: 45_000 };
    expect(queueItems(view, new Beats(60_000, () => 0))[0]!.detail).toContain('seen 44 s ago by its own clock');
  });

  it('refuses with both sides named', () => {
    const error = { code: 'queue/class', operation: 'a', expected: 'cpu', actual: 'cuda', remedy: 'b' } as const;
    const refusing = worker({ run: null, state: 'idle', refused: [{ run: '0123456789abcdef', error }] });
    const [asked, item] = queueItems(
      { runs: [run()], workers: [refusing], foreign: 0, at: 0 },
      new Beats(60_000, () => 0),
    );
    expect(asked!.detail).toContain('0 workers · 1 refuse it');
    expect(item!.label).toBe('$(circle-slash) node1');
    expect(item!.detail).toContain('refuses evolved: expected cpu, has cuda');
  });

  it('is text, whatever others call themselves', () => {
    const evil = '$(zap) a\nb\u202ec';
    const evilClass = { ...CLASS, device: evil, deviceName: evil };
    const error = { code: 'queue/class', operation: evil, expected: evil, actual: evil, remedy: evil } as const;
    const items = queueItems(
      {
        runs: [run({ title: evil, version: evil, owner: { ...run().owner, host: evil }, class: null })],
        workers: [worker({ name: evil, version: evil, of: evilClass, refused: [{ run: 'gone', error }] })],
        foreign: 0,
        at: 0,
      },
      new Beats(60_000, () => 0),
    );
    for (const { label, description, detail } of items) {
      expect(label).toMatch(/^\$\((search|circle-slash)\) \$ \(zap\) a bc$/);
      expect(`${description}${detail}`).not.toMatch(/\$\(|[\p{Cc}\u202e]/u);
    }
  });
});

it.each([
  ['redis://host:6379', 'espalier worker --queue redis://host:6379'],
  ['rediss://lab@[::1]:7000/2', "espalier worker --queue 'rediss://lab@[::1]:7000/2'"],
  ['postgres://me@h/db?sslmode=verify-full', "espalier worker --queue 'postgres://me@h/db?sslmode=verify-full'"],
  ["redis://h/0?ca=/it's/$(reboot)", "espalier worker --queue 'redis://h/0?ca=/it'\\''s/$(reboot)'"],
])('a worker of %s is started by a line that a shell takes as it is meant', (address, command) => {
  expect(workerCommand(address)).toBe(command);
});

it('an error of a queue says what mends it in the editor, any other what it said', () => {
  const error = { operation: 'a', expected: 'b', actual: 'c', remedy: 'Set the variable ESPALIER_QUEUE.' };
  expect(withQueueRemedy({ code: 'queue/refused', ...error }).remedy).toContain("Set the Queue's Password");
  expect(withQueueRemedy({ code: 'queue/address', ...error }).remedy).not.toContain('ESPALIER_QUEUE');
  expect(withQueueRemedy({ code: 'device/failed', ...error })).toEqual({ code: 'device/failed', ...error });
});
