import path from 'node:path';
import { ConfigFields } from '../families/configFields.ts';
import { sha256 } from './hashing.ts';
import { parseJsonObject, readBounded } from './jsonFile.ts';
import { ADAPTER_CONFIG, type BaseOfAdapter } from '../../files/adapterBase.ts';

/** An adapter_config.json of PEFT, as far as it decides what merging gives: low-rank adaptation (Hu et al. 2021) alone. */
export interface AdapterConfig extends BaseOfAdapter {
  readonly file: string;
  /** sha-256, hex, of its bytes. */
  readonly hash: string;
  /** Whether the layers store their matrices [in, out]. */
  readonly transposed: boolean;
  /** What a layer's change is multiplied by: alpha / rank, or alpha / √rank (rsLoRA, Kalajdzievski 2023). */
  scaling(layer: string, rank: number): number;
}

/** @throws EspalierError `checkpoint/config` naming what of it is no plain LoRA */
export async function readAdapterConfig(folder: string): Promise<AdapterConfig> {
  const file = path.join(folder, ADAPTER_CONFIG);
  const bytes = await readBounded(file, 'checkpoint/config', MAX_CONFIG);
  return { ...parseAdapterConfig(parseJsonObject(bytes, file, 'checkpoint/config'), file), hash: sha256(bytes) };
}

/** Real ones have a kilobyte; patterns for each layer reach some hundred. */
const MAX_CONFIG = 16_000_000;

export function parseAdapterConfig(
  values: Readonly<Record<string, unknown>>,
  file: string,
): Omit<AdapterConfig, 'hash'> {
  const fields = new ConfigFields(file, values);
  if (fields.value('peft_type') !== 'LORA') throw fields.wrong('peft_type', 'LORA', MERGE);
  const task = fields.value('task_type');
  if (task !== undefined && task !== 'CAUSAL_LM') throw fields.wrong('task_type', 'CAUSAL_LM', MERGE);
  refuseVariants(fields);
  const alpha = fields.number('lora_alpha', ALPHA, 8);
  const rankStabilised = fields.boolean('use_rslora', false);
  const alphas = readAlphas(fields);
  return {
    file,
    base: readText(fields, 'base_model_name_or_path'),
    revision: readText(fields, 'revision'),
    transposed: fields.boolean('fan_in_fan_out', false),
    scaling(layer, rank) {
      const own = alphas.find(([name]) => layer === name || layer.endsWith(`.${name}`));
      return (own?.[1] ?? alpha) / (rankStabilised ? Math.sqrt(rank) : rank);
    },
  };
}

const MERGE = 'Merge the adapter into its base model in Python (merge_and_unload of PEFT), and save the result.';
const ALPHA = { minimum: -1e6, maximum: 1e6 };

/** Initialisations that leave the base model as it is. PiSSA, OLoRA, CorDA and LoftQ take something away from it. */
const HARMLESS_BEGINNINGS: readonly unknown[] = [undefined, true, false, 'gaussian', 'eva', 'orthogonal'];

/** Fields that decide nothing of a finished adapter's merge, or that its tensors say again: `r`, which layers, how it was trained. */
const SETTLED: ReadonlySet<string> = new Set([
  ...[
    'peft_type',
    'task_type',
    'auto_mapping',
    'base_model_name_or_path',
    'revision',
    'inference_mode',
    'peft_version',
  ],
  ...['r', 'rank_pattern', 'lora_alpha', 'alpha_pattern', 'use_rslora', 'fan_in_fan_out', 'bias', 'init_lora_weights'],
  ...['target_modules', 'exclude_modules', 'layers_to_transform', 'layers_pattern', 'modules_to_save', 'lora_dropout'],
  ...['loftq_config', 'eva_config', 'corda_config', 'lora_ga_config', 'runtime_config', 'megatron_core'],
  ...['qalora_group_size', 'ensure_weight_tying', 'merge_weights'],
]);

/** What people call a field that switches a variant on. */
const VARIANTS: Readonly<Record<string, string>> = {
  use_dora: 'absent or false: DoRA changes lengths and directions of weights apart',
  lora_bias: 'absent or false: biases of LoRA are not read',
  layer_replication: 'absent: the adapted model has other blocks than its base',
  trainable_token_indices: 'absent: single rows of the embeddings are not replaced',
  alora_invocation_tokens: 'absent: an activated LoRA is not merged',
};

function refuseVariants(fields: ConfigFields): void {
  if (!HARMLESS_BEGINNINGS.includes(fields.value('init_lora_weights'))) {
    throw fields.wrong('init_lora_weights', 'one that leaves the base model as it is', MERGE);
  }
  for (const name of fields.names) {
    if (SETTLED.has(name) || isOff(fields.value(name))) continue;
    throw fields.wrong(name, VARIANTS[name] ?? 'absent: it may change what merging gives', MERGE);
  }
}

/** Off, or empty. */
function isOff(value: unknown): boolean {
  if (typeof value === 'object') return Object.keys(value!).length === 0;
  return value === undefined || value === false;
}

/** Layers with an alpha of their own: ends of their names. PEFT takes regular expressions, too, which a hostile file must not hand us. */
function readAlphas(fields: ConfigFields): readonly (readonly [layer: string, alpha: number])[] {
  const pattern = fields.object('alpha_pattern');
  return (pattern?.names ?? []).map((name) => {
    const layer = name.replace(/^\^/, '').replace(/\$$/, '');
    if (!/^[\w.-]+$/.test(layer)) throw pattern!.wrong(name, 'absent: only names of layers are read here', MERGE);
    return [layer, pattern!.number(name, ALPHA)] as const;
  });
}

function readText(fields: ConfigFields, name: string): string | undefined {
  const value = fields.value(name);
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw fields.wrong(name, 'a text');
  return value;
}
