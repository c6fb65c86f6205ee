import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import type { WeightUpdate } from '../../../src/experiment/updates.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import type { MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../../src/search/metrics/settings.ts';
import { measureMetrics } from '../../support/measuring.ts';
import {
  askDivergences,
  REFERENCE_CALIBRATION,
  REFERENCE_MODEL,
  REFERENCE_TEXT,
  whyNoPeer,
  whyNoReferenceModel,
} from '../../support/peer.ts';

// The trained checkpoint, as searches measure their candidates on it.

const [LENGTH, SAMPLES, BLOCKS] = [256, 8, 8];
const METRICS = [
  { name: 'magnitude', expression: 'W', prefix: 'W', share: 0.6 },
  { name: 'wanda', expression: 'W * sqrt(X)', prefix: 'mul(W, sqrt(X))', share: 0.6 },
];
const admm: WeightUpdate = { method: 'admm', iterations: 20, damping: 0.1 };

function planOf(more: Partial<MetricSearchPlan>): MetricSearchPlan {
  return {
    kind: 'metrics',
    name: 'evolved',
    ...{ model: REFERENCE_MODEL, text: REFERENCE_TEXT, calibration: REFERENCE_CALIBRATION },
    sparsity: { kind: 'unstructured', share: 0.6 },
    ...{ operations: [], operands: ['W', 'X'], seeds: [], baselines: [] },
    settings: {
      ...DEFAULT_SETTINGS,
      ...{ device: 'cpu', calibrate: 'one-shot', offsets: 'even', length: LENGTH, samples: SAMPLES, blocks: BLOCKS },
    },
    search: DEFAULT_METRIC_SEARCH_SETTINGS,
    ...more,
  };
}

let engine: Engine;
beforeAll(() => {
  engine = createEngine();
});
afterAll(() => engine.dispose());

const noPeer = whyNoPeer();
test.skipIf(noPeer !== undefined)(
  `divergences of candidates are PyTorch’s${noPeer === undefined ? '' : ` (skipped: ${noPeer})`}`,
  async () => {
    const jobs = METRICS.map(({ name, expression, share }) => ({ name, expression, share }));
    const expected = await askDivergences({ length: LENGTH, samples: SAMPLES, blocks: BLOCKS, jobs });
    await engine.open(planOf({ search: { ...DEFAULT_METRIC_SEARCH_SETTINGS, objective: 'kl' } }));
    for (const { name, prefix } of METRICS) {
      const [measured] = await measureMetrics(engine, [parsePrefix(prefix)], 0, BLOCKS);
      const loss = measured!.answer.kind === 'loss' ? measured!.answer.loss : NaN;
      expect(Math.abs(loss / expected.get(name)! - 1), name).toBeLessThan(1e-3);
    }
  },
  600_000,
);

const noModel = whyNoReferenceModel();
describe.skipIf(noModel !== undefined)(`under ADMM${noModel === undefined ? '' : ` (skipped: ${noModel})`}`, () => {
  test('candidates have the losses of evaluations with one-shot calibration', async () => {
    const plan = planOf({ update: admm });
    const { model, text, calibration, settings, sparsity } = plan;
    const evaluations = METRICS.map(({ name, prefix }) => ({
      ...{ metric: name, expression: parsePrefix(prefix), sparsity, update: admm },
    }));
    const results = await engine.evaluate({ model, text, calibration: calibration!, settings, evaluations });
    await engine.open(plan);
    for (const [i, { prefix }] of METRICS.entries()) {
      const [measured] = await measureMetrics(engine, [parsePrefix(prefix)], 0, BLOCKS);
      const loss = measured!.answer.kind === 'loss' ? measured!.answer.loss : NaN;
      expect(Math.exp(loss)).toBe(results[i]!.perplexity);
    }
  }, 600_000);
});
