import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { EspalierError } from '../../../src/base/errors.ts';
import type { ErrorCode } from '../../../src/base/errors.ts';
import { Refusals } from '../../../src/queue/host/refusals.ts';
import { QUEUE_FORMAT } from '../../../src/queue/wire.ts';
import type { RunEntry } from '../../../src/queue/wire.ts';
import { sampleSearchPlan } from '../../protocol/samples.ts';

const OWNER = { id: randomUUID(), host: 'h', pid: 1 };
const entry = (change: Partial<RunEntry> = {}): RunEntry => ({
  ...{
    format: QUEUE_FORMAT,
    version: '1',
    key: 'a'.repeat(16),
    title: 't',
    owner: OWNER,
    class: null,
    beat: 0,
    seenAt: 0,
  },
  work: { kind: 'run', plan: sampleSearchPlan() },
  ...change,
});
const OF = { espalier: '1', onnxruntime: '1', device: 'cpu', deviceName: 'x', precision: 'float32' };
const error = (code: ErrorCode) => new EspalierError({ code, operation: 'o', expected: 'e', actual: 'a', remedy: 'r' });
const MINUTE = 60_000;

it.each<[string, ErrorCode, Partial<RunEntry>, number, boolean]>([
  ['stays', 'queue/class', {}, 1000 * MINUTE, true],
  ['whatever its beat is', 'queue/class', { beat: 9 }, 0, true],
  ['is tried again with other digits', 'queue/class', { class: { digits: '0'.repeat(64), of: OF } }, 0, false],
  ['is tried again in another version', 'queue/version', { version: '2' }, 0, false],
  ['is tried again for another owner', 'queue/class', { owner: { ...OWNER, id: randomUUID() } }, 0, false],
  ['stays for minutes where files are missing', 'checkpoint/not-found', {}, 4 * MINUTE, true],
  ['and is tried again then', 'checkpoint/not-found', {}, 6 * MINUTE, false],
])('a run that was refused %s', (_, code, change, later, expected) => {
  let now = 0;
  const refusals = new Refusals(() => now);
  refusals.add(entry(), error(code));
  now = later;
  expect(refusals.has(entry(change))).toBe(expected);
});

it('runs that are over are forgotten, and an entry holds the last ones only', () => {
  const refusals = new Refusals(() => 0);
  for (let i = 0; i < 100; i++) refusals.add(entry({ key: String(i) }), error('queue/class'));
  expect(refusals.list).toHaveLength(64);
  expect(refusals.keep(new Set(['7']))).toBe(true);
  expect(refusals.list.map(({ run }) => run)).toEqual(['7']);
  expect(refusals.keep(new Set(['7']))).toBe(false);
});
