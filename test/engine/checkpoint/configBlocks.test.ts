import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasMlpOutputBias } from '../../../src/engine/families/config.ts';
import { checkTensors } from '../../../src/engine/checkpoint/checkTensors.ts';
import { parseConfig } from '../../../src/engine/checkpoint/readConfig.ts';
import { allParameters, familyOf } from '../../../src/engine/families/families.ts';
import { Rng } from '../../../src/base/rng.ts';
import { failureOf, failureOrNone } from '../../support/expectCoded.ts';
import { mutateJson } from '../../support/mutate.ts';
import { TINY_BLOOM, TINY_GPT2, TINY_LLAMA, TINY_OPT, TINY_QWEN2 } from './tinyConfigs.ts';

const FILE = 'folder/config.json';
const SIZES = [
  { heads: 4, kv_heads: 2, intermediate: 10 },
  { heads: 0, kv_heads: 0, intermediate: 96 },
  { heads: 8, kv_heads: 4, intermediate: 0 },
];

/** Two of BLOOM's four heads. */
const HALF = Array.from({ length: 3 }, () => ({ heads: 2, kv_heads: 2, intermediate: 10 }));
const withGroups = (groups: readonly number[]) => HALF.map((sizes) => ({ ...sizes, groups }));

const withKey = (key: unknown, base: object = TINY_LLAMA) => parseConfig({ ...base, espalier: key }, FILE);

