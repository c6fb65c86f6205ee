import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RopeConfig } from './rotary.ts';

/** What the oracle needs from config.json, read by the rules of Hugging Face's configuration classes; a family's own fields it reads itself. */
export interface OracleConfig {
  readonly raw: Raw;
  readonly depth: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Features of a head that the rotation turns. */
  readonly rotaryDims: number;
  readonly epsilon: number;
  readonly theta: number;
  readonly rope: RopeConfig;
  /** Tokens that a token of each block sees, itself counted; Infinity: all before it. */
  readonly windows: readonly number[];
  readonly activation: string;
}

export function readOracleConfig(folder: string): OracleConfig {
  return oracleConfig(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Raw);
}

export function oracleConfig(raw: Raw): OracleConfig {
  const heads = (raw['num_attention_heads'] ?? raw['n_head']) as number;
  const depth = (raw['num_hidden_layers'] ?? raw['n_layer']) as number;
  const hidden = (raw['hidden_size'] ?? raw['n_embd'] ?? raw['n_embed']) as number;
  // transformers 5 moved the rotation's settings into one object.
  const scaling = (raw['rope_parameters'] ?? raw['rope_scaling'] ?? {}) as Raw;
  const headDim = (raw['head_dim'] as number | null | undefined) ?? hidden / heads;
  return {
    raw,
    depth,
    heads,
    kvHeads: keyValueHeads(raw) ?? heads,
    headDim,
    rotaryDims: headDim,
    epsilon: (raw['rms_norm_eps'] as number | undefined) ?? 1e-5,
    theta: (scaling['rope_theta'] ?? raw['rope_theta'] ?? 10000) as number,
    rope: ropeConfig(raw, scaling),
    windows: Array.from({ length: depth }, (_, i) => windowOf(raw, i)),
    activation: (raw['hidden_act'] ?? raw['activation_function']) as string,
  };
}

export type Raw = Readonly<Record<string, unknown>>;

/** Falcon: as many as are stated in its newer blocks, one in the older ones but where `multi_query` is off. */
function keyValueHeads(raw: Raw): number | undefined {
  const stated = (raw['num_key_value_heads'] ?? raw['num_kv_heads'] ?? undefined) as number | undefined;
  if (raw['model_type'] !== 'falcon' || raw['new_decoder_architecture'] === true) return stated;
  return raw['multi_query'] === false ? undefined : 1;
}

/** Mistral: every block. Qwen: only when switched on, and then the blocks that layer_types names or those from max_window_layers on. */
function windowOf(raw: Raw, block: number): number {
  const window = (raw['sliding_window'] as number | null | undefined) ?? Infinity;
  const types = raw['layer_types'] as readonly string[] | null | undefined;
  switch (raw['model_type']) {
    case 'mistral':
    case 'phi3':
      return window;
    case 'qwen2':
    case 'qwen3': {
      const slides = types ? types[block] === 'sliding_attention' : block >= (raw['max_window_layers'] as number);
      return raw['use_sliding_window'] === true && slides ? window : Infinity;
    }
    default:
      return Infinity;
  }
}

export function ropeConfig(raw: Raw, scaling: Raw): RopeConfig {
  const type = (scaling['rope_type'] ?? scaling['type'] ?? 'default') as RopeConfig['type'];
  const positions = raw['max_position_embeddings'] as number;
  const number = (key: string, fallback?: number) => (scaling[key] ?? fallback) as number;
  const given = scaling['attention_factor'] as number | undefined;
  switch (type) {
    case 'default':
      return { type };
    case 'linear':
      return { type, factor: number('factor') };
    case 'dynamic':
      return { type, factor: number('factor'), trained: positions };
    case 'llama3':
      return {
        type,
        factor: number('factor'),
        trained: number('original_max_position_embeddings'),
        lowFactor: number('low_freq_factor'),
        highFactor: number('high_freq_factor'),
      };
    case 'yarn': {
      const factor = number('factor');
      const scale = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
      const weighted = scaling['mscale'] !== undefined && scaling['mscale_all_dim'] !== undefined;
      return {
        type,
        factor,
        trained: number('original_max_position_embeddings', positions),
        betaFast: number('beta_fast', 32),
        betaSlow: number('beta_slow', 1),
        magnitude: given ?? (weighted ? scale(number('mscale')) / scale(number('mscale_all_dim')) : scale(1)),
        truncate: scaling['truncate'] !== false,
      };
    }
    case 'longrope': {
      const trained = (raw['original_max_position_embeddings'] as number | undefined) ?? positions;
      const factor = raw['original_max_position_embeddings'] === undefined ? number('factor') : positions / trained;
      return {
        type,
        trained,
        shortFactor: scaling['short_factor'] as readonly number[],
        longFactor: scaling['long_factor'] as readonly number[],
        magnitude: given ?? (factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(trained))),
      };
    }
    default:
      throw new TypeError(`the oracle does not know the rope type ${type as string}`);
  }
}
