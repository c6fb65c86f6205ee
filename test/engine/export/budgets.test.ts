import { describe, expect, test } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { byteLength } from '../../../src/engine/checkpoint/elementTypes.ts';
import { allParameters } from '../../../src/engine/families/families.ts';
import { sizeOf } from '../../../src/engine/graph/shape.ts';
import { parseBudget } from '../../../src/experiment/budget.ts';
import type { Budget } from '../../../src/experiment/budgetSchema.ts';
import type { TextPlan } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { OWL, UNIFORM } from '../../../src/experiment/structure.ts';
import type { RateAllocation } from '../../../src/experiment/structureSchema.ts';
import { exportTests } from '../../support/exports.ts';
import type { FamilyName } from '../../support/generate/families.ts';

// What a budget of size asks for is what is written: no more than that, and hardly less.

const at = exportTests('pruned');

const CASES: readonly (readonly [FamilyName, 'wanda-sp' | 'flap' | 'taylor' | 'shortgpt', RateAllocation, string])[] = [
  ['llama-2 grouped queries', 'wanda-sp', UNIFORM, '30% fewer parameters'],
  ['llama-2 grouped queries', 'wanda-sp', OWL, '25% fewer parameters'],
  ['llama-2 grouped queries', 'flap', { kind: 'global' }, '20% fewer parameters'],
  ['olmo2', 'taylor', UNIFORM, '30% fewer parameters'],
  ['mistral', 'shortgpt', UNIFORM, '20% fewer parameters'],
  ['opt-350m', 'wanda-sp', UNIFORM, '80% of the bytes'],
  ['mistral', 'flap', UNIFORM, '80% of the bytes'],
];

describe('what is exported is within its budget', () => {
  test.each(CASES)('%s by %s, %j, %s', async (name, method, rates, text) => {
    const dense = await sizeAt((await at.family(name)).folder);
    const bytes = Math.round(0.8 * dense.bytes);
    const budget: Budget = text.endsWith('bytes') ? { quantity: 'bytes', bytes } : parseBudget(text)!;
    const { result } = await at.engine.exportModel(await planOf(name, method, rates, budget), {
      ...{ folder: at.folder, format: 'huggingface' },
    });
    const written = await sizeAt(at.folder);
    const most = budget.quantity === 'parameters' ? (1 - budget.share) * dense.parameters : bytes;
    const really = budget.quantity === 'parameters' ? written.parameters : written.bytes;
    expect(really).toBeLessThanOrEqual(most);
    // Blocks go as a whole; the others one channel of each at a time.
    expect(really).toBeGreaterThan((method === 'shortgpt' ? 0.6 : 0.9) * most);
    const told = result.structure!.budget!;
    expect(told.asked).toEqual(budget);
    expect(result.sparsity).toEqual({ kind: 'budget', budget });
    const figure = budget.quantity === 'parameters' ? 1 - really / dense.parameters : really;
    expect(told.figure / figure).toBeCloseTo(1, 9);
  });
});

async function sizeAt(folder: string): Promise<{ readonly parameters: number; readonly bytes: number }> {
  const checkpoint = await openCheckpoint(folder);
  const all = allParameters(checkpoint.config);
  checkpoint.close();
  return {
    parameters: all.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    bytes: all.reduce(
      (sum, { tensor, shape }) => sum + byteLength(checkpoint.tensors.get(tensor)!.dtype, sizeOf(shape))!,
      0,
    ),
  };
}

async function planOf(
  name: FamilyName,
  method: (typeof CASES)[number][1],
  rates: RateAllocation,
  budget: Budget,
): Promise<TextPlan> {
  const family = await at.family(name);
  return {
    ...{ model: family.folder, text: family.textFile, calibration: family.calibrationFile },
    evaluations: [
      {
        metric: 'it',
        structure: { kind: 'scored', score: { kind: 'method', method }, rates },
        sparsity: { kind: 'budget', budget },
      },
    ],
    settings: {
      ...DEFAULT_SETTINGS,
      ...{ device: 'cpu', threads: 1, samples: 2, blocks: 1, length: 24, offsets: 'even' },
    },
  };
}
