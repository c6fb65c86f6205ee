import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { parseConfig } from '../../../src/engine/checkpoint/readConfig.ts';
import type { RotaryPositions, Scaling } from '../../../src/engine/families/config.ts';
import { familyOf, type ModelConfig } from '../../../src/engine/families/families.ts';
import { modelLength } from '../../../src/engine/forward/modelLength.ts';
import { failureOf, failureOrNone } from '../../support/expectCoded.ts';
import { mutateJson, pick } from '../../support/mutate.ts';
import {
  TINY_COHERE,
  TINY_COHERE2,
  TINY_GEMMA,
  TINY_GEMMA2,
  TINY_GEMMA3,
  TINY_GRANITE,
  TINY_OLMO2,
  TINY_SMOLLM3,
  TINY_STABLELM,
} from './tinyConfigs.ts';

// LLaMA's kin with other norms, rotations and scales: what of config.json is read, and what transformers takes where nothing is said.

const parse = (values: object): ModelConfig => parseConfig(values as Record<string, unknown>, 'config.json');
const NO_BIAS = { queryKeyValue: false, attentionOutput: false, mlp: false };
const ATTENTION_BIAS = { queryKeyValue: true, attentionOutput: true, mlp: false };
const turning = (theta: number, more: Partial<RotaryPositions> = {}): RotaryPositions => ({
  ...{ kind: 'rotary', dims: 16, theta, scaling: { kind: 'none' } },
  ...more,
});
/** Fields that most of them have, with defaults that differ. */
const COMMON = ['max_position_embeddings', 'rms_norm_eps', 'rope_theta'];
const LAYERS = ['full_attention', 'sliding_attention', 'full_attention'];

