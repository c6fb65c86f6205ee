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

function config(changes: Raw): Mistake {
  return (raw, stored) => [{ ...raw, ...changes }, stored];
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

function rowsRotated(values: Float64Array, columns: number): Float64Array {
  return permuteRows(values, columns, (row) => (row + 8) % (values.length / columns));
}

function shiftedByTwo(values: Float64Array, columns: number): Float64Array {
  return Float64Array.of(...values.slice(0, 2 * columns), ...values.slice(0, values.length - 2 * columns));
}

function permuteRows(values: Float64Array, columns: number, source: (row: number) => number): Float64Array {
  return values.map((_, i) => values[source(Math.floor(i / columns)) * columns + (i % columns)]!);
}
