import { expect, it, vi } from 'vitest';
import { RunsView } from '../../../src/extension/search/runsView.ts';
import type { BestSummary, RunSummary } from '../../../src/runs/runSummary.ts';
import { createRunRecord } from '../../../src/runs/runRecord.ts';
import { evoPressPlan } from '../../search/rates/simulation.ts';

vi.mock('vscode', async () => (await import('../../support/fakeVscode.ts')).fakeVscode());

const view = new RunsView(
  { titleOf: () => ({ title: 'rates', details: [] }) } as never,
  { drivingOf: () => undefined, queueOf: () => undefined, folders: [] } as never,
);
const record = createRunRecord('20261122-100000-x-abc123', evoPressPlan(), {
  ...{ root: '/w', createdAt: new Date(0), versions: {} },
});
const folder = '/w/.espalier/runs/x';

const rates = [0.2, 0.4];
it.each<[best: BestSummary, told: string]>([
  [{ kind: 'rates', id: 3, rates, perplexity: 100 }, '20 40 % |'],
  [
    { kind: 'rates', id: 3, rates, dropped: { attention: [0], mlp: [0, 1] }, perplexity: 100 },
    '20 40 %, without attention 1 and MLP 1, 2 |',
  ],
  [{ kind: 'masks', removed: 0.3, perplexity: 100 }, 'without 30 % of the blocks’ weights |'],
])('the tooltip of a run names what its best is: %j', (best, told) => {
  const summary: RunSummary = {
    ...{ id: record.id, folder, run: { folder, root: '/w', record }, state: 'finished', lastAt: 0, best },
    ...{ generation: 1, counts: undefined, error: undefined, damage: undefined, notes: {} },
  };
  const { tooltip } = view.getTreeItem(summary);
  expect(typeof tooltip === 'object' ? tooltip.value : tooltip).toContain(`100.0: ${told}`);
});