describe('reads', () => {
  it.each<[what: string, values: object, expected: object]>([
    ['Gemma', TINY_GEMMA, { tiedEmbeddings: true, activation: 'gelu-tanh', headDim: 16, bias: NO_BIAS }],
    ['Gemma in bfloat16', { ...TINY_GEMMA, hidden_size: 40 }, { embeddingScale: 6.3125 }],
    ['Gemma in float16', { ...TINY_GEMMA, hidden_size: 40, torch_dtype: 'float16' }, { embeddingScale: 6.32421875 }],
    [
      'Gemma in float32',
      { ...TINY_GEMMA, hidden_size: 40, torch_dtype: 'float32' },
      { embeddingScale: Math.fround(Math.sqrt(40)) },
    ],
    [
      'Gemma as transformers 5 says its type',
      { ...TINY_GEMMA, hidden_size: 40, torch_dtype: 'float32', dtype: 'bfloat16' },
      { embeddingScale: 6.3125 },
    ],
    ['Gemma 2B', { ...TINY_GEMMA, hidden_size: 2048 }, { embeddingScale: 45.25 }],
    ['Gemma 7B', { ...TINY_GEMMA, hidden_size: 3072 }, { embeddingScale: 55.5 }],
    [
      'a half between two numbers goes to the even one',
      { ...TINY_GEMMA, hidden_size: 66_049 },
      { embeddingScale: 256 },
    ],
    [
      'Gemma as it was first written',
      { ...TINY_GEMMA, hidden_act: 'gelu', hidden_activation: null },
      { activation: 'gelu-tanh' },
    ],
    [
      'Gemma with an activation of its own',
      { ...TINY_GEMMA, hidden_act: 'gelu', hidden_activation: 'relu' },
      { activation: 'relu' },
    ],
    ['Gemma with biases', { ...TINY_GEMMA, attention_bias: true }, { bias: ATTENTION_BIAS }],
    [
      'Gemma, defaults',
      omit({ ...TINY_GEMMA, num_attention_heads: 16 }, 'head_dim', 'num_key_value_heads', 'hidden_act', ...COMMON),
      { headDim: 256, kvHeads: 16, maxPositions: 8192, normEpsilon: 1e-6, positions: { theta: 10_000 } },
    ],
    [
      'Gemma 2',
      TINY_GEMMA2,
      {
        windows: [128, undefined, 128],
        scores: { scale: 0.25, cap: 50 },
        logits: { cap: 30 },
        ...{ embeddingScale: 8, tiedEmbeddings: true },
      },
    ],
    [
      'Gemma 2, windows where the types say',
      { ...TINY_GEMMA2, layer_types: LAYERS },
      { windows: [undefined, 128, undefined] },
    ],
    [
      'Gemma 2 without caps',
      { ...TINY_GEMMA2, attn_logit_softcapping: null, final_logit_softcapping: null },
      { scores: { scale: 0.25 }, logits: {} },
    ],
    [
      'Gemma 2, defaults',
      omit(
        TINY_GEMMA2,
        ...([
          'head_dim',
          'num_key_value_heads',
          'query_pre_attn_scalar',
          'sliding_window',
          'hidden_activation',
        ] as const),
        ...['attn_logit_softcapping', 'final_logit_softcapping', ...COMMON],
      ),
      {
        ...{ headDim: 256, kvHeads: 4, maxPositions: 8192, activation: 'gelu-tanh', windows: [4096, undefined, 4096] },
        ...{ scores: { scale: 1 / 16, cap: 50 }, logits: { cap: 30 } },
      },
    ],
    [
      'Gemma 3',
      { ...TINY_GEMMA3, rope_scaling: { rope_type: 'linear', factor: 8 } },
      {
        windows: [128, 128, undefined],
        rotations: [turning(10_000), turning(10_000), turning(1e6, { scaling: { kind: 'linear', factor: 8 } })],
        ...{ scores: { scale: 0.25 }, logits: {}, trainedLength: 512 },
      },
    ],
    [
      'Gemma 3 as transformers 5 writes it',
      {
        ...omit(TINY_GEMMA3, 'rope_theta', 'rope_local_base_freq', 'sliding_window_pattern'),
        ...{ layer_types: LAYERS, final_logit_softcapping: 20 },
        rope_parameters: {
          full_attention: { rope_type: 'linear', factor: 4, rope_theta: 500 },
          sliding_attention: { rope_type: 'default', rope_theta: 50 },
        },
      },
      {
        windows: [undefined, 128, undefined],
        rotations: [500, 50, 500].map((theta) =>
          theta === 50 ? turning(50) : turning(theta, { scaling: { kind: 'linear', factor: 4 } }),
        ),
        logits: { cap: 20 },
      },
    ],
    [
      'Gemma 3, defaults',
      omit(
        { ...TINY_GEMMA3, num_hidden_layers: 6 },
        ...([
          'head_dim',
          'num_key_value_heads',
          'query_pre_attn_scalar',
          'sliding_window',
          'hidden_activation',
        ] as const),
        ...['rope_local_base_freq', 'sliding_window_pattern', ...COMMON],
      ),
      {
        ...{ headDim: 256, kvHeads: 4, maxPositions: 131_072, scores: { scale: 1 / 16 } },
        windows: [4096, 4096, 4096, 4096, 4096, undefined],
        positions: { theta: 1e6 },
      },
    ],
    ['OLMo 2', TINY_OLMO2, { kvHeads: 4, headDim: 8, bias: NO_BIAS, tiedEmbeddings: false }],
    [
      'OLMo 2, defaults',
      omit(TINY_OLMO2, 'num_key_value_heads', 'tie_word_embeddings', ...COMMON),
      { kvHeads: 8, normEpsilon: 1e-5, maxPositions: 2048, tiedEmbeddings: false },
    ],
    [
      'Granite',
      TINY_GRANITE,
      { ...{ embeddingScale: 12, residualScale: 0.22 }, scores: { scale: 0.015625 }, logits: { scale: 1 / 16 } },
    ],
    [
      'Granite, defaults',
      omit(
        TINY_GRANITE,
        ...['embedding_multiplier', 'residual_multiplier', 'attention_multiplier', 'logits_scaling'],
        ...['tie_word_embeddings', ...COMMON],
      ),
      // The scores are not divided by anything where nothing is said.
      { ...{ embeddingScale: 1, residualScale: 1, normEpsilon: 1e-6 }, scores: { scale: 1 }, logits: { scale: 1 } },
    ],
    [
      'StableLM',
      TINY_STABLELM,
      {
        ...{ parallel: false, queryKeyNorm: false, bias: { ...NO_BIAS, queryKeyValue: true } },
        positions: { dims: 4, theta: 10_000 },
      },
    ],
    [
      'StableLM 2 12B, as transformers 5 writes it',
      {
        ...omit(TINY_STABLELM, 'partial_rotary_factor', 'rope_theta', 'use_qkv_bias'),
        ...{ use_parallel_residual: true, qk_layernorm: true },
        rope_parameters: { rope_type: 'default', rope_theta: 500, partial_rotary_factor: 0.5 },
      },
      { parallel: true, queryKeyNorm: true, bias: NO_BIAS, positions: { dims: 8, theta: 500 } },
    ],
    [
      'StableLM, defaults',
      omit(
        { ...TINY_STABLELM, num_attention_heads: 32, hidden_size: 256 },
        ...(['num_key_value_heads', 'partial_rotary_factor', 'use_qkv_bias', 'use_parallel_residual'] as const),
        ...['qk_layernorm', 'layer_norm_eps', 'tie_word_embeddings', ...COMMON],
      ),
      {
        ...{ kvHeads: 32, maxPositions: 4096, normEpsilon: 1e-5, parallel: false, queryKeyNorm: false },
        ...{ bias: NO_BIAS, tiedEmbeddings: false, positions: { dims: 2 } },
      },
    ],
    [
      'SmolLM3',
      TINY_SMOLLM3,
      { rotations: [turning(10_000, { dims: 8 }), null, turning(10_000, { dims: 8 })], tiedEmbeddings: true },
    ],
    [
      'SmolLM3, blocks by name, and windows where nothing turns',
      { ...TINY_SMOLLM3, no_rope_layers: [0, 1, 0, 1], use_sliding_window: true, sliding_window: 64 },
      { rotations: [null, turning(10_000, { dims: 8 }), null], windows: [64, undefined, 64] },
    ],
    [
      'SmolLM3, defaults',
      omit(
        { ...TINY_SMOLLM3, num_hidden_layers: 4 },
        ...['num_key_value_heads', 'no_rope_layer_interval', 'use_sliding_window', 'sliding_window', ...COMMON],
      ),
      {
        ...{ kvHeads: 4, maxPositions: 32_768, positions: { theta: 2_000_000 }, normEpsilon: 1e-6 },
        rotations: [{ theta: 2_000_000 }, { theta: 2_000_000 }, { theta: 2_000_000 }, null],
      },
    ],
    [
      'Cohere',
      TINY_COHERE,
      {
        ...{ queryKeyNorm: false, tiedEmbeddings: true, bias: NO_BIAS, logits: { scale: 0.0625 } },
        positions: turning(10_000, { dims: 8, interleaved: true }),
      },
    ],
    [
      'Cohere, defaults',
      omit(
        TINY_COHERE,
        ...['num_key_value_heads', 'layer_norm_eps', 'logit_scale', 'use_qk_norm', 'max_position_embeddings'],
      ),
      { kvHeads: 8, maxPositions: 8192, normEpsilon: 1e-5, logits: { scale: 0.0625 }, queryKeyNorm: false },
    ],
    [
      'Cohere 2',
      TINY_COHERE2,
      {
        ...{ windows: [128, 128, undefined], logits: { scale: 0.25 }, queryKeyNorm: false },
        rotations: [
          turning(10_000, { dims: 8, interleaved: true }),
          turning(10_000, { dims: 8, interleaved: true }),
          null,
        ],
      },
    ],
    [
      'Cohere 2, defaults',
      omit(
        { ...TINY_COHERE2, num_hidden_layers: 4 },
        ...['num_key_value_heads', 'layer_norm_eps', 'logit_scale', 'sliding_window', 'sliding_window_pattern'],
        ...COMMON,
      ),
      { kvHeads: 8, windows: [4096, 4096, 4096, undefined], logits: { scale: 0.0625 }, positions: { theta: 10_000 } },
    ],
  ])('%s', (_, values, expected) => {
    expect(parse(dropUndefined(values))).toMatchObject(expected);
  });

  it('Gemma 3 is made for the length that is written, whatever its scaling', () => {
    expect(modelLength(parse({ ...TINY_GEMMA3, rope_scaling: { rope_type: 'linear', factor: 8 } }))).toBe(512);
  });
});

