import { describe, expect, it } from 'vitest';
import type { PlannedEvaluation, TextPlan } from '../../src/experiment/planSchema.ts';
import { planSchema } from '../../src/experiment/planSchema.ts';
import type { EvaluationResult } from '../../src/experiment/resultSchema.ts';
import { sensitivities, sensitivityPlan } from '../../src/experiment/sensitivity.ts';
import type { SensitivityBy } from '../../src/experiment/sensitivity.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { sensitivityFigure } from '../../src/report/figures/sensitivityFigure.ts';
import { sensitivityCsv, sensitivityLines } from '../../src/cli/reports/sensitivityReport.ts';
import { figureSchema } from '../../src/figures/figureSchema.ts';
import type { ErrorData } from '../../src/base/errors.ts';
import { failureOf } from '../support/expectCoded.ts';
import { fromPrefix } from '../support/oracle/prefix.ts';

const MODEL = { blocks: 2, layers: ['q_proj', 'down_proj'] };
const at = (share: number) => ({ kind: 'unstructured', share }) as const;
const byWeights = (more: object = {}): PlannedEvaluation => ({
  ...{ metric: 'wanda', expression: fromPrefix('mul(W, sqrt(X))'), sparsity: at(0.5) },
  ...more,
});
const byComponents = (method: string, more: object = {}): PlannedEvaluation =>
  ({
    ...{ metric: method, sparsity: at(0.5) },
    structure: { kind: 'scored', score: { kind: 'method', method }, rates: { kind: 'uniform' } },
    ...more,
  }) as PlannedEvaluation;

const planOf = (...evaluations: PlannedEvaluation[]): TextPlan => ({
  ...{ model: '/m', text: '/t', calibration: '/c', settings: DEFAULT_SETTINGS, evaluations },
  tasks: {
    list: [{ task: 'piqa', documents: '/p', shots: 0, limit: 0 }],
    ...{ harness: '0.4', beginning: 'none' },
  },
});

const rates = (...given: number[]) => ({ kind: 'given', rates: given });

describe('what is evaluated', () => {
  it.each<[string, SensitivityBy, PlannedEvaluation, readonly object[]]>([
    [
      'blocks',
      'blocks',
      byWeights(),
      [
        { sparsity: at(0.25), rates: rates(0.5, 0) },
        { sparsity: at(0.25), rates: rates(0, 0.5) },
      ],
    ],
    [
      'whole components of blocks',
      'blocks',
      byComponents('wanda-sp'),
      [
        { sparsity: at(0.25), structure: { rates: rates(0.5, 0) } },
        { sparsity: at(0.25), structure: { rates: rates(0, 0.5) } },
      ],
    ],
    ['layers', 'layers', byWeights(), [{ layers: ['q_proj'] }, { layers: ['down_proj'] }]],
    [
      'layers at N:M',
      'layers',
      byWeights({ sparsity: { kind: 'n:m', keep: 2, of: 4 } }),
      [
        { sparsity: { keep: 2 }, layers: ['q_proj'] },
        { sparsity: { keep: 2 }, layers: ['down_proj'] },
      ],
    ],
  ])('%s, one at a time, one-shot and without tasks', (_, by, evaluation, expected) => {
    const plan = sensitivityPlan(planOf(evaluation), by, MODEL);
    expect(planSchema.parse(plan)).toMatchObject({ settings: { calibrate: 'one-shot' }, evaluations: expected });
    expect(plan.tasks).toBeUndefined();
  });

  it.each<[string, SensitivityBy, PlannedEvaluation, string]>([
    ['N:M of a block', 'blocks', byWeights({ sparsity: { kind: 'n:m', keep: 2, of: 4 } }), '2:4'],
    ['rates of their own', 'layers', byWeights({ rates: { kind: 'owl', multiple: 5, spread: 0.1 } }), 'owl'],
    ['components by layers', 'layers', byComponents('wanda-sp'), 'heads and channels, which go block by block'],
    ['whole blocks', 'blocks', byComponents('shortgpt'), 'shortgpt'],
    ['a mask', 'blocks', byComponents('m', { structure: { kind: 'mask', mask: [] } }), 'a mask'],
    [
      'a budget',
      'blocks',
      byComponents('wanda-sp', { sparsity: { kind: 'budget', budget: { quantity: 'bytes', bytes: 1e9 } } }),
      '1 GB',
    ],
  ])('not %s', async (_, by, evaluation, actual) => {
    const failure = await failureOf(() => sensitivityPlan(planOf(evaluation), by, MODEL));
    expect(failure).toMatchObject({ data: { code: 'settings/invalid', actual } });
  });
});

describe('what comes out', () => {
  const plan = planOf(byWeights({ sparsity: at(0.2) }), byWeights({ sparsity: at(0.8) }));
  const result = (perplexity: number, i: number) =>
    ({ perplexity, densePerplexity: 10, fingerprint: `f${i}` }) as EvaluationResult;
  const failure: ErrorData = {
    ...{ operation: 'o', expected: 'e', actual: 'a', remedy: 'r' },
    code: 'metric/invalid-score',
  };
  const outcomes = [10, 11, 20].map(result);
  const curves = (by: SensitivityBy) => sensitivities(plan, by, MODEL, [...outcomes, failure]);

  it('a curve for each sparsity, of one metric', () => {
    const [one, ...others] = curves('blocks');
    expect(others).toEqual([]);
    expect(one).toMatchObject({ metric: 'wanda', by: 'blocks', parts: ['1', '2'], dense: 10 });
    expect(one!.curves.map(({ sparsity }) => sparsity)).toEqual(['20%', '80%']);
    expect(one!.curves[0]!.points[1]).toEqual({
      perplexity: 11,
      ratio: 1.1,
      increase: Math.log(1.1),
      fingerprint: 'f1',
    });
    expect(one!.curves[1]!.points[1]).toEqual({ failure });
  });

  it.each(['blocks', 'layers'] as const)('%s as a figure without what failed', (by) => {
    const figure = sensitivityFigure(curves(by)[0]!);
    expect(figureSchema.parse(figure)).toEqual(figure);
    const most = figure.series.find(({ name }) => name === '80%')!;
    expect(most.points).toEqual([by === 'blocks' ? { x: 1, y: 20 } : { x: 0, y: Math.log(2) }]);
  });

  it('as a table', () => {
    expect(sensitivityLines(curves('layers')[0]!)).toEqual([
      'wanda, the layers of each type alone: perplexity, against the dense 10.00',
      'layers                20%             80%',
      'q_proj     10.00   ±0.0 %  20.00   +100 %  ████████████████████',
      'down_proj  11.00    +10 %          failed',
      'bars: what 80% adds to the loss, up to 0.693 nats per token',
    ]);
  });

  it('as comma-separated values, with all digits', () => {
    expect(sensitivityCsv(curves('blocks')).split('\r\n')).toEqual([
      'metric,by,part,sparsity,dense perplexity,perplexity,ratio,loss increase,fingerprint',
      'wanda,blocks,1,20%,10,10,1,0,f0',
      `wanda,blocks,2,20%,10,11,1.1,${Math.log(1.1)},f1`,
      `wanda,blocks,1,80%,10,20,2,${Math.log(2)},f2`,
      'wanda,blocks,2,80%,10,,,,',
      '',
    ]);
  });
});
