import { expect, test } from 'vitest';
import { updateMemory } from '../../../src/engine/evaluation/updateCost.ts';
import type { BlockLayout, Parameter } from '../../../src/engine/families/family.ts';

const layer = (name: string, out: number, size: number, input = name): Parameter => ({
  ...{ name, tensor: `model.layers.0.${name}.weight`, shape: [out, size], linear: true, input },
});

function llama(hidden: number, intermediate: number, kv = hidden): BlockLayout {
  return {
    ...{ variant: '', window: undefined, shape: { heads: 64, kvHeads: 8, intermediate } },
    parameters: [
      layer('q_proj', hidden, hidden, 'attention'),
      layer('k_proj', kv, hidden, 'attention'),
      layer('v_proj', kv, hidden, 'attention'),
      layer('o_proj', hidden, hidden),
      layer('gate_proj', intermediate, hidden, 'mlp'),
      layer('up_proj', intermediate, hidden, 'mlp'),
      layer('down_proj', hidden, intermediate),
    ],
  };
}

test.each([
  ['LLaMA-2-7B', llama(4096, 11008), 0.485, 3.796],
  ['LLaMA-2-70B', llama(8192, 28672, 1024), 3.288, 24.629],
])('of %s H of the widest input, and all of a block, in GB', (_, layout, widest, all) => {
  const memory = updateMemory([layout, layout], false)!;
  expect(memory.widest.layer.name).toBe('down_proj');
  expect(memory.widest.bytes / 1e9).toBeCloseTo(widest, 3);
  expect(memory.bytes / 1e9).toBeGreaterThan(2 * widest);
  expect(memory.bytes / 1e9).toBeCloseTo(all, 2);
});