describe('says of an export', () => {
  it.each<[what: string, values: object, says: readonly RegExp[]]>([
    ['nothing of Gemma 2 as it is', TINY_GEMMA2, []],
    ['which transformers know where the windows of Gemma 2 are', { ...TINY_GEMMA2, layer_types: LAYERS }, [/4\.53/]],
    ['that transformers 5 looks at the heads of Gemma 2', { ...TINY_GEMMA2, hidden_size: 60 }, [/transformers 5/]],
    ['nothing of Gemma 3 as it is', { ...TINY_GEMMA3, sliding_window_pattern: 6, num_hidden_layers: 7 }, []],
    ['the same of Gemma 3', { ...TINY_GEMMA3, layer_types: LAYERS }, [/4\.53/]],
    ['nothing of Cohere 2 as it is', { ...TINY_COHERE2, sliding_window_pattern: 4, num_hidden_layers: 5 }, []],
    ['the same of Cohere 2', { ...TINY_COHERE2, layer_types: LAYERS }, [/4\.53/]],
  ])('%s', (_, values, says) => {
    const config = parse(values);
    const notes = familyOf(config).exportNote!(config);
    expect(notes).toEqual(says.map((pattern) => expect.stringMatching(pattern) as unknown));
  });
});

describe('refuses by name', () => {
  it.each<[what: string, values: object, says: RegExp]>([
    [
      'Gemma that sees what comes',
      { ...TINY_GEMMA, use_bidirectional_attention: true },
      /use_bidirectional_attention.*true/,
    ],
    ['Gemma with another old activation', { ...TINY_GEMMA, hidden_act: 'relu' }, /hidden_act.*gelu.*"relu"/],
    ['Gemma of an unknown type', { ...TINY_GEMMA, torch_dtype: 'int8' }, /torch_dtype.*bfloat16.*"int8"/],
    ['Gemma 2 capped at nothing', { ...TINY_GEMMA2, attn_logit_softcapping: 0 }, /attn_logit_softcapping.*0/],
    ['Gemma 2 scaled by nothing', { ...TINY_GEMMA2, query_pre_attn_scalar: 0 }, /query_pre_attn_scalar/],
    ['Gemma 2 with windows of no width', { ...TINY_GEMMA2, sliding_window: null }, /layer_types.*no window/],
    [
      'Gemma 3 with caps that nobody computes',
      { ...TINY_GEMMA3, attn_logit_softcapping: 50 },
      /attn_logit_softcapping.*null.*50/,
    ],
    [
      'Gemma 3 with one rotation in the place of two',
      { ...TINY_GEMMA3, rope_parameters: { rope_type: 'linear', factor: 2 } },
      /rope_parameters\.rope_type.*full_attention and sliding_attention/,
    ],
    [
      'Gemma 3 whose two spellings differ',
      {
        ...{ ...TINY_GEMMA3, rope_scaling: { rope_type: 'linear', factor: 8 } },
        rope_parameters: { full_attention: { rope_type: 'linear', factor: 4 }, sliding_attention: {} },
      },
      /factor.*4.*elsewhere/,
    ],
    ['Gemma 3 with a pattern of nothing', { ...TINY_GEMMA3, sliding_window_pattern: 0 }, /sliding_window_pattern/],
    ['Granite without embeddings', { ...TINY_GRANITE, embedding_multiplier: 0 }, /embedding_multiplier/],
    ['Granite with a divisor of zero', { ...TINY_GRANITE, logits_scaling: 0 }, /logits_scaling/],
    ['StableLM with heads of another size', { ...TINY_STABLELM, head_dim: 32 }, /head_dim.*absent.*16.*32/],
    ['StableLM that turns three features', { ...TINY_STABLELM, partial_rotary_factor: 0.2 }, /partial_rotary_factor/],
    ['SmolLM3 with too few blocks named', { ...TINY_SMOLLM3, no_rope_layers: [1, 0] }, /no_rope_layers.*at least 3/],
    ['SmolLM3 with a block half turned', { ...TINY_SMOLLM3, no_rope_layers: [1, 0.5, 1] }, /no_rope_layers/],
    ['SmolLM3 with windows that are off', { ...TINY_SMOLLM3, layer_types: LAYERS }, /layer_types.*no window/],
    [
      'Cohere without a base, which versions of transformers take differently',
      { ...TINY_COHERE, rope_theta: undefined },
      /rope_theta.*transformers 4.*500 000.*no such field/,
    ],
    ['Cohere 2 with heads of another size', { ...TINY_COHERE2, head_dim: 32 }, /head_dim.*absent/],
  ])('%s', async (_, values, says) => {
    const failure = await failureOf(() => parse(dropUndefined(values)));
    expect(failure.code).toBe('checkpoint/config');
    expect(failure.message).toMatch(says);
  });
});

