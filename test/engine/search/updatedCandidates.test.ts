import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import type { WeightUpdate } from '../../../src/experiment/updates.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import type { MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import { defaultsOf } from '../../../src/experiment/settingRow.ts';
import { EVOPRESS_SETTINGS } from '../../../src/search/rates/evopress/settings.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../../src/search/metrics/settings.ts';
import { FAMILIES, type FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { measureMetrics, measureRates } from '../../support/measuring.ts';

const admm: WeightUpdate = { method: 'admm', iterations: 20, damping: 0.1 };
const sparsegpt: WeightUpdate = { method: 'sparsegpt', damping: 0.01, columns: 128 };
const half = { kind: 'unstructured', share: 0.5 } as const;
const METRICS = ['mul(W, sqrt(X))', 'W', 'mul(W, X)'];
const BLOCKS = 4;

describe.each<[FamilyName, WeightUpdate]>([
  ['llama-3.1', admm],
  ['llama-3.1', sparsegpt],
  ['mixtral', admm],
])('candidates of %s, updated', (family, update) => {
  let files: TemporaryFamily;
  let engine: Engine;
  let plan: MetricSearchPlan;

  beforeAll(async () => {
    files = await temporaryFamily(family);
    engine = createEngine();
    plan = {
      kind: 'metrics',
      name: 'evolved',
      ...{ model: files.folder, text: files.textFile, calibration: files.calibrationFile },
      sparsity: half,
      ...{ operations: [], operands: ['W', 'X'], seeds: [], baselines: [], update },
      settings: {
        ...DEFAULT_SETTINGS,
        ...{ device: 'cpu', calibrate: 'one-shot', samples: 3, blocks: BLOCKS, offsets: 'even' },
        length: FAMILIES[family].length,
      },
      search: DEFAULT_METRIC_SEARCH_SETTINGS,
    };
  });
  afterAll(async () => {
    await engine.dispose();
    await files.remove();
  });

  const evaluationsOf = (evaluations: readonly PlannedEvaluation[]): EvaluationPlan => {
    const { model, text, calibration, settings } = plan;
    return { model, text, calibration: calibration!, settings, evaluations };
  };

  test('have the losses of evaluations with one-shot calibration, whatever else is measured', async () => {
    await engine.open(plan);
    const results = await engine.evaluate(
      evaluationsOf(METRICS.map((metric) => ({ metric, expression: parsePrefix(metric), sparsity: half, update }))),
    );
    await engine.open(plan);
    const measured = await measureMetrics(engine, METRICS.map(parsePrefix), 0, BLOCKS);
    const [alone] = await measureMetrics(engine, [parsePrefix(METRICS[1]!)], 0, BLOCKS);
    expect(alone!.answer).toEqual(measured[1]!.answer);
    const perplexities = measured.map(({ answer }) => (answer.kind === 'loss' ? Math.exp(answer.loss) : answer.detail));
    expect(perplexities).toEqual(results.map(({ perplexity }) => perplexity));
  });

  test('rates of single weights are updated, too, and an opening says what follows', async () => {
    const expression = parsePrefix('mul(W, sqrt(X))');
    const { name, model, text, calibration, settings } = plan;
    const inputs = { name, model, text, calibration: calibration!, sparsity: half, settings, baselines: [], update };
    const opening = await engine.open({
      ...inputs,
      kind: 'rates',
      target: { kind: 'weights', metric: 'wanda', expression },
      search: {
        ...defaultsOf(EVOPRESS_SETTINGS),
        ...{ offspring: 2, generations: 1, rounds: [1], survivors: [1], switches: 1 },
        ...{ drop: 'off', step: 0.05, starts: 1, seed: 0, finalists: 1, workers: 1, objective: 'perplexity' },
      },
    });
    const rates = opening.components.map((_, i) => (i % 2 === 0 ? 0.4 : 0.6));
    const [measured] = await measureRates(engine, [rates], 0, BLOCKS);
    const [result] = await engine.evaluate(
      evaluationsOf([{ metric: 'wanda', expression, sparsity: half, rates: { kind: 'given', rates }, update }]),
    );
    if (measured!.answer.kind !== 'loss') throw new Error(measured!.answer.detail);
    expect(Math.exp(measured!.answer.loss)).toBe(result!.perplexity);
  });

  test('openings tell searches with another update apart', async () => {
    const without = Object.fromEntries(Object.entries(plan).filter(([key]) => key !== 'update')) as MetricSearchPlan;
    const fingerprints = new Set<string>();
    for (const other of [plan, without, { ...plan, update: { ...update, damping: 0.5 } }])
      fingerprints.add((await engine.open(other)).fingerprint);
    expect(fingerprints.size).toBe(3);
  });
});
