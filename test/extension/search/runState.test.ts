import { expect, it } from 'vitest';
import { runState } from '../../../src/extension/search/runState.ts';
import type { RunFacts } from '../../../src/extension/search/runState.ts';
import { ago } from '../../../src/extension/search/ago.ts';

const error = { code: 'device/failed', operation: 'a', expected: 'b', actual: 'c', remedy: 'd' } as const;
const facts = (changes: Partial<RunFacts>): RunFacts => ({
  status: 'running',
  isDriven: false,
  driving: undefined,
  error: undefined,
  failure: undefined,
  ...changes,
});

it.each<[string, Partial<RunFacts>, string]>([
  ['nobody drives it', {}, 'interrupted'],
  ['nobody drives it, and it was paused', { status: 'paused' }, 'paused'],
  ['this window drives it', { isDriven: true, driving: { kind: 'running' } }, 'running'],
  ['this window starts to', { status: 'paused', driving: { kind: 'starting' } }, 'starting'],
  ['this window pauses it', { isDriven: true, driving: { kind: 'pausing' } }, 'pausing'],
  ['somebody else drives it', { isDriven: true }, 'elsewhere'],
  ['somebody else goes on after a failure', { status: 'failed', failure: error, isDriven: true }, 'elsewhere'],
  ['it failed', { status: 'failed', failure: error }, 'failed'],
  ['this window could not go on', { status: 'paused', error }, 'failed'],
  [
    'it is finished, though its process still ends',
    { status: 'finished', isDriven: true, driving: { kind: 'running' } },
    'finished',
  ],
  ['the worker died and it is finished all the same', { status: 'finished', error }, 'finished'],
])('%s', (_, changes, expected) => {
  expect(runState(facts(changes)).kind).toBe(expected);
});

it.each([
  [10, 'just now'],
  [60, '1 min ago'],
  [59 * 60, '59 min ago'],
  [3 * 3600, '3 h ago'],
  [24 * 3600, '1 day ago'],
  [13 * 24 * 3600, '13 days ago'],
  [30 * 24 * 3600, '2026-10-23'],
  [-5, 'just now'],
])('%i seconds before now is %s', (seconds, expected) => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  expect(ago(now - seconds * 1000, now)).toBe(expected);
});
