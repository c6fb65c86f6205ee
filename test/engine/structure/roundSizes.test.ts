import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseConfig } from '../../../src/engine/checkpoint/readConfig.ts';
import { modelComponents } from '../../../src/engine/models/components.ts';
import { sizesAtRates } from '../../../src/engine/structure/masks.ts';
import { roundSizes } from '../../../src/engine/structure/roundSizes.ts';
import { sizeRule } from '../../../src/engine/structure/sizeRules.ts';
import type { BlockComponents } from '../../../src/experiment/structureSchema.ts';
import { ROUND_TARGETS, type RoundTarget } from '../../../src/experiment/roundTargets.ts';
import { failureOf } from '../../support/expectCoded.ts';

/** Shapes as published models have them; only config.json counts. */
const config = (architecture: string, fields: object = {}) =>
  parseConfig(
    {
      architectures: [architecture],
      ...{ hidden_size: 2048, intermediate_size: 5632, num_hidden_layers: 6, num_attention_heads: 32 },
      ...{ num_key_value_heads: 8, vocab_size: 32_000, sliding_window: null, ...fields },
    },
    'config.json',
  );
const llama = config('LlamaForCausalLM');

const sizesOf = (target: RoundTarget, rates: readonly number[], model = llama) => {
  const components = modelComponents(model);
  const sizes = sizesAtRates(components, rates);
  const rule = sizeRule(target, model);
  return { components, sizes, rounded: rule ? roundSizes(components, sizes, rule) : sizes };
};
const keptOf = (components: readonly BlockComponents[], sizes: readonly { groups: number; channels: number }[]) =>
  sizes.reduce((sum, { groups, channels }, i) => {
    const { groupWeights, channelWeights } = components[i]!;
    return sum + groups * groupWeights + channels * channelWeights;
  }, 0);

const rates = fc.array(fc.double({ min: 0.1, max: 0.6, noNaN: true }), { minLength: 6, maxLength: 6 });

describe('rounded sizes', () => {
  test.each(ROUND_TARGETS)('for %s are accepted, at nearly the same sparsity', (target) => {
    fc.assert(
      fc.property(rates, (each) => {
        const { components, sizes, rounded } = sizesOf(target, each);
        const rule = sizeRule(target, llama);
        for (const { groups, channels } of rounded) {
          expect(groups === 0 || rule === undefined || rule.acceptsGroups(groups)).toBe(true);
          expect(channels % (rule?.channelStep ?? 1)).toBe(0);
        }
        if (target === 'vllm') expect(new Set(rounded.map(({ groups }) => groups)).size).toBe(1);
        const total = keptOf(components, components);
        // What is off of each block goes to the next: at the end half a step, unless the last ran out of channels.
        expect(Math.abs(keptOf(components, rounded) - keptOf(components, sizes)) / total).toBeLessThan(0.03);
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  it.each<[RoundTarget, string, readonly number[], readonly number[], readonly number[]]>([
    // hidden_size 2048 is a multiple of 16 and of 32 heads, not of 20 or 24.
    ['transformers', 'LlamaForCausalLM', [0.4, 0.4, 0.4, 0.4, 0.4, 0.4], [4, 4, 4, 4, 4, 4], []],
    ['transformers', 'Qwen2ForCausalLM', [0.3, 0.3, 0.3, 0.3, 0.3, 0.3], [6, 6, 6, 6, 6, 6], []],
    ['vllm', 'Qwen2ForCausalLM', [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [5, 5, 5, 5, 5, 5], []],
    ['llama.cpp', 'LlamaForCausalLM', [0.1, 0.1, 0.1, 0.1, 0.1, 0.6], [7, 7, 7, 7, 7, 3], []],
    ['llama.cpp', 'Qwen3ForCausalLM', [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [5, 5, 5, 5, 5, 5], [1]],
  ])('for %s, %s at %j', (target, architecture, each, groups, alikeChannels) => {
    const { rounded } = sizesOf(target, each, config(architecture));
    expect(rounded.map((block) => block.groups)).toEqual(groups);
    if (alikeChannels.length > 0) expect(new Set(rounded.map(({ channels }) => channels)).size).toBe(1);
  });

  it('what is gone altogether stays gone, but for the first block of vLLM', () => {
    const { rounded } = sizesOf('vllm', [1, 0.2, 1, 0.2, 0.2, 0.2]);
    expect(rounded.map(({ groups }) => groups > 0)).toEqual([true, true, false, true, true, true]);
  });

  it('a rule that accepts no number of groups says so', async () => {
    const tiny = config('LlamaForCausalLM', { hidden_size: 32, num_attention_heads: 4, num_key_value_heads: 2 });
    const failure = await failureOf(() => sizesOf('k-quants', [0.5, 0.5, 0.5, 0.5, 0.5, 0.5], tiny));
    expect(failure).toMatchObject({ code: 'settings/invalid' });
  });
});
