import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { FAMILIES, type FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { oracleConfig } from '../../support/oracle/config.ts';
import { oracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { readStoredTensors, type StoredTensors } from '../../support/oracle/storedTensors.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

type Raw = Readonly<Record<string, unknown>>;

/** Agreement with the oracle means something only where each of these mistakes would be seen: by ten times the tolerance at least. */
const SEEN = 1e-3;

const POST = 'post_attention_layernorm';
const FOUR_FACTORS = { short_factor: [1, 1.4, 2, 2], long_factor: [1.2, 3.5, 6, 6] };

const MISTAKES: Readonly<Partial<Record<FamilyName, Readonly<Record<string, Mistake>>>>> = {
  'llama-1': {
    'base of the rotation': config({ rope_theta: 20000 }),
    'rotation of neighbours, not halves': tensors(/[qk]_proj\.weight$/, interleaved),
    'final norm left out': tensors(/^model\.norm\.weight$/, ones),
    'norm before the FFN left out': tensors(/0\.post_attention_layernorm/, ones),
    'key-value heads': tensors(/0\.self_attn\.k_proj\.weight$/, rowsRotated),
  },
  'llama-2 grouped queries': {
    'query heads dealt out in turn': tensors(/q_proj\.weight$/, headsInterleaved),
  },
  'llama-3.1': {
    'no scaling': config({ rope_scaling: null }),
    factor: config({ rope_scaling: { ...ropeOf('llama-3.1'), factor: 16 } }),
    'low frequency factor': config({ rope_scaling: { ...ropeOf('llama-3.1'), low_freq_factor: 2 } }),
    'high frequency factor': config({ rope_scaling: { ...ropeOf('llama-3.1'), high_freq_factor: 8 } }),
    'original positions': config({ rope_scaling: { ...ropeOf('llama-3.1'), original_max_position_embeddings: 128 } }),
  },
  'llama-3.2 tied': { 'no scaling': config({ rope_scaling: null }) },
  'llama linear': { 'no scaling': config({ rope_scaling: null }) },
  'llama dynamic': {
    'no scaling': config({ rope_scaling: null }),
    'trained positions': config({ max_position_embeddings: 20 }),
  },
  'llama yarn': {
    'no scaling': config({ rope_scaling: null }),
    'attention factor left out': config({ rope_scaling: { ...ropeOf('llama yarn'), attention_factor: 1 } }),
    'ramp ends not rounded': config({ rope_scaling: { ...ropeOf('llama yarn'), truncate: false } }),
    'original positions': config({ rope_scaling: { ...ropeOf('llama yarn'), original_max_position_embeddings: null } }),
  },
  'llama yarn, every option': {
    'beta fast': config({ rope_scaling: { ...ropeOf('llama yarn, every option'), beta_fast: 32 } }),
    'beta slow': config({ rope_scaling: { ...ropeOf('llama yarn, every option'), beta_slow: 1 } }),
    'ramp ends rounded': config({ rope_scaling: { ...ropeOf('llama yarn, every option'), truncate: true } }),
    'weights of the attention factor': config({
      rope_scaling: { ...ropeOf('llama yarn, every option'), mscale: undefined },
    }),
  },
  'llama longrope, long': {
    'short factors': config({ original_max_position_embeddings: 48 }),
    'attention factor left out': config({ rope_scaling: { ...ropeOf('llama longrope, long'), attention_factor: 1 } }),
  },
  'llama longrope, short': {
    'long factors': config({ original_max_position_embeddings: 32 }),
  },
  'llama biases': {
    'query bias': tensors(/q_proj\.bias$/, zeros),
    // A key's bias adds the same to all scores of a query without rotation; with it, it matters.
    'key bias': tensors(/k_proj\.bias$/, zeros),
    'value bias': tensors(/v_proj\.bias$/, zeros),
    'output bias': tensors(/o_proj\.bias$/, zeros),
    'gate bias': tensors(/gate_proj\.bias$/, zeros),
    'up bias': tensors(/up_proj\.bias$/, zeros),
    'down bias': tensors(/down_proj\.bias$/, zeros),
    epsilon: config({ rms_norm_eps: 1e-5 }),
  },
  'llama, transformers 5': { 'rope parameters not read': config({ rope_parameters: undefined }) },
  mistral: {
    'no window': config({ sliding_window: null }),
    'window one longer': config({ sliding_window: 8 }),
    'window one shorter': config({ sliding_window: 6 }),
  },
  qwen2: {
    'window switched on': config({ use_sliding_window: true }),
    'query bias': tensors(/q_proj\.bias$/, zeros),
    'key bias': tensors(/k_proj\.bias$/, zeros),
    'value bias': tensors(/v_proj\.bias$/, zeros),
  },
  'qwen2 window': {
    'no window': config({ use_sliding_window: false }),
    'all blocks slide': config({ max_window_layers: 0 }),
    'window one longer': config({ sliding_window: 6 }),
  },
  'qwen2 layer types': {
    'types not read': config({ layer_types: undefined }),
    'all blocks slide': config({ layer_types: ['sliding_attention', 'sliding_attention', 'sliding_attention'] }),
  },
  qwen3: {
    'query norm left out': tensors(/q_norm/, ones),
    'key norm left out': tensors(/k_norm/, ones),
    epsilon: config({ rms_norm_eps: 1e-6 }),
  },
  opt: {
    'positions from row 0': tensors(/embed_positions/, shiftedByTwo),
    'norm after the sums': config({ do_layer_norm_before: false }),
    'query bias': tensors(/q_proj\.bias$/, zeros),
    'output bias': tensors(/out_proj\.bias$/, zeros),
    'first FFN bias': tensors(/fc1\.bias$/, zeros),
    'second FFN bias': tensors(/fc2\.bias$/, zeros),
    'norm biases': tensors(/layer_norm\.bias$/, zeros),
    'silu for relu': config({ activation_function: 'silu' }),
  },
  'gpt-neox': {
    'branches in sequence': config({ use_parallel_residual: false }),
    'whole heads turned': config({ rotary_pct: 1 }),
    'base of the rotation': config({ rotary_pct: 0.5, rotary_emb_base: 100 }),
    'queries, keys and values one after the other': tensors(/query_key_value\.weight$/, partsFirst),
    'fused bias': tensors(/query_key_value\.bias$/, zeros),
    'output bias': tensors(/attention\.dense\.bias$/, zeros),
    'first FFN bias': tensors(/dense_h_to_4h\.bias$/, zeros),
    'second FFN bias': tensors(/dense_4h_to_h\.bias$/, zeros),
    'norm biases': tensors(/layernorm\.bias$/, zeros),
    'relu for gelu': config({ hidden_act: 'relu' }),
  },
  'gpt-neox, in sequence': {
    'branches side by side': config({ use_parallel_residual: true }),
    'half of what turns': config({ rope_parameters: { ...neox(), partial_rotary_factor: 0.25 } }),
    'no scaling': config({ rope_parameters: { ...neox(), rope_type: 'default' } }),
    'base of the rotation': config({ rope_parameters: { ...neox(), rope_theta: 10000 } }),
    epsilon: config({ layer_norm_eps: 1e-5 }),
  },
  'phi-3': {
    'no window': config({ sliding_window: null }),
    'window one longer': config({ sliding_window: 10 }),
    'keys before queries': tensors(/qkv_proj\.weight$/, rowsRotated),
    'up before gate': tensors(/gate_up_proj\.weight$/, halvesSwapped),
    'queries, keys and values head by head': tensors(/qkv_proj\.weight$/, partsFirst),
  },
  'phi-3 longrope, long': {
    'short factors': config({ original_max_position_embeddings: 48 }),
    'attention factor left out': config({
      rope_scaling: { ...ropeOf('phi-3 longrope, long'), attention_factor: 1 },
    }),
  },
  'phi-4': {
    'whole heads turned': config({ partial_rotary_factor: 1, rope_scaling: { ...ropeOf('phi-4'), ...FOUR_FACTORS } }),
    'long factors': config({ original_max_position_embeddings: 32 }),
    'attention factor left out': config({ rope_scaling: { ...ropeOf('phi-4'), attention_factor: 1 } }),
    epsilon: config({ rms_norm_eps: 1e-5 }),
  },
  'phi-3, transformers 5': {
    'whole heads turned': config({ rope_parameters: { rope_type: 'default', rope_theta: 300 } }),
    'base of the rotation': config({ rope_parameters: { rope_type: 'default', partial_rotary_factor: 0.5 } }),
    'silu for gelu': config({ hidden_act: 'silu' }),
  },
  'gpt-2': {
    'positions from row 2': tensors(/wpe/, shiftedByTwo),
    'queries, keys and values head by head': tensors(/c_attn\.weight$/, partsFirst),
    'keys before queries': tensors(/c_attn\.weight$/, rowsRotated),
    'fused bias': tensors(/c_attn\.bias$/, zeros),
    'output bias': tensors(/attn\.c_proj\.bias$/, zeros),
    'first FFN bias': tensors(/c_fc\.bias$/, zeros),
    'second FFN bias': tensors(/mlp\.c_proj\.bias$/, zeros),
    'norm biases': tensors(/ln_\d\.bias$/, zeros),
    'relu for gelu': config({ activation_function: 'relu' }),
  },
  'gpt-2, scaled by block': {
    'not scaled by block': config({ scale_attn_by_inverse_layer_idx: false }),
    'head tied': config({ tie_word_embeddings: true }),
    epsilon: config({ layer_norm_epsilon: 1e-5 }),
  },
  'gpt-2, not scaled': { 'scaled by the size of heads': config({ scale_attn_weights: true }) },
  bloom: {
    'norm of the embeddings left out': tensors(/word_embeddings_layernorm\.weight$/, ones),
    'added to the norms': config({ apply_residual_connection_post_layernorm: true }),
    'slopes of twice the heads': config({ num_attention_heads: 8 }),
    'queries, keys and values one after the other': tensors(/query_key_value\.weight$/, partsFirst),
    'fused bias': tensors(/query_key_value\.bias$/, zeros),
    'output bias': tensors(/dense\.bias$/, zeros),
    'norm biases': tensors(/layernorm\.bias$/, zeros),
  },
  'bloom, added to the norms': {
    'added to what was before them': config({ apply_residual_connection_post_layernorm: false }),
    'head tied': config({ tie_word_embeddings: true }),
    epsilon: config({ layer_norm_epsilon: 1e-5 }),
  },
  'falcon 7b': {
    'key and value swapped': tensors(/query_key_value\.weight$/, keyAndValueSwapped),
    'MLP behind attention': config({ parallel_attn: false }, { [POST]: 'input_layernorm' }),
    'relu for gelu': config({ activation: 'relu' }),
  },
  'falcon 40b': {
    'one norm for both': tensors(/ln_mlp\.weight$/, ones),
    'base of the rotation': config({ rope_theta: 10000 }),
    'queries of all groups first': tensors(/query_key_value\.weight$/, queriesFirst),
    'query heads dealt out in turn': tensors(/query_key_value\.weight$/, queriesSwapped),
  },
  'falcon 2': {
    'fused bias': tensors(/query_key_value\.bias$/, zeros),
    'output bias': tensors(/attention\.dense\.bias$/, zeros),
    'first FFN bias': tensors(/dense_h_to_4h\.bias$/, zeros),
    'second FFN bias': tensors(/dense_4h_to_h\.bias$/, zeros),
    'head tied': config({ tie_word_embeddings: true }),
    epsilon: config({ layer_norm_epsilon: 1e-5 }),
  },
  'falcon rw': {
    'rotary positions': config({ alibi: false }),
    'MLP beside attention': config({ parallel_attn: true }),
    'queries, keys and values one after the other': tensors(/query_key_value\.weight$/, partsFirst),
  },
  gemma: {
    'factor of the embeddings not rounded': config({ torch_dtype: 'float32' }),
    'factor of the embeddings left out': tensors(/embed_tokens/, (values) => values.map((value) => value / 6.3125)),
    'weight of a norm without one': tensors(/input_layernorm/, (values) => values.map((value) => value - 1)),
    'relu for gelu': config({ hidden_activation: 'relu' }),
    epsilon: config({ rms_norm_eps: 0.1 }),
  },
  'gemma, transformers 5': {
    'base of the rotation': config({ rope_parameters: { rope_theta: 10000 } }),
    'tied embeddings': config({ tie_word_embeddings: true }),
    'output bias': tensors(/o_proj\.bias$/, zeros),
  },
  gemma2: {
    'scores not capped': config({ attn_logit_softcapping: null }),
    'logits not capped': config({ final_logit_softcapping: null }),
    'scores by the size of heads': config({ query_pre_attn_scalar: 12 }),
    'window one longer': config({ sliding_window: 8 }),
    'windows in the other blocks': config({
      layer_types: ['full_attention', 'sliding_attention', 'full_attention'],
    }),
    'norm behind attention left out': tensors(/post_attention_layernorm/, zeros),
    'norm before the FFN left out': tensors(/pre_feedforward_layernorm/, zeros),
    'norm behind the FFN left out': tensors(/post_feedforward_layernorm/, zeros),
  },
  'gemma2, layer types': {
    'types not read': config({ layer_types: undefined }),
    'caps that null switches off': config({ attn_logit_softcapping: 50, final_logit_softcapping: 30 }),
  },
  gemma3: {
    'query norm left out': tensors(/q_norm/, zeros),
    'key norm left out': tensors(/k_norm/, zeros),
    'one base for all blocks': config({ rope_local_base_freq: 600 }),
    'no scaling where all is seen': config({ rope_scaling: null }),
    'every third block sees all': config({ sliding_window_pattern: 3 }),
    'window one longer': config({ sliding_window: 10 }),
  },
  'gemma3, transformers 5': {
    'bases exchanged': config({
      rope_parameters: { full_attention: { rope_theta: 30 }, sliding_attention: { rope_theta: 5000 } },
    }),
    'logits not capped': config({ final_logit_softcapping: null }),
  },
  olmo2: {
    'query norm left out': tensors(/q_norm/, ones),
    'key norm left out': tensors(/k_norm/, ones),
    'heads of the norms exchanged': tensors(/q_norm/, (values) =>
      Float64Array.of(...values.slice(8), ...values.slice(0, 8)),
    ),
    'norm behind attention left out': tensors(/post_attention_layernorm/, ones),
    'norm behind the FFN left out': tensors(/post_feedforward_layernorm/, ones),
    epsilon: config({ rms_norm_eps: 1e-6 }),
  },
  granite: {
    'factor of the embeddings': config({ embedding_multiplier: 1 }),
    'factor of the branches': config({ residual_multiplier: 1 }),
    'factor of the scores': config({ attention_multiplier: 8 ** -0.5 }),
    'divisor of the logits': config({ logits_scaling: 1 }),
    'query bias': tensors(/q_proj\.bias$/, zeros),
    'last FFN bias': tensors(/down_proj\.bias$/, zeros),
  },
  stablelm: {
    'branches side by side': config({ use_parallel_residual: true }),
    'a quarter turned': config({ partial_rotary_factor: 0.25 }),
    'whole heads turned': config({ partial_rotary_factor: 1 }),
    'query bias': tensors(/q_proj\.bias$/, zeros),
    'norm biases': tensors(/layernorm\.bias$/, zeros),
    epsilon: config({ layer_norm_eps: 1e-5 }),
  },
  'stablelm 12b': {
    'norms of heads left out': config({ qk_layernorm: false }),
    'the first head’s norm for all': (raw, stored) => {
      const first = (name: string) => stored.get(name.replace(/\d+\.weight$/, '0.weight'))!;
      return [
        raw,
        new Map([...stored].map(([name, tensor]) => [name, name.includes('.norms.') ? first(name) : tensor])),
      ];
    },
  },
  smollm3: {
    'all blocks turn': config({ no_rope_layer_interval: 4 }),
    'final norm left out': tensors(/^model\.norm/, ones),
  },
  'smollm3, windows': {
    'the other blocks turn': config({ no_rope_layers: [1, 0, 1] }),
    'no window': config({ use_sliding_window: false }),
    'window one longer': config({ sliding_window: 7 }),
  },
  cohere: {
    'rotation of halves': tensors(/[qk]_proj\.weight$/, deinterleaved),
    'factor of the logits': config({ logit_scale: undefined }),
    'norms of heads left out': config({ use_qk_norm: false }),
    'the first head’s norm for all': tensors(/[qk]_norm/, (values) => values.map((_, i) => values[i % 8]!)),
    epsilon: config({ layer_norm_eps: 1e-5 }),
  },
  'cohere, plain': {
    'default factor of the logits': config({ logit_scale: 1 }),
    'output bias': tensors(/o_proj\.bias$/, zeros),
  },
  cohere2: {
    'all blocks slide and turn': config({ layer_types: Array.from({ length: 3 }, () => 'sliding_attention') }),
    'window one longer': config({ sliding_window: 7 }),
  },
  mixtral: {
    'one expert for a token': config({ num_experts_per_tok: 1 }),
    'three experts for a token': config({ num_experts_per_tok: 3 }),
    'experts in another order': tensors(/block_sparse_moe\.gate\.weight$/, nextRow),
    'base of the rotation': config({ rope_theta: 10000 }),
    'a layer of one expert': tensors(/0\.block_sparse_moe\.experts\.3\.w3\.weight$/, zeros),
  },
  'qwen2-moe': {
    'weights that sum to one': config({ norm_topk_prob: true }),
    'no shared expert': tensors(/shared_expert\.down_proj/, zeros),
    'the shared expert’s gate half open': tensors(/shared_expert_gate/, zeros),
    'query bias': tensors(/q_proj\.bias$/, zeros),
  },
  'qwen3-moe': {
    'weights that do not sum to one': config({ norm_topk_prob: false }),
    'two experts for a token': config({ num_experts_per_tok: 2 }),
    'query norm left out': tensors(/q_norm/, ones),
    'key norm left out': tensors(/k_norm/, ones),
  },
  olmoe: {
    'weights that sum to one': config({ norm_topk_prob: true }),
    'nothing cut off': config({ clip_qkv: null }),
    'cut off later': config({ clip_qkv: 1.4 }),
    'query norm left out': tensors(/q_norm/, ones),
    'key norm left out': tensors(/k_norm/, ones),
    epsilon: config({ rms_norm_eps: 0.1 }),
  },
  'opt-350m': {
    'norm before attention and FFN': config({ do_layer_norm_before: true }),
    'positions from row 0': tensors(/embed_positions/, shiftedByTwo),
  },
};

describe.each(Object.entries(MISTAKES) as [FamilyName, Readonly<Record<string, Mistake>>][])(
  'the oracle on %s sees',
  (name, mistakes) => {
    const evaluate = (config: Raw, tensors: StoredTensors) =>
      perplexity(oracleModel(oracleConfig(config), tensors), tokens, FAMILIES[name].length, 3);
    let raw: Raw;
    let stored: StoredTensors;
    let tokens: readonly number[];
    let right: number;
    beforeAll(async () => {
      const family = await temporaryFamily(name);
      raw = JSON.parse(readFileSync(join(family.folder, 'config.json'), 'utf8')) as Raw;
      stored = readStoredTensors(family.folder);
      tokens = tokenize(family.folder, family.text);
      right = evaluate(raw, stored);
      await family.remove();
    });

    test.each(Object.entries(mistakes))('%s', (_, mistake) => {
      const wrong = evaluate(...mistake(raw, stored));
      expect(Math.abs(wrong / right - 1)).toBeGreaterThan(SEEN);
    });
  },
);

type Mistake = (raw: Raw, tensors: StoredTensors) => [Raw, StoredTensors];

/** @param copies tensors that are needed for the mistake, by part of their name: what they are copies of */
function config(changes: Raw, copies: Readonly<Record<string, string>> = {}): Mistake {
  return (raw, stored) => {
    const added = Object.entries(copies).flatMap(([name, of]) =>
      [...stored].filter(([key]) => key.includes(of)).map(([key, tensor]) => [key.replace(of, name), tensor] as const),
    );
    return [{ ...raw, ...changes }, new Map([...stored, ...added])];
  };
}

function tensors(names: RegExp, change: (values: Float64Array, columns: number) => Float64Array): Mistake {
  return (raw, stored) => {
    const changed = [...stored].filter(([name]) => names.test(name));
    if (changed.length === 0) throw new RangeError(`no tensor is named like ${names.source}`);
    const replaced = changed.map(
      ([name, tensor]) => [name, { ...tensor, values: change(tensor.values, tensor.columns) }] as const,
    );
    return [raw, new Map([...stored, ...replaced])];
  };
}

function ropeOf(name: FamilyName): Raw {
  return FAMILIES[name].config['rope_scaling'] as Raw;
}

function neox(): Raw {
  return FAMILIES['gpt-neox, in sequence'].config['rope_parameters'] as Raw;
}

function zeros(values: Float64Array): Float64Array {
  return new Float64Array(values.length);
}

function ones(values: Float64Array): Float64Array {
  return values.map(() => 1);
}

/** Rows of heads of 8 features in the order 0, 4, 1, 5, …: what rotating neighbours instead of halves amounts to. */
function interleaved(values: Float64Array, columns: number): Float64Array {
  return permuteRows(values, columns, (row) => row - (row % 8) + [0, 4, 1, 5, 2, 6, 3, 7][row % 8]!);
}

/** The other way round, where neighbours are turned. */
function deinterleaved(values: Float64Array, columns: number): Float64Array {
  return permuteRows(values, columns, (row) => row - (row % 8) + [0, 2, 4, 6, 1, 3, 5, 7][row % 8]!);
}

/** Query heads 0, 2, 1, 3: as if key-value heads were dealt out in turn. */
function headsInterleaved(values: Float64Array, columns: number): Float64Array {
  return permuteRows(values, columns, (row) => [0, 2, 1, 3][Math.floor(row / 8)]! * 8 + (row % 8));
}

/** Rows of heads of 8 features as if all queries stood before all keys and all values. */
function partsFirst(values: Float64Array, columns: number): Float64Array {
  return permuteRows(values, columns, (row) => {
    const [head, part] = [Math.floor(row / 24), Math.floor(row / 8) % 3];
    return (4 * part + head) * 8 + (row % 8);
  });
}

function halvesSwapped(values: Float64Array): Float64Array {
  const half = values.length / 2;
  return Float64Array.of(...values.subarray(half), ...values.subarray(0, half));
}

/** Of four query heads of 8 features, a key and a value: the last two. */
function keyAndValueSwapped(values: Float64Array, columns: number): Float64Array {
  return permuteRows(values, columns, (row) => (row < 32 ? row : row < 40 ? row + 8 : row - 8));
}

/** Two groups of two query heads, a key and a value, as if the queries of both stood before keys and values. */
function queriesFirst(values: Float64Array, columns: number): Float64Array {
  return permuteRows(values, columns, (row) => [0, 1, 4, 5, 2, 3, 6, 7][Math.floor(row / 8)]! * 8 + (row % 8));
}

/** The same as if query heads were dealt out to the groups in turn. */
function queriesSwapped(values: Float64Array, columns: number): Float64Array {
  return permuteRows(values, columns, (row) => [0, 4, 2, 3, 1, 5, 6, 7][Math.floor(row / 8)]! * 8 + (row % 8));
}

function rowsRotated(values: Float64Array, columns: number): Float64Array {
  return permuteRows(values, columns, (row) => (row + 8) % (values.length / columns));
}

function nextRow(values: Float64Array, columns: number): Float64Array {
  return permuteRows(values, columns, (row) => (row + 1) % (values.length / columns));
}

function shiftedByTwo(values: Float64Array, columns: number): Float64Array {
  return Float64Array.of(...values.slice(0, 2 * columns), ...values.slice(0, values.length - 2 * columns));
}

function permuteRows(values: Float64Array, columns: number, source: (row: number) => number): Float64Array {
  return values.map((_, i) => values[source(Math.floor(i / columns)) * columns + (i % columns)]!);
}
