import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { writeSafetensors, type TensorToWrite } from '../../../src/engine/checkpoint/safetensorsWriter.ts';
import { BlockWeights } from '../../../src/engine/forward/blockWeights.ts';
import { prunedConfig } from '../../../src/engine/export/prunedConfig.ts';
import { componentsOf } from '../../../src/engine/models/components.ts';
import { allParameters } from '../../../src/engine/families/families.ts';
import { Pruner } from '../../../src/engine/pruning/pruner.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import { packBits } from '../../../src/experiment/components.ts';
import type { PlannedEvaluation } from '../../../src/experiment/planSchema.ts';
import type { EvaluationResult } from '../../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { OWL, STRUCTURE_METHOD_NAMES, STRUCTURE_METHODS, UNIFORM } from '../../../src/experiment/structure.ts';
import { FAMILIES, type FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { removedTensors } from './removedTensors.ts';

// A checkpoint that components were removed from is a checkpoint: blocks of other sizes, one of a single channel, and one of nothing.

/** What the engine is told to be free; undefined leaves it what it is. */
const pretended = vi.hoisted((): { memory?: number | undefined } => ({}));
vi.mock(import('../../../src/engine/runtime/memory.ts'), async (original) => {
  const memory = await original();
  return { ...memory, availableMemory: () => pretended.memory ?? memory.availableMemory() };
});

const KEPT = [
  { groups: (i: number) => i % 2, channels: (i: number) => Number(i % 3 > 0) },
  { groups: () => 0, channels: (i: number) => Number(i === 4) },
  { groups: () => 0, channels: () => 0 },
];

const WANDA = fromPrefix('mul(W, sqrt(X))');
const share = { kind: 'unstructured', share: 0.4 } as const;
const EVALUATIONS: readonly PlannedEvaluation[] = [
  ...STRUCTURE_METHOD_NAMES.filter((name) => STRUCTURE_METHODS[name].removes !== 'experts').map((method) => ({
    metric: method,
    structure: { kind: 'scored', score: { kind: 'method', method }, rates: UNIFORM } as const,
    sparsity: share,
  })),
  // On the one channel of a block it is constant, where nothing has to be ranked.
  {
    metric: 'inputs',
    structure: { kind: 'scored', score: { kind: 'metric', expression: fromPrefix('X') }, rates: UNIFORM },
    sparsity: share,
  },
  { metric: 'wanda', expression: WANDA, sparsity: share, rates: OWL },
  { metric: 'gradient', expression: fromPrefix('mul(W, G)'), sparsity: share },
];

test.each([
  { name: 'llama biases', calibrate: 'sequential' },
  { name: 'opt-350m', calibrate: 'one-shot' },
] as const)('$name, $calibrate', async ({ name, calibrate }) => {
  const family = await temporaryFamily(name);
  const folder = await writeSmaller(family.folder, name);
  const settings = { device: 'cpu', threads: 1, length: 16, samples: 2, blocks: 2, calibrate } as const;
  const evaluate = async (): Promise<readonly EvaluationResult[]> => {
    const engine = createEngine();
    const results = await engine.evaluate({
      ...{ model: folder, text: family.textFile, calibration: family.calibrationFile, evaluations: EVALUATIONS },
      settings: { ...DEFAULT_SETTINGS, ...settings },
    });
    await engine.dispose();
    return results;
  };
  const results = await evaluate();
  for (const { metric, structure, rates, perplexity, actualSparsity } of results) {
    expect(perplexity, metric).toBeGreaterThan(1);
    // Of whole blocks it can only be the small one.
    expect(actualSparsity, metric).toBeGreaterThan(metric === 'shortgpt' ? 0 : 0.3);
    expect(actualSparsity, metric).toBeLessThan(0.7);
    if (structure) expect(structure.blocks[2]).toMatchObject({ groups: { of: 0 }, channels: { of: 0 } });
    if (rates) expect(rates[2]).toBe(0);
  }
  // Weights that are read at every visit, and gradients in files, one of them of a block without linear layers.
  pretended.memory = 1000;
  const crowded = await evaluate();
  pretended.memory = undefined;
  expect(crowded.map(({ perplexity }) => perplexity)).toEqual(results.map(({ perplexity }) => perplexity));
  await rm(folder, { recursive: true });
  await family.remove();
});

test('blocks of other sizes are read into the same arrays, and pruned into the same', async () => {
  const family = await temporaryFamily('llama biases');
  const folder = await writeSmaller(family.folder, 'llama biases');
  const checkpoint = await openCheckpoint(folder);
  const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
  const weights = new BlockWeights(checkpoint, device, false);
  const pruner = new Pruner(device, {
    metric: 'magnitude',
    expression: fromPrefix('W'),
    sparsity: share,
    group: 'row',
  });
  const [name, pruned, read] = ['mlp.up_proj', new Set<ArrayBufferLike>(), new Set<ArrayBufferLike>()];
  for (const index of [0, 1, 0]) {
    const block = await weights.block(index);
    const layer = weights.layouts[index]!.parameters.find((parameter) => parameter.name === name)!;
    const zeroed = (await pruner.prune(index, layer, block[name]!, undefined, undefined))!;
    const expected = checkpoint.read(layer.tensor, layer.shape);
    expect(block[name]!.floats()).toEqual(expected);
    expect(zeroed.floats()).toHaveLength(expected.length);
    expect(zeroed.floats().every((value, i) => value === 0 || value === expected[i])).toBe(true);
    read.add(block[name]!.floats().buffer);
    pruned.add(zeroed.floats().buffer);
  }
  expect([read.size, pruned.size]).toEqual([1, 1]);
  checkpoint.close();
  await device.dispose();
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
