import { expect, it } from 'vitest';
import { seenWorkersSchema, shownWorkers } from '../../src/experiment/seenWorker.ts';
import type { SeenWorker } from '../../src/experiment/seenWorker.ts';

const worker: SeenWorker = {
  ...{ id: '1', name: 'node1', device: 'cpu', state: 'refused', detail: 'expected a, has b' },
  ...{ answered: 1, perMinute: 0.5, silent: 2 },
};

it.each<[string, Partial<SeenWorker>, Partial<SeenWorker>]>([
  ['a plain one as it is', {}, {}],
  ['names on one line', { name: 'a\nb\u001b[31m' }, { name: 'a b [31m' }],
  ['names that turn the writing around', { name: 'a\u202eb' }, { name: 'ab' }],
  ['names of nothing', { name: '\u202e \n' }, { name: '(no name)' }],
  ['long names cut', { name: 'n'.repeat(60_000) }, { name: `${'n'.repeat(119)}…` }],
  ['long devices cut', { device: 'd'.repeat(60_000) }, { device: `${'d'.repeat(119)}…` }],
  ['long reasons cut', { detail: 'r'.repeat(60_000) }, { detail: `${'r'.repeat(599)}…` }],
])('shows %s', (_, changes, shown) => {
  expect(shownWorkers([{ ...worker, ...changes }])).toEqual([{ ...worker, ...shown }]);
});

it('of very many shows as many as a message takes', () => {
  const shown = shownWorkers(Array<SeenWorker>(5000).fill(worker));
  expect(shown).toHaveLength(1000);
  expect(seenWorkersSchema.safeParse(shown).success).toBe(true);
});
