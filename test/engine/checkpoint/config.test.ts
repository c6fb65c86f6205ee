import { describe, expect, it } from 'vitest';
import { ARCHITECTURES, familyOf } from '../../../src/engine/families/families.ts';
import { parseConfig } from '../../../src/engine/checkpoint/readConfig.ts';
import { Rng } from '../../../src/base/rng.ts';
import { failureOf, failureOrNone } from '../../support/expectCoded.ts';
import { mutateJson, pick } from '../../support/mutate.ts';
import {
  TINY_BLOOM,
  TINY_FALCON,
  TINY_GPT2,
  TINY_GPT_NEOX,
  TINY_LLAMA,
  TINY_MISTRAL,
  TINY_OPT,
  TINY_PHI3,
  TINY_PHI4,
  TINY_QWEN2,
  TINY_QWEN3,
} from './tinyConfigs.ts';
import type { ModelConfig } from '../../../src/engine/families/families.ts';

const FILE = 'folder/config.json';
const parse = (values: object): ModelConfig => parseConfig(values as Record<string, unknown>, FILE);

describe('families', () => {
  it('LLaMA', () => {
    expect(parse(TINY_LLAMA)).toEqual({
      architecture: 'LlamaForCausalLM',
      hidden: 64,
      intermediate: 96,
      depth: 3,
      heads: 8,
      kvHeads: 4,
      headDim: 8,
      vocabulary: 100,
      maxPositions: 512,
      normEpsilon: 1e-5,
      activation: 'silu',
      positions: { kind: 'rotary', dims: 8, theta: 10_000, scaling: { kind: 'none' } },
      bias: { queryKeyValue: false, attentionOutput: false, mlp: false },
      queryKeyNorm: false,
      windows: [undefined, undefined, undefined],
      tiedEmbeddings: false,
    });
  });

  it('OPT', () => {
    expect(parse(TINY_OPT)).toEqual({
      architecture: 'OPTForCausalLM',
      hidden: 64,
      intermediate: 96,
      depth: 3,
      heads: 8,
      kvHeads: 8,
      headDim: 8,
      vocabulary: 100,
      maxPositions: 512,
      normEpsilon: 1e-5,
      normFirst: true,
      activation: 'relu',
      positions: { kind: 'learned', offset: 2 },
      bias: { queryKeyValue: true, attentionOutput: true, mlp: true },
      windows: [undefined, undefined, undefined],
      tiedEmbeddings: true,
      embeddingWidth: 64,
    });
  });

  it.each<[what: string, values: object, expected: object]>([
    [
      'LLaMA 1, without anything new',
      { ...TINY_LLAMA, num_key_value_heads: undefined, rope_theta: undefined },
      { kvHeads: 8 },
    ],
    [
      'the spelling of the first conversions',
      { ...TINY_LLAMA, architectures: ['LLaMAForCausalLM'] },
      { architecture: 'LlamaForCausalLM' },
    ],
    [
      'no architecture, but a model type',
      { ...TINY_QWEN3, architectures: undefined },
      { architecture: 'Qwen3ForCausalLM' },
    ],
    ['no model type', { ...TINY_OPT, model_type: undefined }, { architecture: 'OPTForCausalLM' }],
    ['a null for key-value heads', { ...TINY_LLAMA, num_key_value_heads: null }, { kvHeads: 8 }],
    ['a null for the size of heads', { ...TINY_LLAMA, head_dim: null }, { headDim: 8 }],
    ['heads of their own size', { ...TINY_LLAMA, head_dim: 24, hidden_size: 60 }, { headDim: 24, hidden: 60 }],
    [
      'biases in attention',
      { ...TINY_LLAMA, attention_bias: true },
      { bias: { queryKeyValue: true, attentionOutput: true, mlp: false } },
    ],
    [
      'biases in the MLP',
      { ...TINY_LLAMA, mlp_bias: true },
      { bias: { queryKeyValue: false, attentionOutput: false, mlp: true } },
    ],
    ['tied embeddings', { ...TINY_LLAMA, tie_word_embeddings: true }, { tiedEmbeddings: true }],
    [
      'embeddings that nothing is said about',
      { ...TINY_LLAMA, tie_word_embeddings: undefined },
      { tiedEmbeddings: false },
    ],
    ['another activation', { ...TINY_LLAMA, hidden_act: 'gelu_pytorch_tanh' }, { activation: 'gelu-tanh' }],
    ['the default epsilon', { ...TINY_LLAMA, rms_norm_eps: undefined }, { normEpsilon: 1e-6 }],
    ['Mistral with a window', TINY_MISTRAL, { windows: [128, 128, 128] }],
    ['Mistral without', { ...TINY_MISTRAL, sliding_window: null }, { windows: [undefined, undefined, undefined] }],
    [
      'Mistral, defaults',
      omit(TINY_MISTRAL, 'sliding_window', 'num_key_value_heads', 'max_position_embeddings'),
      { windows: [4096, 4096, 4096], kvHeads: 8, maxPositions: 131_072 },
    ],
    [
      'Mistral has no biases, whatever is written',
      { ...TINY_MISTRAL, attention_bias: true },
      { bias: { queryKeyValue: false, attentionOutput: false, mlp: false } },
    ],
    [
      'Qwen2',
      TINY_QWEN2,
      {
        bias: { queryKeyValue: true, attentionOutput: false, mlp: false },
        windows: [undefined, undefined, undefined],
        tiedEmbeddings: false,
      },
    ],
    ['Qwen2, windows in use', { ...TINY_QWEN2, use_sliding_window: true }, { windows: [undefined, undefined, 128] }],
    [
      'Qwen2, windows in use and null',
      { ...TINY_QWEN2, use_sliding_window: true, sliding_window: null },
      { windows: [undefined, undefined, undefined] },
    ],
    [
      'Qwen2, windows where the types say',
      {
        ...TINY_QWEN2,
        use_sliding_window: true,
        layer_types: ['sliding_attention', 'full_attention', 'full_attention'],
      },
      { windows: [128, undefined, undefined] },
    ],
    [
      'Qwen2, defaults',
      omit(
        { ...TINY_QWEN2, num_attention_heads: 32, use_sliding_window: true },
        'num_key_value_heads',
        'max_window_layers',
        'max_position_embeddings',
      ),
      { kvHeads: 32, windows: [undefined, undefined, undefined], maxPositions: 32_768 },
    ],
    [
      'Qwen3',
      TINY_QWEN3,
      { queryKeyNorm: true, headDim: 16, bias: { queryKeyValue: false, attentionOutput: false, mlp: false } },
    ],
    ['Qwen3, default head size', omit(TINY_QWEN3, 'head_dim'), { headDim: 128 }],
    [
      'Qwen3 with biases',
      { ...TINY_QWEN3, attention_bias: true },
      { bias: { queryKeyValue: true, attentionOutput: true, mlp: false } },
    ],
    [
      'opt-350m',
      { ...TINY_OPT, do_layer_norm_before: false, word_embed_proj_dim: 32, _remove_final_layer_norm: true },
      { normFirst: false, embeddingWidth: 32 },
    ],
    [
      'OPT without biases and with another activation',
      { ...TINY_OPT, enable_bias: false, activation_function: 'gelu' },
      { bias: { queryKeyValue: false, attentionOutput: false, mlp: false }, activation: 'gelu' },
    ],
    [
      'OPT, defaults',
      omit(TINY_OPT, 'word_embed_proj_dim', 'do_layer_norm_before', 'max_position_embeddings', 'activation_function'),
      { embeddingWidth: 64, normFirst: true, maxPositions: 2048, activation: 'relu' },
    ],
    [
      'GPT-NeoX',
      TINY_GPT_NEOX,
      {
        ...{
          architecture: 'GPTNeoXForCausalLM',
          heads: 4,
          kvHeads: 4,
          headDim: 16,
          parallel: true,
          activation: 'gelu',
        },
        positions: { kind: 'rotary', dims: 4, theta: 10_000, scaling: { kind: 'none' } },
        bias: { queryKeyValue: true, attentionOutput: true, mlp: true },
      },
    ],
    [
      'GPT-NeoX in sequence, without biases of attention, as transformers 5 writes it',
      {
        ...omit(TINY_GPT_NEOX, 'rotary_pct', 'rotary_emb_base'),
        ...{ use_parallel_residual: false, attention_bias: false, hidden_act: 'gelu_fast' },
        rope_parameters: { rope_type: 'default', rope_theta: 500, partial_rotary_factor: 0.5 },
      },
      {
        ...{ parallel: false, activation: 'gelu-tanh' },
        positions: { kind: 'rotary', dims: 8, theta: 500, scaling: { kind: 'none' } },
        bias: { queryKeyValue: false, attentionOutput: false, mlp: true },
      },
    ],
    [
      'GPT-NeoX, defaults',
      omit(
        TINY_GPT_NEOX,
        ...(['rotary_pct', 'rotary_emb_base', 'use_parallel_residual', 'max_position_embeddings'] as const),
        ...(['layer_norm_eps', 'hidden_act', 'tie_word_embeddings'] as const),
      ),
      {
        positions: { dims: 4, theta: 10_000 },
        ...{ parallel: true, maxPositions: 2048, normEpsilon: 1e-5, activation: 'gelu', tiedEmbeddings: false },
      },
    ],
    [
      'Phi-3',
      TINY_PHI3,
      {
        ...{ architecture: 'Phi3ForCausalLM', heads: 8, kvHeads: 4, headDim: 8, activation: 'silu' },
        positions: { kind: 'rotary', dims: 8, theta: 10_000, scaling: { kind: 'none' } },
        bias: { queryKeyValue: false, attentionOutput: false, mlp: false },
        windows: [undefined, undefined, undefined],
      },
    ],
    ['Phi-3 with a window', { ...TINY_PHI3, sliding_window: 128 }, { windows: [128, 128, 128] }],
    [
      'Phi-3, defaults',
      omit(
        TINY_PHI3,
        ...([
          'num_key_value_heads',
          'max_position_embeddings',
          'rms_norm_eps',
          'sliding_window',
          'hidden_act',
        ] as const),
      ),
      {
        ...{ kvHeads: 8, maxPositions: 4096, normEpsilon: 1e-5, activation: 'silu' },
        windows: [undefined, undefined, undefined],
      },
    ],
    [
      'Phi-4',
      TINY_PHI4,
      {
        tiedEmbeddings: true,
        positions: {
          dims: 6,
          scaling: {
            ...{ kind: 'longrope', originalPositions: 128, shortFactor: [1, 1.5, 2], longFactor: [1, 3, 4] },
            attentionFactor: Math.sqrt(1 + Math.log(4) / Math.log(128)),
          },
        },
      },
    ],
    [
      'Phi-3, as LongRoPE was called, with the original length that the family has by default',
      {
        ...omit(TINY_PHI4, 'original_max_position_embeddings'),
        max_position_embeddings: 131_072,
        rope_scaling: { ...TINY_PHI4.rope_scaling, type: 'su' },
      },
      { positions: { scaling: { kind: 'longrope', originalPositions: 4096 } } },
    ],
    [
      'GPT-2',
      TINY_GPT2,
      {
        ...{ architecture: 'GPT2LMHeadModel', hidden: 64, depth: 3, heads: 4, kvHeads: 4, headDim: 16 },
        ...{ intermediate: 256, maxPositions: 512, activation: 'gelu-tanh', tiedEmbeddings: true },
        positions: { kind: 'learned', offset: 0 },
        bias: { queryKeyValue: true, attentionOutput: true, mlp: true },
        ...{ scale: 0.25, scaleByBlock: false },
      },
    ],
    [
      'GPT-2 in the names of other families',
      {
        ...omit(TINY_GPT2, 'n_embd', 'n_layer', 'n_head', 'n_positions'),
        ...{ hidden_size: 64, num_hidden_layers: 3, num_attention_heads: 4, max_position_embeddings: 512 },
      },
      { hidden: 64, depth: 3, heads: 4, maxPositions: 512 },
    ],
    ['GPT-2 in both names', { ...TINY_GPT2, hidden_size: 64, num_hidden_layers: 3 }, { hidden: 64, depth: 3 }],
    [
      'GPT-2, attention scaled otherwise',
      { ...TINY_GPT2, scale_attn_weights: false, scale_attn_by_inverse_layer_idx: true, n_inner: 96 },
      { scale: 1, scaleByBlock: true, places: 'blocks', intermediate: 96 },
    ],
    [
      'GPT-2, defaults',
      omit(TINY_GPT2, 'n_positions', 'activation_function', 'layer_norm_epsilon'),
      { maxPositions: 1024, activation: 'gelu-tanh', normEpsilon: 1e-5 },
    ],
    [
      'BLOOM',
      TINY_BLOOM,
      {
        ...{ architecture: 'BloomForCausalLM', hidden: 64, depth: 3, heads: 4, intermediate: 256, maxPositions: 512 },
        ...{ activation: 'gelu-tanh', tiedEmbeddings: true, addToNormed: false, places: 'groups' },
        positions: { kind: 'alibi', scale: 1, rounded: false },
        bias: { queryKeyValue: true, attentionOutput: true, mlp: true },
      },
    ],
    [
      'BLOOM, as transformers writes it and the largest is',
      {
        ...omit(TINY_BLOOM, 'n_embed', 'num_attention_heads', 'seq_length'),
        ...{ hidden_size: 64, n_head: 8, apply_residual_connection_post_layernorm: true },
        architectures: ['BloomModel'],
      },
      { hidden: 64, heads: 8, addToNormed: true, maxPositions: 2048 },
    ],
    [
      'Falcon 7B',
      TINY_FALCON,
      {
        ...{ architecture: 'FalconForCausalLM', heads: 4, kvHeads: 1, intermediate: 256, tiedEmbeddings: true },
        ...{ parallel: true, norms: { attention: 'input_layernorm', mlp: 'input_layernorm' }, activation: 'gelu' },
        positions: { kind: 'rotary', dims: 16, theta: 10_000 },
        bias: { queryKeyValue: false, attentionOutput: false, mlp: false },
      },
    ],
    [
      'Falcon 40B',
      { ...TINY_FALCON, new_decoder_architecture: true, num_kv_heads: 2 },
      { kvHeads: 2, parallel: true, norms: { attention: 'ln_attn', mlp: 'ln_mlp' } },
    ],
    [
      'Falcon 2',
      {
        ...{ ...TINY_FALCON, new_decoder_architecture: true, num_kv_heads: 2, num_ln_in_parallel_attn: 1 },
        ...{ ffn_hidden_size: 96, rope_theta: 500_042 },
      },
      {
        ...{ kvHeads: 2, intermediate: 96, norms: { attention: 'input_layernorm', mlp: 'input_layernorm' } },
        positions: { theta: 500_042 },
      },
    ],
    [
      'Falcon-RW',
      { ...TINY_FALCON, alibi: true, bias: true, multi_query: false, parallel_attn: false },
      {
        ...{ kvHeads: 4, parallel: false, places: 'groups' },
        norms: { attention: 'input_layernorm', mlp: 'post_attention_layernorm' },
        positions: { kind: 'alibi', scale: 0.25, rounded: true },
        bias: { queryKeyValue: true, attentionOutput: true, mlp: true },
      },
    ],
    [
      'Falcon 7B in the spelling of its own code',
      {
        ...omit(TINY_FALCON, 'num_attention_heads', 'num_hidden_layers', 'new_decoder_architecture'),
        ...{ architectures: ['RWForCausalLM'], model_type: 'RefinedWebModel', n_head: 4, n_layer: 3 },
      },
      {
        architecture: 'FalconForCausalLM',
        kvHeads: 1,
        norms: { attention: 'input_layernorm', mlp: 'input_layernorm' },
      },
    ],
    [
      'Falcon 40B in the spelling of its own code',
      {
        ...omit(TINY_FALCON, 'num_attention_heads', 'num_hidden_layers', 'new_decoder_architecture'),
        ...{ architectures: ['RWForCausalLM'], model_type: 'RefinedWeb', n_head: 4, n_layer: 3, n_head_kv: 2 },
      },
      { architecture: 'FalconForCausalLM', kvHeads: 2, norms: { attention: 'ln_attn', mlp: 'ln_mlp' } },
    ],
  ])('%s', (_, values, expected) => {
    expect(parse(dropUndefined(values))).toMatchObject(expected);
  });
});

