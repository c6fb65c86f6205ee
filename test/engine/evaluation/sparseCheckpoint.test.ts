import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import { modelText } from '../../../src/experiment/resultWarnings.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import type { WeightSparsity } from '../../../src/experiment/sparsitySchema.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

// A checkpoint that was pruned before: exported at 30 %, and read as anybody's.

let family: TemporaryFamily;
let sparse: string;
let folder: string;
let engine: Engine;
beforeAll(async () => {
  family = await temporaryFamily('llama-1');
  folder = mkdtempSync(join(tmpdir(), 'espalier-sparse-'));
  sparse = join(folder, 'sparse');
  engine = createEngine({ startFresh: () => ({ ...createEngine(), dispose: () => Promise.resolve() }) });
  await engine.exportModel(plan(family.folder, 'W', 0.3), { folder: sparse, format: 'huggingface' });
});
afterAll(async () => {
  await engine.dispose();
  await family.remove();
  rmSync(folder, { recursive: true });
});

function plan(model: string, expression: string, how: number | WeightSparsity): EvaluationPlan {
  const sparsity = typeof how === 'number' ? ({ kind: 'unstructured', share: how } as const) : how;
  return {
    ...{ model, text: family.textFile, calibration: family.calibrationFile },
    evaluations: [{ metric: expression, expression: fromPrefix(expression), sparsity }],
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, length: 16, blocks: 2, samples: 2 },
  };
}

describe('zeros of a checkpoint', () => {
  it('are counted and shown, of the dense model as well', async () => {
    const [dense] = await engine.evaluate({ ...plan(sparse, 'W', 0.5), evaluations: [] });
    expect(dense!.actualSparsity).toBeCloseTo(0.3, 1);
    expect(dense!.provenance.modelZeros).toBe(dense!.actualSparsity);
    expect(modelText(dense!.provenance)).toMatch(/^, (2[6-9]|30)(\.\d+)? % of its prunable weights zero already$/);
    const [whole] = await engine.evaluate({ ...plan(family.folder, 'W', 0.5), evaluations: [] });
    expect([whole!.provenance.modelZeros, modelText(whole!.provenance)]).toEqual([0, '']);
  });

  it.each<[string, number | WeightSparsity, number]>([
    ['W', 0.5, 0.5],
    ['mul(W, sqrt(X))', 0.5, 0.5],
    // Less than there is.
    ['W', 0.1, 0.3],
    ['W', { kind: 'n:m', keep: 2, of: 4 }, 0.5],
  ])('%s at %j: they go first, and %d are zero in the end', async (expression, how, share) => {
    const [result] = await engine.evaluate(plan(sparse, expression, how));
    expect(result!.actualSparsity).toBeGreaterThan(share - 0.03);
    expect(result!.provenance.modelZeros).toBeCloseTo(0.3, 1);
    if (share === 0.3) {
      expect(result!.actualSparsity).toBe(result!.provenance.modelZeros);
      expect(result!.perplexity).toBe(result!.densePerplexity);
    }
  });

  it('stay zero under a metric that would keep them: more than was asked for is zero then', async () => {
    const [result] = await engine.evaluate(plan(sparse, 'neg(W)', 0.5));
    expect(result!.actualSparsity).toBeGreaterThan(0.75);
  });

  it('do not come back by a score without end at zero: it is refused', async () => {
    const failure = await failureOf(() => engine.evaluate(plan(sparse, 'div(1, W)', 0.5)));
    expect(failure.code).toBe('metric/invalid-score');
  });
});
