import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { firstFile, HubView } from '../../../src/extension/hub/hubView.ts';
import { compile } from '../../../src/language/check/compile.ts';
import { plansFor } from '../../../src/language/plan/plan.ts';
import { temporaryFolder } from '../../hub/hubSession.ts';

vi.mock('vscode', async () => (await import('../../support/fakeVscode.ts')).fakeVscode());
afterEach(() => {
  vi.unstubAllEnvs();
});

it('lists what the cache holds, with size and state', async () => {
  const cache = temporaryFolder(onTestFinished);
  vi.stubEnv('HF_HUB_CACHE', cache);
  const commit = 'a'.repeat(40);
  const put = (name: string, content: string): void => {
    mkdirSync(path.dirname(path.join(cache, name)), { recursive: true });
    writeFileSync(path.join(cache, name), content);
  };
  for (const file of ['config.json', 'tokenizer.json', 'model.safetensors']) {
    put(`models--o--whole/snapshots/${commit}/${file}`, 'x'.repeat(1000));
  }
  put('models--o--begun/blobs/abc.incomplete', 'x'.repeat(2000));
  put(`datasets--o--d/snapshots/${commit}/test.txt`, 'text');
  const view = new HubView();
  const items = (await view.getChildren()).map((found) => view.getTreeItem(found));
  const shown = new Map(items.map(({ label, description, contextValue }) => [label, [contextValue, description]]));
  expect(Object.fromEntries(shown)).toEqual({
    'o/whole': ['hub.model.complete', '3 kB · just now'],
    'o/begun': ['hub.model.incomplete', expect.stringMatching(/^2 kB · just now · download was stopped$/)],
    'o/d': ['hub.dataset.complete', '4 B · just now'],
  });
});

it('whatever else shows the cache looks anew with it', () => {
  let looks = 0;
  const view = new HubView(() => looks++);
  view.refresh();
  expect(looks).toBe(1);
  view.dispose();
});

it.each([
  ['meta-llama/Llama-3.2-1B', 'Llama_3_2_1B'],
  ['o/7b', '_7b'],
  ['gpt2', 'gpt2'],
])('the file that prunes %s has no mistake, and means it', (id, name) => {
  const document = compile(firstFile({ id }));
  expect(document.diagnostics).toEqual([]);
  expect(document.declarations[0]).toMatchObject({ kind: 'model', name });
  expect(plansFor(document, undefined, { folder: '/here' })).toMatchObject([
    { model: `hf:${id}`, text: 'hf:Salesforce/wikitext/wikitext-2-raw-v1:test', evaluations: [{ metric: 'wanda' }] },
  ]);
});