describe('rotary positions', () => {
  const scaling = (rope: object, more: object = {}): unknown => {
    const { positions } = parse({ ...TINY_LLAMA, ...more, rope_scaling: rope });
    return positions.kind === 'rotary' ? positions.scaling : positions;
  };
  const original = { original_max_position_embeddings: 128 };
  const factors = { short_factor: [1, 1, 1.5, 2], long_factor: [1, 2, 3, 4] };
  const shortAndLong = { shortFactor: [1, 1, 1.5, 2], longFactor: [1, 2, 3, 4] };

  it.each<[what: string, rope: object, expected: object]>([
    ['default', { rope_type: 'default' }, { kind: 'none' }],
    ['linear', { rope_type: 'linear', factor: 4 }, { kind: 'linear', factor: 4 }],
    ['linear, as it was spelled', { type: 'linear', factor: 4 }, { kind: 'linear', factor: 4 }],
    ['both spellings', { type: 'linear', rope_type: 'linear', factor: 4 }, { kind: 'linear', factor: 4 }],
    ['dynamic', { type: 'dynamic', factor: 2 }, { kind: 'dynamic', factor: 2, originalPositions: 512 }],
    [
      'dynamic, which does not look at the original length',
      { type: 'dynamic', factor: 2, ...original },
      { kind: 'dynamic', factor: 2, originalPositions: 512 },
    ],
    [
      'yarn',
      { rope_type: 'yarn', factor: 4, ...original },
      {
        kind: 'yarn',
        factor: 4,
        originalPositions: 128,
        betaFast: 32,
        betaSlow: 1,
        attentionFactor: 0.1 * Math.log(4) + 1,
        truncate: true,
      },
    ],
    [
      'yarn, spelled out',
      {
        rope_type: 'yarn',
        factor: 4,
        attention_factor: 1.5,
        beta_fast: 16,
        beta_slow: 2,
        truncate: false,
        finetuned: true,
      },
      {
        kind: 'yarn',
        factor: 4,
        originalPositions: 512,
        betaFast: 16,
        betaSlow: 2,
        attentionFactor: 1.5,
        truncate: false,
      },
    ],
    [
      'yarn with two scales',
      { rope_type: 'yarn', factor: 40, mscale: 0.7, mscale_all_dim: 0.5 },
      { kind: 'yarn', factor: 40, attentionFactor: (0.07 * Math.log(40) + 1) / (0.05 * Math.log(40) + 1) },
    ],
    [
      'yarn with one scale, which does not count alone',
      { rope_type: 'yarn', factor: 40, mscale: 0.7 },
      { kind: 'yarn', attentionFactor: 0.1 * Math.log(40) + 1 },
    ],
    ['yarn without a factor', { rope_type: 'yarn', ...original }, { kind: 'yarn', factor: 4 }],
    ['yarn by a factor of one', { rope_type: 'yarn', factor: 1 }, { kind: 'yarn', attentionFactor: 1 }],
    [
      'longrope',
      { rope_type: 'longrope', ...factors, ...original },
      {
        kind: 'longrope',
        ...shortAndLong,
        originalPositions: 128,
        attentionFactor: Math.sqrt(1 + Math.log(4) / Math.log(128)),
      },
    ],
    [
      'longrope, as it was called',
      { type: 'su', ...factors, ...original, attention_factor: 1.25 },
      { kind: 'longrope', ...shortAndLong, originalPositions: 128, attentionFactor: 1.25 },
    ],
    [
      'llama3',
      { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, ...original },
      { kind: 'llama3', factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 128 },
    ],
  ])('%s', (_, rope, expected) => {
    expect(scaling(rope)).toMatchObject(expected);
  });

  it('takes the original length beside the object first', () => {
    expect(scaling({ rope_type: 'yarn', ...original }, { original_max_position_embeddings: 256 })).toMatchObject({
      originalPositions: 256,
      factor: 2,
    });
  });

  it('reads the spelling of transformers 5', () => {
    const rest = omit(TINY_LLAMA, 'rope_theta');
    const linear = { rope_type: 'linear', factor: 4 };
    const expected = { kind: 'rotary', dims: 8, theta: 500_000, scaling: { kind: 'linear', factor: 4 } };
    expect(parse({ ...rest, rope_parameters: { rope_theta: 500_000, ...linear } }).positions).toEqual(expected);
    expect(
      parse({ ...rest, rope_theta: 500_000, rope_parameters: linear, rope_scaling: { type: 'linear', factor: 4 } })
        .positions,
    ).toEqual(expected);
    expect(parse({ ...rest, rope_parameters: { rope_theta: 500_000, rope_type: 'default' } }).positions).toMatchObject({
      theta: 500_000,
      scaling: { kind: 'none' },
    });
    expect(parse(rest).positions).toMatchObject({ theta: 10_000 });
  });

  it.each<[what: string, more: object, says: RegExp]>([
    ['an unknown kind', { rope_scaling: { rope_type: 'mrope' } }, /rope_scaling\.rope_type.*default, linear.*"mrope"/],
    [
      'no kind where both spellings differ',
      { rope_scaling: { type: 'linear', rope_type: 'yarn', factor: 2 } },
      /rope_scaling\.rope_type.*"linear"/,
    ],
    [
      'objects that contradict each other',
      { rope_scaling: { type: 'linear', factor: 2 }, rope_parameters: { rope_type: 'linear', factor: 4 } },
      /factor.*4.*elsewhere/,
    ],
    ['no factor', { rope_scaling: { type: 'linear' } }, /rope_scaling\.factor.*no such field/],
    ['a factor below one', { rope_scaling: { type: 'dynamic', factor: 0.5 } }, /rope_scaling\.factor.*0\.5/],
    ['an unknown key', { rope_scaling: { type: 'linear', factor: 2, mrope_section: [1] } }, /mrope_section.*absent/],
    [
      'a list of factors that is too short',
      { rope_scaling: { type: 'su', ...factors, long_factor: [1] } },
      /long_factor.*4 numbers/,
    ],
    [
      'frequencies in the wrong order',
      { rope_scaling: { type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 4 } },
      /high_freq_factor/,
    ],
    [
      'betas in the wrong order',
      { rope_scaling: { type: 'yarn', factor: 2, beta_fast: 1, beta_slow: 2 } },
      /beta_fast/,
    ],
    ['half of each head', { partial_rotary_factor: 0.5 }, /partial_rotary_factor.*0\.5/],
    [
      'half of each head, inside',
      { rope_parameters: { partial_rotary_factor: 0.5 } },
      /rope_parameters\.partial_rotary_factor/,
    ],
    ['a base of one', { rope_theta: 1 }, /rope_theta/],
    ['a scaling that is a list', { rope_scaling: [1] }, /rope_scaling to be an object/],
    [
      'parameters for each kind of layer',
      { rope_parameters: { full_attention: { rope_type: 'default' } } },
      /full_attention.*absent/,
    ],
  ])('refuses %s', async (_, more, says) => {
    await refused({ ...TINY_LLAMA, ...more }, says);
  });
});

