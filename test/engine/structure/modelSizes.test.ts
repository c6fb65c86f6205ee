import { afterAll, expect, it } from 'vitest';
import { packBits } from '../../../src/experiment/components.ts';
import { type BlockSize, modelSize } from '../../../src/experiment/costs.ts';
import type { ModelMask } from '../../../src/experiment/structureSchema.ts';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { byteLength } from '../../../src/engine/checkpoint/elementTypes.ts';
import { blockShape } from '../../../src/engine/families/config.ts';
import { allParameters, type ModelConfig } from '../../../src/engine/families/families.ts';
import { sizeOf } from '../../../src/engine/graph/shape.ts';
import { modelSizes } from '../../../src/engine/structure/modelSizes.ts';
import { removedConfig } from '../../../src/engine/structure/removedConfig.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { type TemporaryFamily, temporaryFamily } from '../../support/generate/temporaryFamily.ts';

const made: TemporaryFamily[] = [];
afterAll(() => Promise.all(made.map((family) => family.remove())));

/** Blocks that keep all, some, no heads, no channels, nothing, and one that is dropped. */
function keptOf(config: ModelConfig): readonly BlockSize[] {
  const ways: readonly ((groups: number, parts: number) => readonly [number, number] | 'dropped')[] = [
    (groups, parts) => [Math.max(1, groups - 1), Math.max(1, parts - 1)],
    (_, parts) => [0, parts],
    (groups) => [groups, 0],
    () => 'dropped',
    () => [0, 0],
    (groups, parts) => [groups, parts],
  ];
  return config.windows.map((_, index) => {
    const { kvHeads, intermediate, experts } = blockShape(config, index);
    // Of a mixture experts go, and one stays.
    if (experts !== undefined) return index === 0 ? { groups: kvHeads, channels: 0, experts: 1 } : 'dropped';
    const kept = ways[index % ways.length]!(kvHeads, intermediate);
    return kept === 'dropped' ? kept : { groups: kept[0], channels: kept[1] };
  });
}

function maskOf(config: ModelConfig, kept: readonly BlockSize[]): ModelMask {
  const first = (count: number, of: number): string => packBits(Array.from({ length: of }, (_, i) => i < count));
  return kept.map((size, index) => {
    const { kvHeads, intermediate, experts = 0 } = blockShape(config, index);
    if (size === 'dropped') return { groups: '', channels: '', dropped: true as const };
    const { groups, channels } = size;
    const bits = { groups: first(groups, kvHeads), channels: first(channels, intermediate) };
    return { ...bits, ...(size.experts !== undefined && { experts: first(size.experts, experts) }) };
  });
}

it.each<[FamilyName, boolean]>([
  ['llama-2 grouped queries', false],
  ['llama-2 grouped queries', true],
  ['llama biases', true],
  ['opt', true],
  ['gpt-neox', true],
  ['gpt-2', false],
  ['olmo2', true],
  ['cohere', false],
  ['gemma2', true],
  ['mixtral', false],
])('%s, with biases that make up for what is gone %s: sizes are those of what is left', async (name, compensated) => {
  const family = await temporaryFamily(name);
  made.push(family);
  const checkpoint = await openCheckpoint(family.folder);
  try {
    const { config, tensors } = checkpoint;
    const kept = keptOf(config);
    const costs = modelSizes(checkpoint);
    const left = removedConfig(config, maskOf(config, kept), compensated);
    const count = (of: ModelConfig): number => allParameters(of).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    expect(modelSize(costs, costs.blocks).parameters).toBe(count(config));
    expect(modelSize(costs, kept, compensated).parameters).toBe(count(left));
    const stored = allParameters(config).reduce(
      (sum, { tensor, shape }) => sum + byteLength(tensors.get(tensor)!.dtype, sizeOf(shape))!,
      0,
    );
    expect(modelSize(costs, costs.blocks).bytes).toBe(stored);
  } finally {
    checkpoint.close();
  }
});
