import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { readParameter } from '../../../src/engine/checkpoint/readParameter.ts';
import { CheckpointWriter } from '../../../src/engine/export/checkpointWriter.ts';
import { writeValues } from '../../../src/engine/export/copyTensor.ts';
import { allParameters } from '../../../src/engine/families/families.ts';
import type { TextPlan } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { exportTests } from '../../support/exports.ts';
import { failureOf } from '../../support/expectCoded.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

// What is written of an updated model are the updated weights, in the checkpoint's type and order; what rounding them did is measured.

const UPDATES = {
  sparsegpt: { method: 'sparsegpt', damping: 0.01, columns: 128 },
  admm: { method: 'admm', iterations: 20, damping: 0.1 },
} as const;
/** Numbers that a significand holds beside the leading one: rounding is off by half of the last. */
const BITS = { F32: 23, F16: 10, BF16: 7 } as const;

const at = exportTests('pruned');

async function planOf(name: FamilyName, update: keyof typeof UPDATES): Promise<TextPlan> {
  const family = await at.family(name);
  return {
    ...{ model: family.folder, text: family.textFile, calibration: family.calibrationFile },
    evaluations: [
      {
        metric: update === 'sparsegpt' ? 'sparsegpt' : 'wanda',
        ...(update === 'admm' && { expression: fromPrefix('mul(W, sqrt(X))') }),
        sparsity: { kind: 'unstructured', share: 0.5 },
        update: UPDATES[update],
      },
    ],
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 4, blocks: 2, length: 24, offsets: 'even' },
  };
}

const FORMS: readonly (readonly [FamilyName, keyof typeof UPDATES, keyof typeof BITS])[] = [
  ['llama-1', 'sparsegpt', 'F32'],
  ['llama-2 grouped queries', 'admm', 'F16'],
  ['phi-3', 'sparsegpt', 'BF16'],
  ['gpt-2', 'admm', 'F32'],
  ['opt-350m', 'sparsegpt', 'F16'],
  ['qwen3-moe', 'admm', 'F32'],
];

describe('updated weights are written', () => {
  test.each(FORMS)('%s, %s, stored as %s', async (name, update, dtype) => {
    const plan = await planOf(name, update);
    const weights = new Map<string, Float32Array>();
    await at.engine.evaluate(plan, { onPruned: ({ tensor, weight }) => weights.set(tensor, weight.slice()) });
    const report = await at.engine.exportModel(plan, { folder: at.folder, format: 'huggingface' });
    const written = await openCheckpoint(at.folder);
    for (const parameter of allParameters(written.config)) {
      const weight = weights.get(parameter.tensor);
      if (!weight) continue;
      expect(written.tensors.get(parameter.tensor)!.dtype).toBe(dtype);
      const stored = readParameter(written, parameter);
      const worst = weight.reduce((most, value, i) => {
        const off = Math.abs(stored[i]! - value);
        return Math.max(most, value === 0 ? off * Infinity || 0 : off / Math.max(Math.abs(value), 1e-4));
      }, 0);
      expect(worst, parameter.tensor).toBeLessThanOrEqual(dtype === 'F32' ? 0 : 2 ** -(BITS[dtype] + 1));
    }
    written.close();
    const [again] = await at.engine.evaluate({ ...plan, model: at.folder, evaluations: [] });
    const card = await readFile(path.join(at.folder, 'README.md'), 'utf8');
    if (dtype === 'F32') {
      expect(report.rounded).toBeUndefined();
      expect(Math.abs(again!.perplexity / report.result.perplexity - 1)).toBeLessThan(1e-4);
      expect(card).not.toContain('as stored');
    } else {
      expect(report.rounded).toEqual({ to: [dtype], perplexity: again!.perplexity });
      expect(again!.perplexity).not.toBe(report.result.perplexity);
      expect(Math.abs(again!.perplexity / report.result.perplexity - 1)).toBeLessThan(0.05);
      expect(card).toContain(`rounded to ${dtype === 'F16' ? 'float16' : 'bfloat16'}`);
    }
    expect(card).toContain(`those that stay were changed (${update})`);
  });

  test.each(FORMS.slice(1, 4))('%s, %s, as ONNX: nothing is rounded', async (name, update) => {
    const report = await at.engine.exportModel(await planOf(name, update), { folder: at.folder, format: 'onnx' });
    expect(report.rounded).toBeUndefined();
    expect(report.verification.difference).toBeLessThan(1e-4 * Math.max(1, report.verification.largest));
  });

  test('what float16 has no room for is refused', async () => {
    const parameter = { name: 'w', tensor: 'w', shape: [2, 2], linear: true };
    await mkdir(at.folder);
    const writer = new CheckpointWriter(at.folder, new Map([['w', { dtype: 'F16', shape: [2, 2] }]]));
    const write = (values: number[]) =>
      failureOf(() => {
        writeValues(parameter, Float32Array.from(values), 'F16', writer);
      });
    expect((await write([1, 2, -65_520, 3])).code).toBe('export/mismatch');
    expect((await write([1, NaN, 2, 3])).code).toBe('export/mismatch');
    writeValues(parameter, Float32Array.of(1, 2, -65_519, 3), 'F16', writer);
    writer.abandon();
  });
});
