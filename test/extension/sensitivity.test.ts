import { expect, it, vi } from 'vitest';
import type { EvaluationPlan } from '../../src/experiment/planSchema.ts';
import type { EvaluationResult } from '../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { showSensitivity } from '../../src/extension/results/sensitivityCommand.ts';
import { sampleSummary } from '../protocol/samples.ts';
import { fromPrefix } from '../support/oracle/prefix.ts';

const { shown, saved } = vi.hoisted(() => ({ shown: [] as string[], saved: [] as string[] }));
vi.mock('../../src/extension/saveFigure.ts', () => ({
  saveFigure: ({ title }: { title: string }, folder: string, of: string) =>
    void saved.push(`${folder} ${of}: ${title}`),
}));
vi.mock('vscode', () => ({
  ProgressLocation: { Notification: 1 },
  Uri: { parse: (uri: string) => ({ fsPath: uri.replace('file://', '') }) },
  window: {
    showQuickPick: (choices: readonly object[]) => Promise.resolve(choices[1]),
    showTextDocument: () => Promise.resolve(),
    withProgress: (_: object, task: (progress: object, token: object) => unknown) =>
      task({ report: () => undefined }, { isCancellationRequested: false, onCancellationRequested: () => undefined }),
  },
  workspace: { openTextDocument: ({ content }: { content: string }) => Promise.resolve(shown.push(content)) },
}));

it('shows what each part costs at three sparsities, what failed in its place, and offers the chart', async () => {
  const sparsity = { kind: 'unstructured', share: 0.5 } as const;
  const plan: EvaluationPlan = {
    ...{ model: '/m', text: '/t', settings: DEFAULT_SETTINGS },
    evaluations: [{ metric: 'magnitude', expression: fromPrefix('W'), sparsity }],
  };
  const evaluated: string[] = [];
  await showSensitivity(
    { uri: 'file:///w/a.prune', name: 'magnitude' },
    {
      plansOf: () => Promise.resolve([plan]),
      describe: (model) => Promise.resolve({ ...sampleSummary(model), layers: ['q_proj', 'down_proj'] }),
      confirm: () => Promise.resolve(true),
      evaluate: ({ evaluations }, hooks) => {
        const results: EvaluationResult[] = [];
        for (const [index, each] of evaluations.entries()) {
          evaluated.push(JSON.stringify([each.sparsity, 'layers' in each && each.layers]));
          if (index === 1) {
            const why = { operation: 'o', expected: 'e', actual: 'a', remedy: 'r' };
            hooks?.onFailure?.({ code: 'metric/invalid-score', ...why }, index);
          } else {
            results.push({ perplexity: 11 + index, densePerplexity: 10, fingerprint: `${index}` } as EvaluationResult);
          }
        }
        return Promise.resolve(results);
      },
    },
  );
  expect(evaluated).toHaveLength(6);
  expect(new Set(evaluated).size).toBe(6);
  expect(shown.join('').split('\n')).toEqual([
    'Perplexity with the layers of each type alone pruned by `magnitude`; dense 10.00',
    '',
    expect.stringMatching(/^\| layers +\| +20% \| +50% \| +80% \|$/),
    expect.stringMatching(/^\|[-:| ]+\|$/),
    expect.stringMatching(/^\| `q_proj` +\| 11.00 \(\+10 %\) \| 13.00 \(\+30 %\) \| 15.00 \(\+50 %\) \|$/),
    expect.stringMatching(/^\| `down_proj` \| +failed \| 14.00 \(\+40 %\) \| 16.00 \(\+60 %\) \|$/),
    '',
  ]);
  expect(saved).toEqual([
    '/w layers-sensitivity: Increase of the loss with one type of layers alone pruned by magnitude',
  ]);
});
