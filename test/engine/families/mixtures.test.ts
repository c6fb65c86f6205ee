import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../src/engine/checkpoint/readConfig.ts';
import { workPerToken } from '../../../src/engine/evaluation/work.ts';
import { allParameters, familyOf } from '../../../src/engine/families/families.ts';
import { FAMILIES, type FamilyName } from '../../support/generate/families.ts';
import { tensorInventory } from '../../support/generate/tensorInventory.ts';

// What a config.json says of experts, and what of it is refused.

type Fields = Readonly<Record<string, unknown>>;

function configOf(name: FamilyName, changes: Fields = {}) {
  const values = Object.fromEntries(
    Object.entries({ ...FAMILIES[name].config, ...changes }).filter(([, value]) => value !== undefined),
  );
  return parseConfig(values, 'config.json');
}

describe('config.json', () => {
  test.each<[string, FamilyName, Fields, Fields]>([
    ['Mixtral', 'mixtral', {}, { mixture: { experts: [5, 5, 5], perToken: 2, normalised: true, sharedChannels: 0 } }],
    [
      'Mixtral, unsaid',
      'mixtral',
      {
        ...{ num_local_experts: undefined, num_experts_per_tok: undefined, sliding_window: undefined },
        ...{ rms_norm_eps: undefined, rope_theta: undefined },
      },
      {
        mixture: { experts: [8, 8, 8], perToken: 2 },
        windows: [undefined, undefined, undefined],
        normEpsilon: 1e-5,
        positions: { theta: 1e6 },
      },
    ],
    ['Mixtral, windows', 'mixtral', { sliding_window: 9 }, { windows: [9, 9, 9] }],
    [
      'Qwen2-MoE',
      'qwen2-moe',
      {},
      { mixture: { experts: [4, 0, 4], expertChannels: 24, sharedChannels: 40, normalised: false } },
    ],
    [
      'Qwen2-MoE without biases',
      'qwen2-moe',
      { qkv_bias: false, mlp_only_layers: undefined },
      { mixture: { experts: [4, 4, 4] }, bias: { queryKeyValue: false } },
    ],
    [
      'Qwen3-MoE, every third block',
      'qwen3-moe',
      { decoder_sparse_step: 3 },
      { mixture: { experts: [0, 0, 6], perToken: 3 } },
    ],
    ['OLMoE', 'olmoe', { clip_qkv: null }, { mixture: { experts: [4, 4, 4] }, normEpsilon: 1e-5 }],
  ])('of %s', (_, name, changes, expected) => {
    expect(configOf(name, changes)).toMatchObject(expected);
  });

  test.each<[string, FamilyName, Fields, RegExp]>([
    [
      'more experts for a token than there are',
      'mixtral',
      { num_experts_per_tok: 6 },
      /num_experts_per_tok to be an integer from 1 to 5/,
    ],
    ['no experts', 'qwen3-moe', { num_experts: 0 }, /num_experts/],
    ['more experts than any model has', 'olmoe', { num_experts: 100_000 }, /num_experts/],
    ['windows of which versions disagree', 'qwen2-moe', { use_sliding_window: true }, /use_sliding_window to be false/],
    [
      'blocks that are not there',
      'qwen2-moe',
      { mlp_only_layers: [3] },
      /mlp_only_layers to be a list of blocks from 0 to 2/,
    ],
    ['no list of blocks', 'qwen3-moe', { mlp_only_layers: 'all' }, /mlp_only_layers/],
    ['a step of nothing', 'qwen3-moe', { decoder_sparse_step: 0 }, /decoder_sparse_step/],
    ['a cut at nothing', 'olmoe', { clip_qkv: 0 }, /clip_qkv/],
    ['another family’s experts', 'mixtral', { model_type: 'llama' }, /model_type/],
    [
      'experts under the key of blocks, of a block without',
      'qwen2-moe',
      keyed([{ experts: 2 }, { experts: 2 }, {}]),
      /experts to be absent/,
    ],
    [
      'more experts under the key than before',
      'mixtral',
      keyed([{ experts: 6 }, {}, {}]),
      /experts to be an integer from 1 to 5/,
    ],
    ['a block that lost all of them', 'mixtral', keyed([{ experts: 0 }, {}, {}]), /experts/],
  ])('that says %s is refused', (_, name, changes, message) => {
    expect(() => configOf(name, changes)).toThrow(message);
  });
});

function keyed(blocks: readonly Fields[]): Fields {
  const whole = { heads: 4, kv_heads: 2, intermediate: 0 };
  return { espalier: { format: 1, blocks: blocks.map((block) => ({ ...whole, ...block })) } };
}

test.each(['mixtral', 'qwen2-moe', 'qwen3-moe', 'olmoe'] as const)(
  '%s has the tensors that transformers saves',
  (name) => {
    const expected = tensorInventory(FAMILIES[name].config).map(({ name: tensor, shape }) => [tensor, shape.join('×')]);
    const found = allParameters(configOf(name)).map(({ tensor, shape }) => [tensor, shape.join('×')]);
    expect(new Map(found as [string, string][])).toEqual(new Map(expected as [string, string][]));
  },
);

test('experts’ layers are pruned, routers and gates are not', () => {
  const linear = allParameters(configOf('qwen2-moe')).filter((parameter) => parameter.linear);
  const names = linear.map(({ tensor }) => tensor);
  expect(names).toContain('model.layers.0.mlp.experts.3.down_proj.weight');
  expect(names).toContain('model.layers.2.mlp.shared_expert.gate_proj.weight');
  expect(names.filter((name) => /\.gate\.weight$|shared_expert_gate/.test(name))).toEqual([]);
});

test.each([
  // A token meets two of five experts; on a device that takes all rows everywhere, all of them.
  ['mixtral', 2 / 5],
  // A shared expert is met by all.
  ['qwen2-moe', 2 / 4],
] as const)('the work of %s is that of the experts that a token goes through', (name, share) => {
  const config = configOf(name);
  const layouts = config.windows.map((_, index) => familyOf(config).block(config, index));
  const linears = layouts.flatMap(({ parameters }) => parameters.filter(({ linear }) => linear));
  const count = (parameters: typeof linears): number =>
    parameters.reduce((sum, { shape: [out, columns] }) => sum + out! * columns!, 0);
  const experts = linears.filter(({ expert }) => expert !== undefined);
  const [some, all] = [false, true].map((throughAll) => workPerToken(config, layouts, 40, throughAll));
  expect(some!.linear).toBe(count(linears));
  expect(all!.linear).toBe(count(linears));
  expect(all!.blocks - some!.blocks).toBeCloseTo(2 * (1 - share) * count(experts), 6);
});