describe('what is refused', () => {
  it('an architecture that is not supported, with the list of those that are', async () => {
    for (const name of ['MambaForCausalLM', 'LlamaForSequenceClassification', 'constructor', '__proto__', '']) {
      const failure = await failureOf(() => parse({ ...TINY_LLAMA, architectures: [name], model_type: 'other' }));
      expect(failure.code).toBe('checkpoint/unsupported-architecture');
      expect(failure.message).toContain(JSON.stringify(name));
      for (const supported of ARCHITECTURES) expect(failure.message).toContain(supported);
    }
    expect((await failureOf(() => parse({}))).code).toBe('checkpoint/unsupported-architecture');
  });

  it.each<[what: string, values: object, says: RegExp]>([
    ['no hidden size', omit(TINY_LLAMA, 'hidden_size'), /hidden_size.*no such field/],
    ['a hidden size of zero', { ...TINY_LLAMA, hidden_size: 0 }, /hidden_size.*got 0/],
    ['a hidden size that heads do not divide', { ...TINY_LLAMA, hidden_size: 60 }, /hidden_size.*multiple of the 8/],
    ['a hidden size beyond all models', { ...TINY_LLAMA, hidden_size: 1e9 }, /hidden_size.*1000000000/],
    ['a text for a number', { ...TINY_LLAMA, intermediate_size: '96' }, /intermediate_size.*"96"/],
    ['a broken number', { ...TINY_LLAMA, num_hidden_layers: 2.5 }, /num_hidden_layers.*2\.5/],
    ['a billion layers', { ...TINY_LLAMA, num_hidden_layers: 1e9 }, /num_hidden_layers/],
    [
      'key-value heads that do not divide the heads',
      { ...TINY_LLAMA, num_key_value_heads: 3 },
      /num_key_value_heads.*divisor of the 8.*3/,
    ],
    ['more key-value heads than heads', { ...TINY_LLAMA, num_key_value_heads: 16 }, /num_key_value_heads/],
    ['heads of an odd size', { ...TINY_LLAMA, head_dim: 7 }, /head_dim.*even/],
    ['a negative vocabulary', { ...TINY_LLAMA, vocab_size: -1 }, /vocab_size/],
    ['an epsilon of zero', { ...TINY_LLAMA, rms_norm_eps: 0 }, /rms_norm_eps/],
    ['an unknown activation', { ...TINY_LLAMA, hidden_act: 'relu2' }, /hidden_act.*silu.*"relu2"/],
    ['an inherited name as activation', { ...TINY_LLAMA, hidden_act: 'toString' }, /hidden_act/],
    ['a bias that is a number', { ...TINY_LLAMA, attention_bias: 1 }, /attention_bias.*true or false/],
    [
      'quantised weights',
      { ...TINY_LLAMA, quantization_config: { quant_method: 'gptq' } },
      /quantization_config.*unquantised/,
    ],
    ['pruned heads', { ...TINY_LLAMA, pruned_heads: { 0: [1] } }, /pruned_heads/],
    [
      'two architectures',
      { ...TINY_LLAMA, architectures: ['LlamaForCausalLM', 'OPTForCausalLM'] },
      /architectures.*one name/,
    ],
    ['a model type of another family', { ...TINY_LLAMA, model_type: 'qwen2' }, /model_type.*llama.*"qwen2"/],
    [
      'windows in LLaMA',
      { ...TINY_LLAMA, layer_types: ['sliding_attention', 'full_attention', 'full_attention'] },
      /layer_types/,
    ],
    [
      'windows by type in Mistral',
      { ...TINY_MISTRAL, layer_types: ['sliding_attention', 'full_attention', 'full_attention'] },
      /layer_types.*sliding_attention in every block/,
    ],
    [
      'windows that are not in use',
      { ...TINY_QWEN2, layer_types: ['sliding_attention', 'full_attention', 'full_attention'] },
      /layer_types/,
    ],
    ['types of too few layers', { ...TINY_QWEN2, layer_types: ['full_attention'] }, /layer_types.*a list of 3/],
    [
      'an unknown type of layer',
      { ...TINY_QWEN2, layer_types: ['full_attention', 'linear_attention', 'full_attention'] },
      /layer_types/,
    ],
    ['a window of nothing', { ...TINY_MISTRAL, sliding_window: 0 }, /sliding_window/],
    [
      'heads that do not fill the width',
      { ...TINY_GPT_NEOX, num_attention_heads: 5 },
      /hidden_size.*multiple of the 5/,
    ],
    ['an odd number of features that turn', { ...TINY_GPT_NEOX, rotary_pct: 0.2 }, /rotary_pct.*even number.*16.*0\.2/],
    ['more than all features that turn', { ...TINY_GPT_NEOX, rotary_pct: 1.5 }, /rotary_pct.*0 to 1.*1\.5/],
    [
      'a scaling that Phi-3 does not have',
      { ...TINY_PHI3, rope_scaling: { type: 'yarn', factor: 4 } },
      /rope_scaling\.rope_type.*default, longrope, su in this family.*yarn/,
    ],
    [
      'factors for whole heads where a part turns',
      { ...TINY_PHI4, rope_scaling: { ...TINY_PHI4.rope_scaling, long_factor: [1, 2, 3, 4] } },
      /long_factor.*3 numbers/,
    ],
    ['an odd number of features of Phi-4 that turn', { ...TINY_PHI4, partial_rotary_factor: 0.9 }, /even number/],
    [
      'windows by type in Phi-3',
      { ...TINY_PHI3, layer_types: ['sliding_attention', 'full_attention', 'full_attention'] },
      /layer_types.*full_attention in every block/,
    ],
    [
      'two names that contradict each other',
      { ...TINY_GPT2, hidden_size: 32 },
      /hidden_size to be 64, as n_embd has it/,
    ],
    ['two depths', { ...TINY_BLOOM, num_hidden_layers: 4 }, /num_hidden_layers to be 3, as n_layer/],
    ['heads that do not fill GPT-2', { ...TINY_GPT2, n_head: 5 }, /n_embd.*multiple of the 5/],
    ['cross-attention', { ...TINY_GPT2, add_cross_attention: true }, /add_cross_attention.*false/],
    ['a GPT-2 without width', omit(TINY_GPT2, 'n_embd'), /n_embd.*no such field/],
    ['BLOOM without some of its biases', { ...TINY_BLOOM, slow_but_exact: true }, /slow_but_exact/],
    ['heads that do not fill BLOOM', { ...TINY_BLOOM, num_attention_heads: 5 }, /n_embed.*multiple of the 5/],
    ['heads that do not fill Falcon', { ...TINY_FALCON, num_attention_heads: 5 }, /hidden_size.*multiple of the 5/],
    [
      'key-value heads that do not divide Falcon’s heads',
      { ...TINY_FALCON, new_decoder_architecture: true, num_kv_heads: 3 },
      /num_kv_heads.*divisor of the 4/,
    ],
    [
      'key-value heads that older blocks do not have',
      { ...TINY_FALCON, multi_query: false, num_kv_heads: 2 },
      /num_kv_heads.*equal to the 4/,
    ],
    [
      'Falcon’s newer blocks in sequence',
      { ...TINY_FALCON, new_decoder_architecture: true, parallel_attn: false },
      /parallel_attn.*true/,
    ],
    [
      'two norms in Falcon’s older blocks',
      { ...TINY_FALCON, num_ln_in_parallel_attn: 2 },
      /num_ln_in_parallel_attn.*1/,
    ],
    ['three norms', { ...TINY_FALCON, num_ln_in_parallel_attn: 3 }, /num_ln_in_parallel_attn/],
    ['odd heads that turn', { ...TINY_FALCON, hidden_size: 12 }, /num_attention_heads.*even number/],
    ['an unknown activation of Falcon', { ...TINY_FALCON, activation: 'swiglu' }, /activation.*"swiglu"/],
    ['norms without weights', { ...TINY_OPT, layer_norm_elementwise_affine: false }, /layer_norm_elementwise_affine/],
    ['no final norm', { ...TINY_OPT, _remove_final_layer_norm: true }, /_remove_final_layer_norm/],
  ])('%s', async (_, values, says) => {
    await refused(values, says);
  });

  /** Whatever is accepted has sizes that fit together and that are bounded: nothing later can allocate without end. */
  it('survives 10 000 hostile files', () => {
    const rng = new Rng(30);
    const longrope = {
      type: 'su',
      short_factor: [1, 1, 1, 1],
      long_factor: [1, 2, 3, 4],
      original_max_position_embeddings: 128,
    };
    const bases = [
      TINY_LLAMA,
      TINY_MISTRAL,
      { ...TINY_QWEN2, use_sliding_window: true },
      TINY_QWEN3,
      TINY_OPT,
      TINY_GPT_NEOX,
      TINY_PHI3,
      TINY_PHI4,
      TINY_GPT2,
      TINY_BLOOM,
      TINY_FALCON,
      { ...TINY_FALCON, new_decoder_architecture: true, num_kv_heads: 2 },
      { ...TINY_LLAMA, rope_scaling: longrope },
      { ...TINY_LLAMA, rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 128 } },
      {
        ...TINY_LLAMA,
        rope_parameters: { rope_type: 'llama3', rope_theta: 5e5, factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
      },
    ];
    let accepted = 0;
    const check = (values: object): void => {
      const config = parse(values);
      accepted++;
      const sizes = [
        config.hidden,
        config.intermediate,
        config.depth,
        config.heads,
        config.kvHeads,
        config.headDim,
        config.vocabulary,
        config.maxPositions,
        familyOf(config).embedding(config).table.shape[1]!,
      ];
      if (!sizes.every((size) => Number.isSafeInteger(size) && size > 0 && size <= 2 ** 30))
        throw new Error(`sizes ${sizes.join()}`);
      if (config.heads % config.kvHeads !== 0 || config.windows.length !== config.depth)
        throw new Error('sizes that do not fit');
      if (!(config.normEpsilon > 0)) throw new Error('epsilon');
      if (config.positions.kind === 'rotary') {
        const values: unknown[] = Object.values(config.positions.scaling).flat();
        const numbers = [
          config.positions.theta,
          ...values.filter((value) => !['string', 'boolean'].includes(typeof value)),
        ];
        if (!numbers.every((value) => typeof value === 'number' && Number.isFinite(value) && value > 0))
          throw new Error(`positions ${JSON.stringify(numbers)}`);
      }
    };
    const work = Array.from({ length: 10_000 }, async () => {
      const values = mutateJson(rng, pick(rng, bases)) as object | null;
      if (typeof values !== 'object' || values === null || Array.isArray(values)) return;
      await failureOrNone(() => {
        check(values);
      }, ['checkpoint/config', 'checkpoint/unsupported-architecture']);
    });
    return Promise.all(work).then(() => {
      expect(accepted).toBeGreaterThan(1000);
      expect(accepted).toBeLessThan(9000);
    });
  });
});

async function refused(values: object, says: RegExp): Promise<void> {
  const failure = await failureOf(() => parse(dropUndefined(values)));
  expect(failure.code).toBe('checkpoint/config');
  expect(failure.data.file).toBe(FILE);
  expect(failure.message).toMatch(says);
}

function omit(values: object, ...names: string[]): object {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}

/** As a JSON file has it: `undefined` is an absent field. */
function dropUndefined(values: object): object {
  return JSON.parse(JSON.stringify(values)) as object;
}
