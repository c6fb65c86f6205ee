import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { allParameters } from '../../../src/engine/families/families.ts';
import type { TextPlan } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { UNIFORM } from '../../../src/experiment/structure.ts';
import type { Structure } from '../../../src/experiment/structureSchema.ts';
import { exportTests } from '../../support/exports.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { loadOracle } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

// The smaller model with refitted output projections: read back by the engine, by loops in float64, and as ONNX.

const [LENGTH, BLOCKS] = [24, 2];

const at = exportTests('pruned');

const scored = (method: 'wanda-sp' | 'flap' | 'taylor' | 'shortgpt', rates: number[] = []): Structure => ({
  kind: 'scored',
  score: { kind: 'method', method },
  rates: rates.length > 0 ? { kind: 'given', rates } : UNIFORM,
});
/** A block that is dropped before others, so that theirs get other names; one without heads. */
const MASK: Structure = {
  kind: 'mask',
  mask: [
    { groups: '8', channels: 'a5'.repeat(7), dropped: true },
    { groups: '8', channels: 'a5'.repeat(7) },
    { groups: '0', channels: '0f'.repeat(7) },
  ],
};

const CASES: readonly (readonly [FamilyName, Structure, 'F32' | 'F16' | 'BF16'])[] = [
  ['llama-1', scored('wanda-sp'), 'F32'],
  ['llama-1', MASK, 'F32'],
  ['llama biases', scored('flap'), 'F32'],
  ['llama-2 grouped queries', scored('wanda-sp', [0.2, 0.5, 1]), 'F16'],
  ['mistral', scored('taylor'), 'BF16'],
  ['gpt-2', scored('wanda-sp'), 'F32'],
  ['opt-350m', scored('flap'), 'F16'],
  ['phi-3', scored('wanda-sp'), 'BF16'],
  ['falcon 40b', scored('taylor'), 'F16'],
  ['olmo2', scored('wanda-sp'), 'F32'],
  ['qwen3', scored('shortgpt'), 'BF16'],
];

describe('an export has the refitted projections, without the columns that went', () => {
  test.each(CASES)('%s', async (name, structure, dtype) => {
    const plan = await planOf(name, structure);
    const report = await at.engine.exportModel(plan, { folder: at.folder, format: 'huggingface' });
    const { result, rounded, parameters } = report;
    const refitted = result.update!.layers! > 0;
    expect(parameters.exported).toBeLessThan(parameters.dense);
    expect(parameters.exported).toBe(result.structure!.parameters.pruned);
    const written = await openCheckpoint(at.folder);
    for (const parameter of allParameters(written.config)) {
      expect(written.tensors.get(parameter.tensor)!.dtype).toBe(dtype);
      const values = written.read(parameter.tensor, written.tensors.get(parameter.tensor)!.shape);
      expect(values.every((value) => Number.isFinite(value))).toBe(true);
    }
    written.close();
    const [again] = await at.engine.evaluate({ ...plan, model: at.folder, evaluations: [] });
    const isRounded = refitted && dtype !== 'F32';
    expect(rounded).toEqual(isRounded ? { to: [dtype], perplexity: again!.perplexity } : undefined);
    const tolerance = isRounded ? 0.02 : 1e-4;
    expect(Math.abs(again!.perplexity / result.perplexity - 1)).toBeLessThan(tolerance);
    // It is not the model without an update.
    const [plain] = await at.engine.evaluate(await planOf(name, structure, false));
    if (refitted) expect(Math.abs(plain!.perplexity / result.perplexity - 1)).toBeGreaterThan(2e-3);
    else expect(plain!.perplexity).toBe(result.perplexity);
    const card = await readFile(path.join(at.folder, 'README.md'), 'utf8');
    expect(card.includes('refitted')).toBe(refitted);
    // Sizes that differ stand under a key of ours; where they do not, plain loops read the folder as they read any other.
    if (!report.plain) return;
    const read = perplexity(loadOracle(at.folder), tokenize(at.folder, (await at.family(name)).text), LENGTH, BLOCKS);
    expect(Math.abs(read / again!.perplexity - 1)).toBeLessThan(1e-4);
  });

  test.each(CASES.filter(([, , dtype]) => dtype !== 'F32'))(
    '%s, as ONNX: nothing is rounded',
    async (name, structure) => {
      const report = await at.engine.exportModel(await planOf(name, structure), { folder: at.folder, format: 'onnx' });
      expect(report.rounded).toBeUndefined();
      expect(report.verification.difference).toBeLessThan(1e-4 * Math.max(1, report.verification.largest));
    },
  );
});

async function planOf(name: FamilyName, structure: Structure, updated = true): Promise<TextPlan> {
  const family = await at.family(name);
  const update = { method: 'reconstruct', damping: 0.01 } as const;
  return {
    ...{ model: family.folder, text: family.textFile, calibration: family.calibrationFile },
    evaluations: [
      { metric: 'it', structure, sparsity: { kind: 'unstructured', share: 0.4 }, ...(updated && { update }) },
    ],
    settings: {
      ...DEFAULT_SETTINGS,
      ...{ device: 'cpu', threads: 1, samples: 4, blocks: BLOCKS, length: LENGTH, offsets: 'even' },
    },
  };
}
