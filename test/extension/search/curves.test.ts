import { describe, expect, it } from 'vitest';
import { cancelledError, EspalierError } from '../../../src/base/errors.ts';
import { curvePlans, evaluateCurves } from '../../../src/extension/search/curves.ts';
import type { CurvesHooks } from '../../../src/extension/search/curves.ts';
import type { Curves } from '../../../src/view/panelMessages.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { sampleResult } from '../../protocol/samples.ts';
import { syntheticPlan } from '../../support/syntheticSearch.ts';

const plan = { ...syntheticPlan(), settings: { ...DEFAULT_SETTINGS, samples: 6 } };
const metrics = [
  { label: 'best (#3)', expression: 'mul(W, sqrt(X))' },
  { label: 'wanda', expression: 'W' },
];

describe('plans of curves', () => {
  it('over sparsity have every metric at every share', () => {
    const points = curvePlans({ plan, over: 'sparsity', metrics });
    expect(points.map(({ at }) => at)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
    expect(points[4]!.plan.evaluations.map(({ metric, sparsity }) => [metric, sparsity])).toEqual([
      ['best (#3)', { kind: 'unstructured', share: 0.5 }],
      ['wanda', { kind: 'unstructured', share: 0.5 }],
    ]);
  });

  it('over samples go up to the search’s own number, at its sparsity', () => {
    const points = curvePlans({ plan, over: 'samples', metrics });
    expect(points.map(({ at, plan: { settings } }) => [at, settings.samples])).toEqual([
      [1, 1],
      [2, 2],
      [4, 4],
      [6, 6],
    ]);
    expect(points[0]!.plan.evaluations[0]!.sparsity).toEqual(plan.sparsity);
  });
});

describe('curves', () => {
  it('grow point by point; a metric that cannot rank somewhere has a gap there', async () => {
    const last = await run(({ evaluations }, { onResult, onFailure } = {}) => {
      const at = evaluations[0]!.sparsity.kind === 'unstructured' ? evaluations[0]!.sparsity.share : 0;
      onResult?.(sampleResult({ perplexity: 100 + 100 * at, densePerplexity: 90 }), 0);
      if (at === 0.5) {
        const error = {
          code: 'metric/invalid-score',
          operation: 'a',
          expected: 'b',
          actual: 'constant',
          remedy: 'd',
        } as const;
        onFailure?.(error, 1);
      } else onResult?.(sampleResult({ perplexity: 300 }), 1);
      return Promise.resolve([]);
    });
    expect(last.at(-1)).toMatchObject({ state: 'done', share: 1, densePerplexity: expect.any(Number) as number });
    expect(last.at(-1)!.lines.map(({ points, errors }) => [points.length, errors])).toEqual([
      [7, []],
      [6, ['sparsity 50 %: constant']],
    ]);
    expect(last.map(({ share }) => share)).toEqual([...last.map(({ share }) => share)].sort((a, b) => a - b));
  });

  it.each([
    ['cancelled', cancelledError('evaluating'), 'cancelled'],
    [
      'failed',
      new EspalierError({ code: 'device/failed', operation: 'a', expected: 'b', actual: 'lost', remedy: 'd' }),
      'failed',
    ],
  ])('that are %s say so', async (_, error, state) => {
    expect((await run(() => Promise.reject(error))).at(-1)!.state).toBe(state);
  });
});

async function run(evaluate: CurvesHooks['evaluate']): Promise<Curves[]> {
  const told: Curves[] = [];
  await evaluateCurves(
    { plan, over: 'sparsity', metrics },
    { evaluate, onChange: (curves) => told.push(curves), now: () => 0, signal: new AbortController().signal },
  );
  return told;
}
