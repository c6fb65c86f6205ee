import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Rng } from '../../../src/base/rng.ts';
import { raw32, type RawTensor, type RawTensors, writeRaw } from './rewriteWeights.ts';

/** The factors of one layer of a LoRA: A [rank, in], B [out, rank], row-major. */
export interface Factors {
  readonly rank: number;
  readonly down: Float32Array;
  readonly up: Float32Array;
}

/** Seeded factors for a matrix [out, in], large enough that a model without them is another one. */
export function factorsFor([out, input]: readonly number[], rank: number, rng: Rng): Factors {
  const draw = (count: number): Float32Array => Float32Array.from({ length: count }, () => 0.2 * rng.normal());
  return { rank, down: draw(rank * input!), up: draw(out! * rank) };
}

/** W + scaling · B · A in plain float64 loops, not rounded. */
export function mergedValues(
  { shape }: RawTensor,
  weights: ArrayLike<number>,
  { rank, down, up }: Factors,
  scaling: number,
): Float64Array {
  const [out, input] = shape as [number, number];
  const merged = new Float64Array(out * input);
  for (let row = 0; row < out; row++) {
    for (let column = 0; column < input; column++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += up[row * rank + k]! * down[k * input + column]!;
      merged[row * input + column] = weights[row * input + column]! + Math.fround(scaling * sum);
    }
  }
  return merged;
}

/** Puts the factors of a layer among the tensors, under the names that PEFT saves them by. */
export function putFactors(
  tensors: RawTensors,
  layer: string,
  shape: readonly number[],
  { rank, down, up }: Factors,
  adapterName = '',
): void {
  tensors.set(`${layer}.lora_A${adapterName}.weight`, raw32([rank, shape[1]!], down));
  tensors.set(`${layer}.lora_B${adapterName}.weight`, raw32([shape[0]!, rank], up));
}

/** An adapter_config.json as PEFT writes one, with all the fields that decide nothing. */
export function adapterConfig(base: string, fields: object = {}): object {
  return {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: base,
    bias: 'none',
    corda_config: null,
    eva_config: null,
    exclude_modules: null,
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layer_replication: null,
    layers_pattern: null,
    layers_to_transform: null,
    loftq_config: {},
    lora_alpha: 16,
    lora_bias: false,
    lora_dropout: 0.05,
    megatron_config: null,
    megatron_core: 'megatron.core',
    modules_to_save: null,
    peft_type: 'LORA',
    qalora_group_size: 16,
    r: 4,
    rank_pattern: {},
    revision: null,
    target_modules: ['q_proj'],
    target_parameters: null,
    task_type: 'CAUSAL_LM',
    trainable_token_indices: null,
    use_dora: false,
    use_qalora: false,
    use_rslora: false,
    ...fields,
  };
}

export function writeAdapter(folder: string, config: object, tensors: ReadonlyMap<string, RawTensor>): void {
  mkdirSync(folder, { recursive: true });
  rmSync(path.join(folder, 'adapter_config.json'), { force: true });
  writeFileSync(path.join(folder, 'adapter_config.json'), JSON.stringify(config));
  writeRaw(path.join(folder, 'adapter_model.safetensors'), tensors);
}