it('survives 5000 hostile files: what is accepted fits together and is bounded', async () => {
  const rng = new Rng(31);
  const bases = [
    ...[TINY_GEMMA, TINY_GEMMA2, TINY_GEMMA3, TINY_OLMO2, TINY_GRANITE],
    ...[TINY_STABLELM, TINY_SMOLLM3, TINY_COHERE, TINY_COHERE2],
  ];
  let accepted = 0;
  for (let i = 0; i < 5000; i++) {
    const values = mutateJson(rng, pick(rng, bases)) as object | null;
    if (typeof values !== 'object' || values === null || Array.isArray(values)) continue;
    await failureOrNone(() => {
      const config = parse(values);
      accepted++;
      const { depth, windows, rotations = [], scores = {}, logits = {} } = config;
      if (windows.length !== depth || ![0, depth].includes(rotations.length)) throw new Error('blocks');
      const { scale = 1 } = familyOf(config).embedding(config);
      const factors = [scores, logits].flatMap(({ scale: factor = 1, cap = 1 }: Scaling) => [factor, cap]);
      const numbers = [scale, ...factors, modelLength(config)];
      if (!numbers.every((value: number) => value > 0 && Number.isFinite(value))) throw new Error(numbers.join());
    }, ['checkpoint/config', 'checkpoint/unsupported-architecture']);
  }
  expect(accepted).toBeGreaterThan(500);
  expect(accepted).toBeLessThan(4500);
});

function omit(values: object, ...names: readonly string[]): object {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}

/** As a JSON file has it: `undefined` is an absent field. */
function dropUndefined(values: object): object {
  return JSON.parse(JSON.stringify(values)) as object;
}
