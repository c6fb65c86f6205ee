import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { ADAPTER_CONFIG } from '../../files/adapterBase.ts';
import { makeFolders } from '../../files/makeFolders.ts';
import { writeNew } from '../../files/writeWhole.ts';
import { readAdapterConfig } from '../checkpoint/adapterConfig.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { hashFile } from '../checkpoint/hashing.ts';
import { mergedTensors } from '../checkpoint/mergedTensors.ts';
import { readSafetensorsHeader, type TensorEntry } from '../checkpoint/safetensors.ts';
import { type TensorToWrite, writeSafetensors } from '../checkpoint/safetensorsWriter.ts';
import { TensorReader } from '../checkpoint/tensorReader.ts';
import type { ModelConfig } from '../families/families.ts';
import { type AdaptedLayer, adaptedLayer, type Adapter, layoutsOf } from './adapter.ts';

const WEIGHTS = 'adapter_model.safetensors';

/**
 * A LoRA that PEFT (or {@link writePeftAdapter}) has written for this model, to be trained on. Everything is checked as where one is merged: config,
 * names, shapes, pairs. Each layer keeps its own rank and scaling.
 *
 * @throws EspalierError `checkpoint/…`; `checkpoint/tensor` for what is no factor of a block's linear layer
 */
export async function readPeftAdapter(folder: string, model: Pick<Checkpoint, 'config' | 'tensors'>): Promise<Adapter> {
  const config = await readAdapterConfig(folder);
  const file = await readSafetensorsHeader(path.join(folder, WEIGHTS));
  const merged = mergedTensors(model.tensors, { config, tensors: file.tensors }, model.config);
  const linears = new Map(
    layoutsOf(model.config).flatMap(({ parameters }, block) =>
      parameters.filter(({ linear }) => linear).map((parameter) => [parameter.tensor, { block, parameter }] as const),
    ),
  );
  const reader = new TensorReader([file]);
  try {
    const layers = [...merged].flatMap(([tensor, { values }]): readonly AdaptedLayer[] => {
      if (values === model.tensors.get(tensor)?.values) return [];
      const target = linears.get(tensor);
      if (!target || values.kind !== 'merged') throw notTrained(file.file, tensor);
      const [down, up] = values.transposed ? [values.left, values.right] : [values.right, values.left];
      const read = (entry: TensorEntry): Float32Array => reader.whole(tensor, entry);
      return [adaptedLayer(target.block, target.parameter, values.scaling, read(down), read(up))];
    });
    // In the order of the blocks: files have any.
    const places = new Map([...linears.keys()].map((tensor, place) => [tensor, place]));
    const place = ({ parameter }: AdaptedLayer): number => places.get(parameter.tensor)!;
    return { layers: layers.sort((a, b) => place(a) - place(b)), vectors: [] };
  } finally {
    reader.close();
  }
}

/** sha-256 of what such a folder says. @throws EspalierError `io/read` */
export async function hashPeftAdapter(folder: string): Promise<string> {
  return `${await hashFile(path.join(folder, ADAPTER_CONFIG))} ${await hashFile(path.join(folder, WEIGHTS))}`;
}

/**
 * Writes the factors as PEFT's `save_pretrained` does: `adapter_config.json`, and `adapter_model.safetensors` with names
 * `base_model.model.LAYER.lora_A.weight` [rank, in] and `….lora_B.weight` [out, rank], float32. `PeftModel.from_pretrained` loads it.
 *
 * @param base what the factors are added to: a folder or a name on the hub; null where it has none yet
 */
export async function writePeftAdapter(
  folder: string,
  { layers }: Adapter,
  config: ModelConfig,
  base: string | null,
): Promise<void> {
  await makeFolders(folder);
  const tensors = new Map<string, TensorToWrite>();
  for (const { parameter, down, up } of layers) {
    const layer = `base_model.model.${moduleOf(parameter.tensor)}`;
    tensors.set(`${layer}.lora_A.weight`, { dtype: 'F32', shape: down.shape, data: down.values });
    tensors.set(`${layer}.lora_B.weight`, { dtype: 'F32', shape: up.shape, data: up.values });
  }
  await writeSafetensors(path.join(folder, WEIGHTS), tensors);
  await writeNew(path.join(folder, ADAPTER_CONFIG), `${JSON.stringify(peftConfig(layers, config, base), null, 2)}\n`);
}

/** The fields that PEFT needs, under its names; a rank or alpha that is not the first layer's stands in the patterns. */
function peftConfig(layers: readonly AdaptedLayer[], config: ModelConfig, base: string | null): object {
  const [first] = layers;
  const alpha = ({ scaling, rank }: AdaptedLayer): number => scaling * rank;
  const others = (of: (layer: AdaptedLayer) => number): object =>
    Object.fromEntries(
      layers.filter((layer) => of(layer) !== of(first!)).map((layer) => [moduleOf(layer.parameter.tensor), of(layer)]),
    );
  return {
    alpha_pattern: others(alpha),
    base_model_name_or_path: base,
    bias: 'none',
    fan_in_fan_out: layers.some(({ parameter }) => parameter.transposed === true),
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: first ? alpha(first) : 8,
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: 'LORA',
    r: first?.rank ?? 8,
    rank_pattern: others(({ rank }) => rank),
    target_modules: targetModules(layers, config),
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: false,
  };
}

/**
 * What PEFT finds the layers by: it takes all modules whose name is one of these or ends with a dot and one. The last part of a name where all
 * linear layers that end so are adapted (`q_proj`), else the name inside a block, or the whole one.
 */
function targetModules(layers: readonly AdaptedLayer[], config: ModelConfig): readonly string[] {
  const all = layoutsOf(config).flatMap(({ parameters }) =>
    parameters.filter(({ shape }) => shape.length === 2).map(({ tensor }) => moduleOf(tensor)),
  );
  const adapted = new Set(layers.map(({ parameter }) => moduleOf(parameter.tensor)));
  const fits = (ending: string): boolean =>
    all.every((module) => adapted.has(module) || (module !== ending && !module.endsWith(`.${ending}`)));
  const names = layers.map(({ parameter: { name, tensor } }) => {
    const module = moduleOf(tensor);
    return [module.slice(module.lastIndexOf('.') + 1), name, module].find(fits) ?? module;
  });
  return [...new Set(names)].sort();
}

/** `model.layers.0.self_attn.q_proj.weight` without its end. */
function moduleOf(tensor: string): string {
  return tensor.replace(/\.weight$/, '');
}

function notTrained(file: string, tensor: string): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tensor',
    operation: `training the adapter on: ${tensor}`,
    expected: 'low-rank factors of linear layers of the blocks alone',
    actual: 'a change of another tensor',
    remedy: 'Merge the adapter into its base model first (merge_and_unload of PEFT), and train one of its own.',
    file,
  });
}