describe('the key of models that components were removed from', () => {
  it('gives each block its sizes', () => {
    expect(withKey({ format: 1, blocks: SIZES }).blocks).toEqual([
      { heads: 4, kvHeads: 2, intermediate: 10 },
      { heads: 0, kvHeads: 0, intermediate: 96 },
      { heads: 8, kvHeads: 4, intermediate: 0 },
    ]);
    expect(parseConfig(TINY_LLAMA, FILE).blocks).toBeUndefined();
  });

  it('gives output projections a bias that the family has no field for', () => {
    const config = withKey({ format: 1, bias: { attention_output: true, mlp_output: true } }, TINY_QWEN2);
    expect(config.bias).toEqual({ queryKeyValue: true, attentionOutput: true, mlp: false, mlpOutput: true });
    expect(hasMlpOutputBias(config)).toBe(true);
    const names = allParameters(config).map(({ tensor }) => tensor);
    expect(names).toContain('model.layers.0.mlp.down_proj.bias');
    expect(names).not.toContain('model.layers.0.mlp.up_proj.bias');
  });

  it('says which heads are left where each has a slope of its own', () => {
    const blocks = [
      { heads: 2, kv_heads: 2, intermediate: 10, groups: [0, 3] },
      { heads: 0, kv_heads: 0, intermediate: 96, groups: [] },
      { heads: 4, kv_heads: 4, intermediate: 0 },
    ];
    expect(withKey({ format: 1, blocks }, TINY_BLOOM).blocks).toEqual([
      { heads: 2, kvHeads: 2, intermediate: 10, groups: [0, 3] },
      { heads: 0, kvHeads: 0, intermediate: 96, groups: [] },
      { heads: 4, kvHeads: 4, intermediate: 0 },
    ]);
  });

  it('says which block one was where attention depends on that', () => {
    const base = { ...TINY_GPT2, scale_attn_by_inverse_layer_idx: true };
    const blocks = [0, 2, 5].map((place) => ({ heads: 4, kv_heads: 4, intermediate: 256, place }));
    const config = withKey({ format: 1, blocks }, base);
    const scales = [0, 1, 2].map((index) => familyOf(config).block(config, index).scale);
    expect(scales).toEqual([1, 3, 6].map((place) => 0.25 / place));
  });

  it.each<[what: string, key: unknown, says: RegExp, base?: object]>([
    [
      'a place where it does not matter',
      { format: 1, blocks: SIZES.map((sizes) => ({ ...sizes, place: 1 })) },
      /place/,
    ],
    ['groups where they are alike', { format: 1, blocks: SIZES.map((sizes) => ({ ...sizes, groups: [1] })) }, /groups/],
    ['no groups where each has a slope', { format: 1, blocks: HALF }, /groups to be a list of 2/, TINY_BLOOM],
    [
      'one group twice',
      { format: 1, blocks: withGroups([1, 1]) },
      /groups to be 2 of the numbers from 0 to 3/,
      TINY_BLOOM,
    ],
    ['a group that there is not', { format: 1, blocks: withGroups([1, 4]) }, /groups/, TINY_BLOOM],
    ['half a group', { format: 1, blocks: withGroups([0.5, 1]) }, /groups/, TINY_BLOOM],
    ['a text', 'blocks', /espalier to be an object/],
    ['another format', { format: 2, blocks: SIZES }, /espalier\.format to be an integer from 1 to 1/],
    ['no format', { blocks: SIZES }, /espalier\.format/],
    ['a misspelt name', { format: 1, block: SIZES }, /espalier\.block to be absent/],
    ['a block too few', { format: 1, blocks: SIZES.slice(1) }, /espalier\.blocks to be a list of 3/],
    ['a null among the blocks', { format: 1, blocks: [null, ...SIZES.slice(1)] }, /blocks\[0\] to be an object/],
    [
      'a size left out',
      { format: 1, blocks: SIZES.with(1, { heads: 4, kv_heads: 2 } as never) },
      /blocks\[1\]\.intermediate/,
    ],
    [
      'more heads than before',
      { format: 1, blocks: SIZES.with(0, { heads: 16, kv_heads: 8, intermediate: 1 }) },
      /heads/,
    ],
    [
      'more channels than before',
      { format: 1, blocks: SIZES.with(2, { ...SIZES[2]!, intermediate: 97 }) },
      /intermediate/,
    ],
    [
      'heads in another proportion',
      { format: 1, blocks: SIZES.with(0, { heads: 4, kv_heads: 4, intermediate: 1 }) },
      /2 for each/,
    ],
    ['a negative size', { format: 1, blocks: SIZES.with(0, { heads: -2, kv_heads: -1, intermediate: 1 }) }, /heads/],
    ['a bias of another layer', { format: 1, bias: { query: true } }, /espalier\.bias\.query to be absent/],
    ['a bias that is no boolean', { format: 1, bias: { mlp_output: 1 } }, /true or false/],
  ])('refuses %s', async (_, key, says, base) => {
    const failure = await failureOf(() => withKey(key, base));
    expect(failure.code).toBe('checkpoint/config');
    expect(failure.message).toMatch(says);
  });

  it('refuses a lying key before anything is read', async () => {
    const config = withKey({ format: 1, blocks: SIZES });
    const dense = new Map(
      allParameters(parseConfig(TINY_LLAMA, FILE)).map(({ tensor, shape }) => [
        tensor,
        { dtype: 'F32', shape, file: FILE, begin: 0, end: 0 } as const,
      ]),
    );
    const checkpoint = { folder: 'folder', config, tensors: dense } as unknown as Parameters<typeof checkTensors>[0];
    const failure = await failureOf(() => {
      checkTensors(checkpoint, allParameters(config));
    });
    expect(failure.code).toBe('checkpoint/tensor');
  });

  it('takes or refuses whatever stands there, with a code', async () => {
    const base = { format: 1, blocks: SIZES, bias: { attention_output: true, mlp_output: false } };
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.constantFrom(TINY_LLAMA, TINY_OPT), async (seed, family) => {
        const key = mutateJson(new Rng(Math.abs(seed)), base);
        await failureOrNone(() => {
          const config = withKey(key, family);
          for (const { shape } of allParameters(config)) expect(shape.every((size) => size > 0)).toBe(true);
          accepted++;
        }, ['checkpoint/config']);
      }),
      { seed: 1, numRuns: 1000 },
    );
    expect(accepted).toBeGreaterThan(25);
    expect(accepted).toBeLessThan(975);
  });
});
