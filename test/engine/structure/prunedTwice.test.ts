import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { writeSafetensors, type TensorToWrite } from '../../../src/engine/checkpoint/safetensorsWriter.ts';
import { prunedConfig } from '../../../src/engine/export/prunedConfig.ts';
import { componentsOf } from '../../../src/engine/models/components.ts';
import { allParameters } from '../../../src/engine/models/model.ts';
import { packBits } from '../../../src/experiment/components.ts';
import type { PlannedEvaluation } from '../../../src/experiment/plan.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { OWL, STRUCTURE_METHOD_NAMES, UNIFORM } from '../../../src/experiment/structure.ts';
import { FAMILIES, type FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { removedTensors } from './removedTensors.ts';

// A checkpoint that components were removed from is a checkpoint: blocks of other sizes, one without heads, and one without anything.

const KEPT = [
  { groups: (i: number) => i % 2, channels: (i: number) => Number(i % 3 > 0) },
  { groups: () => 0, channels: () => 1 },
  { groups: () => 0, channels: () => 0 },
];

const WANDA = fromPrefix('mul(W, sqrt(X))');
const share = { kind: 'unstructured', share: 0.4 } as const;
const EVALUATIONS: readonly PlannedEvaluation[] = [
  ...STRUCTURE_METHOD_NAMES.map((method) => ({
    metric: method,
    structure: { kind: 'scored', score: { kind: 'method', method }, rates: UNIFORM } as const,
    sparsity: share,
  })),
  { metric: 'wanda', expression: WANDA, sparsity: share, rates: OWL },
  { metric: 'gradient', expression: fromPrefix('mul(W, G)'), sparsity: share },
];

test.each([
  { name: 'llama biases', calibrate: 'sequential' },
  { name: 'opt-350m', calibrate: 'one-shot' },
] as const)('$name, $calibrate', async ({ name, calibrate }) => {
  const family = await temporaryFamily(name);
  const folder = await writeSmaller(family.folder, name);
  const engine = createEngine();
  const settings = { device: 'cpu', threads: 1, length: 16, samples: 2, blocks: 2, calibrate } as const;
  const results = await engine.evaluate({
    ...{ model: folder, text: family.textFile, calibration: family.calibrationFile, evaluations: EVALUATIONS },
    settings: { ...DEFAULT_SETTINGS, ...settings },
  });
  for (const { metric, structure, rates, perplexity, actualSparsity } of results) {
    expect(perplexity, metric).toBeGreaterThan(1);
    expect(actualSparsity, metric).toBeGreaterThan(0.3);
    expect(actualSparsity, metric).toBeLessThan(0.7);
    if (structure) expect(structure.blocks[2]).toMatchObject({ groups: { of: 0 }, channels: { of: 0 } });
    if (rates) expect(rates[2]).toBe(0);
  }
  await engine.dispose();
  await rm(folder, { recursive: true });
  await family.remove();
});

async function writeSmaller(from: string, name: FamilyName): Promise<string> {
  const dense = await openCheckpoint(from);
  const { config } = FAMILIES[name];
  const mask = KEPT.map(({ groups, channels }, index) => {
    const count = componentsOf(dense.config, index);
    return {
      groups: packBits(Array.from({ length: count.groups }, (_, i) => groups(i))),
      channels: packBits(Array.from({ length: count.channels }, (_, i) => channels(i))),
    };
  });
  const smaller = removedTensors(dense, config, mask);
  const tensors = new Map<string, TensorToWrite>();
  for (const { tensor, shape } of allParameters(smaller.config)) {
    tensors.set(tensor, { dtype: 'F32', shape, data: smaller.read(tensor, shape) });
  }
  const folder = await mkdtemp(join(tmpdir(), 'espalier-smaller-'));
  await cp(join(from, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  await writeFile(join(folder, 'config.json'), JSON.stringify(prunedConfig(config, dense.config, mask, false).values));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  dense.close();
  return folder;
}
