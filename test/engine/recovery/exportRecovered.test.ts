import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { createEngine, type KeptRecovery } from '../../../src/engine/engine.ts';
import type { TextPlan, PlannedEvaluation } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_RECOVERY_SETTINGS, type Recovery } from '../../../src/experiment/recovery.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { recoveryPlanOf } from '../../../src/search/recovery/plan.ts';
import { exportTests } from '../../support/exports.ts';
import { failureOf } from '../../support/expectCoded.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

const at = exportTests('recovered');

const LORA: Recovery = {
  method: 'lora',
  ...DEFAULT_RECOVERY_SETTINGS,
  ...{ rate: 0.01, steps: 6, batch: 2, every: 3, held: 2 },
};
const NORMS: Recovery = { ...LORA, method: 'norms' };
const WEIGHTS: PlannedEvaluation = {
  metric: 'wanda',
  expression: fromPrefix('mul(W, sqrt(X))'),
  sparsity: { kind: 'unstructured', share: 0.5 },
};
const HEADS: PlannedEvaluation = {
  metric: 'wanda-sp',
  structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: { kind: 'uniform' } },
  update: { method: 'reconstruct', damping: 0.01 },
  sparsity: { kind: 'unstructured', share: 0.5 },
};

async function planOf(name: FamilyName, ...evaluations: readonly PlannedEvaluation[]): Promise<TextPlan> {
  const family = await at.family(name);
  return {
    ...{ model: family.folder, text: family.textFile, train: family.textFile, calibration: family.calibrationFile },
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 2, length: 12, blocks: 2, offsets: 'even' },
    evaluations,
  };
}

describe('an export of what was recovered', () => {
  it.each<readonly [FamilyName, PlannedEvaluation, Recovery, 'F32' | 'F16' | 'BF16']>([
    ['llama-3.1', WEIGHTS, LORA, 'BF16'],
    ['llama-3.1', HEADS, LORA, 'BF16'],
    ['gpt-2', WEIGHTS, NORMS, 'F32'],
    ['gpt-2', HEADS, LORA, 'F32'],
  ])('%s, %#: a checkpoint in its own type, and ONNX', async (name, pruned, recovery, dtype) => {
    const plan = await planOf(name, { ...pruned, recovery });
    const [evaluated] = await at.engine.evaluate(plan);
    const report = await at.engine.exportModel(plan, { folder: at.folder, format: 'huggingface' });
    expect({ ...report.result, seconds: 0 }).toEqual({ ...evaluated!, seconds: 0 });
    expect(report.result.recovery!.kept).toBeGreaterThan(0);
    const written = await openCheckpoint(at.folder);
    expect(new Set([...written.tensors.values()].map((tensor) => tensor.dtype))).toEqual(new Set([dtype]));
    written.close();
    expect(report.rounded?.to).toEqual(dtype === 'F32' ? undefined : [dtype]);
    const [again] = await at.engine.evaluate({ ...plan, model: at.folder, evaluations: [] });
    const stored = report.rounded?.perplexity ?? report.result.perplexity;
    expect(again!.perplexity / stored).toBeCloseTo(1, 5);
    const card = await readFile(path.join(at.folder, 'README.md'), 'utf8');
    expect(card).toContain('pruned and recovered');
    expect(card).toContain(`kept after ${report.result.recovery!.kept} of 6 steps`);

    const onnx = await at.engine.exportModel(plan, { folder: `${at.folder}-onnx`, format: 'onnx' });
    expect(onnx.rounded).toBeUndefined();
    expect(onnx.verification.difference).toBeLessThan(1e-4 * Math.max(1, onnx.verification.largest));
    expect(await readdir(`${at.folder}-onnx`)).toEqual(expect.arrayContaining(['README.md', 'onnx']));
  });

  it.each([[WEIGHTS], [undefined]])(
    'is that of a state which a run has kept, without training again: %#',
    async (pruned) => {
      const states = path.dirname(at.folder);
      const plan = recoveryPlanOf(await planOf('llama-3.1', ...(pruned ? [pruned] : [])), LORA);
      const { trainable, sequences, densePerplexity } = await at.engine.open(plan);
      await at.engine.train({ from: 0, to: 3, folder: states });
      const { loss } = await at.engine.validate({ step: 3, folder: states });
      const report = {
        ...{
          recovery: LORA,
          trainable,
          sequences,
          steps: 6,
          kept: 3,
          reason: 'steps' as const,
          detail: 'all 6 are done',
        },
        heldOut: { dense: densePerplexity, before: densePerplexity, after: Math.exp(loss!) },
      } as const;
      const stages = new Set<string>();
      const kept: KeptRecovery = { plan, point: { step: 3, folder: states }, report };
      const exported = await at.engine.exportRecovered(
        kept,
        { folder: at.folder, format: 'huggingface' },
        { onProgress: ({ stage }) => stages.add(stage) },
      );
      expect(stages).not.toContain('gradients');
      expect(exported.result.recovery).toMatchObject(report);
      expect(exported.result.perplexity).not.toBe(exported.result.recovery!.before);
      const [again] = await at.engine.evaluate({ ...(await planOf('llama-3.1')), model: at.folder });
      expect(again!.perplexity / exported.rounded!.perplexity).toBeCloseTo(1, 5);

      const other = { ...kept, plan: { ...plan, settings: { ...plan.settings, samples: 1 } } };
      const refused = await failureOf(() =>
        at.engine.exportRecovered(other, { folder: `${at.folder}-2`, format: 'onnx' }),
      );
      expect(refused.code).toBe('runs/damaged');
      expect(await readdir(states)).not.toContain('recovered-2');
    },
  );

  it('is not there where what lies in the folder is another model than the one in memory', async () => {
    const plan = await planOf('llama-3.1', { ...WEIGHTS, recovery: LORA });
    const wrong = createEngine({
      startFresh: () => ({
        ...createEngine(),
        verify: () => Promise.resolve({ tokens: 12, rows: 12, difference: 9, largest: 1 }),
      }),
    });
    const failure = await failureOf(() => wrong.exportModel(plan, { folder: at.folder, format: 'huggingface' }));
    await wrong.dispose();
    expect(failure.code).toBe('export/mismatch');
    expect(await readdir(path.dirname(at.folder))).toEqual([]);
  });
});
