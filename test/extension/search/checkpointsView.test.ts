import { expect, it, vi } from 'vitest';
import { CheckpointsView } from '../../../src/extension/search/checkpointsView.ts';

vi.mock('vscode', async () => (await import('../../support/fakeVscode.ts')).fakeVscode());

const commit = '0123456789abcdef0123456789abcdef01234567';

it.each([
  ['/w/models/tiny', 'tiny'],
  [`/c/models--o--m/snapshots/${commit}`, 'o/m'],
  ['hf:o/m@main', 'o/m@main'],
])('%s is called %s', (folder, label) => {
  const view = new CheckpointsView({
    describe: () => Promise.resolve(undefined),
    densePerplexities: () => [],
    named: () => [],
  });
  expect(view.getTreeItem({ folder, summary: undefined, problem: undefined }).label).toBe(label);
  view.dispose();
});
