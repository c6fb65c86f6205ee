import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Rng } from '../../../src/base/rng.ts';
import { writeSafetensors, type TensorToWrite } from '../../../src/engine/checkpoint/safetensorsWriter.ts';
import { randomTensor } from './randomTensor.ts';
import { tensorInventory, type RawConfig } from './tensorInventory.ts';
import { WORDS } from './text.ts';
import { tokenizerJson } from './tokenizer.ts';

/** A small random checkpoint: everything that decides its files. */
export interface CheckpointRecipe {
  /** config.json, as the family's published checkpoints write it. */
  readonly config: RawConfig;
  readonly dtype: TensorToWrite['dtype'];
  /** Number of safetensors files; with more than one an index is written. */
  readonly shards: number;
  /** Whether the tokenizer puts a begin-of-text token before every text. */
  readonly beginToken: boolean;
  readonly seed: number;
  /** Saved from the bare decoder: names lack the prefix `model.` or `transformer.`, as in published checkpoints of OPT, GPT-2 and BLOOM. */
  readonly bare?: boolean;
}

/** Writes config.json, tokenizer.json and the weights of `recipe` into `folder`; equal recipes give equal bytes. */
export async function generateCheckpoint(folder: string, recipe: CheckpointRecipe): Promise<void> {
  await writeSettings(folder, recipe);
  const rng = new Rng(recipe.seed);
  const tensors = new Map<string, TensorToWrite>();
  for (const spec of tensorInventory(recipe.config)) {
    const name = recipe.bare ? spec.name.replace(/^(model|transformer)\./, '') : spec.name;
    tensors.set(name, { dtype: recipe.dtype, shape: spec.shape, data: randomTensor(spec, rng) });
  }
  if (recipe.shards === 1) await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  else await writeShards(folder, tensors, recipe.shards);
}

/** The folder with its config.json and tokenizer.json, without weights. */
export async function writeSettings(
  folder: string,
  { config, beginToken }: Pick<CheckpointRecipe, 'config' | 'beginToken'>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const specials = ['<s>', '</s>', '<unk>'];
  const tokenizer = tokenizerJson({ words: WORDS, specials, ...(beginToken && { begin: '<s>' }) });
  await writeJson(join(folder, 'config.json'), config);
  await writeJson(join(folder, 'tokenizer.json'), tokenizer);
}

async function writeShards(folder: string, tensors: ReadonlyMap<string, TensorToWrite>, shards: number): Promise<void> {
  const names = [...tensors.keys()];
  const weightMap: Record<string, string> = {};
  let totalSize = 0;
  for (let shard = 0; shard < shards; shard++) {
    const file = `model-${fiveDigits(shard + 1)}-of-${fiveDigits(shards)}.safetensors`;
    // Dealt out in turn, so that the tensors of one block lie in different files.
    const dealt = names.filter((_, i) => i % shards === shard);
    await writeSafetensors(join(folder, file), new Map(dealt.map((name) => [name, tensors.get(name)!])));
    for (const name of dealt) {
      const { data, dtype } = tensors.get(name)!;
      weightMap[name] = file;
      totalSize += data.length * (dtype === 'F32' ? 4 : 2);
    }
  }
  const index = { metadata: { total_size: totalSize }, weight_map: weightMap };
  await writeJson(join(folder, 'model.safetensors.index.json'), index);
}

function fiveDigits(number: number): string {
  return String(number).padStart(5, '0');
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFile(file, JSON.stringify(value, undefined, 2));
}
