import { readOracleConfig, type OracleConfig } from './config.ts';
import { bloomModel } from './bloom.ts';
import { falconModel } from './falcon.ts';
import { gpt2Model } from './gpt2.ts';
import { gptNeoXModel } from './gptNeoX.ts';
import { cohereModel } from './cohere.ts';
import { gemmaModel } from './gemma.ts';
import { graniteModel } from './granite.ts';
import { llamaModel } from './llama.ts';
import type { Matrix } from './matrix.ts';
import { olmo2Model } from './olmo2.ts';
import { mixtureModel } from './mixtures.ts';
import { optModel } from './opt.ts';
import { phi3Model } from './phi3.ts';
import { smolLm3Model } from './smolLm3.ts';
import { stableLmModel } from './stableLm.ts';
import { readStoredTensors, type StoredTensors } from './storedTensors.ts';

/** A decoder in three steps, so that it can be run and pruned block by block. Weights may be replaced in `tensors` at any time. */
export interface OracleModel {
  readonly depth: number;
  /** The prunable linear layers of a block, in the order in which tokens meet them; the last of each reads what the components make. */
  readonly attention: readonly string[];
  readonly mlp: readonly string[];
  /** All prunable linear layers of a block, where blocks have others. */
  readonly linearsIn?: (block: number) => readonly string[];
  /** Of linear layers that are several projections one after the other: how many outputs each of those has. */
  readonly sections?: Readonly<Record<string, readonly number[]>>;
  readonly tensors: StoredTensors;
  /** Tensors of a block whose rows go with the groups, where it is not enough that nothing reads what a group makes. */
  readonly groupRows?: readonly string[];
  weightName(block: number, linear: string): string;
  /** Token ids → hidden states [T, hidden]. */
  embed(tokens: readonly number[]): Matrix;
  block(index: number, hidden: Matrix, observe?: Observer): Matrix;
  /** Hidden states → logits [T, vocabulary]. */
  logits(hidden: Matrix): Matrix;
}

/** Sees the input [T, in] of every prunable linear layer of the block. */
export type Observer = (linear: string, input: Matrix) => void;

export function loadOracle(folder: string): OracleModel {
  return oracleModel(readOracleConfig(folder), readStoredTensors(folder));
}

export function oracleModel(config: OracleConfig, tensors: StoredTensors): OracleModel {
  return (MODELS[config.raw['model_type'] as string] ?? llamaModel)(config, tensors);
}

/** By `model_type`; LLaMA's kin are all one. */
const MODELS: Readonly<Record<string, (config: OracleConfig, tensors: StoredTensors) => OracleModel>> = {
  opt: optModel,
  gpt_neox: gptNeoXModel,
  phi3: phi3Model,
  gpt2: gpt2Model,
  bloom: bloomModel,
  falcon: falconModel,
  gemma: gemmaModel,
  gemma2: gemmaModel,
  gemma3_text: gemmaModel,
  olmo2: olmo2Model,
  granite: graniteModel,
  stablelm: stableLmModel,
  smollm3: smolLm3Model,
  cohere: cohereModel,
  cohere2: cohereModel,
  mixtral: mixtureModel,
  qwen2_moe: mixtureModel,
  qwen3_moe: mixtureModel,
  olmoe: mixtureModel,
};

/** All prunable linear layers of a block. */
export function linearsOf({ attention, mlp, linearsIn }: OracleModel, block: number): readonly string[] {
  return linearsIn?.(block) ?? [...attention, ...mlp];
}

/** The whole forward pass: logits [T, vocabulary]. */
export function forward(model: OracleModel, tokens: readonly number[], observe?: (block: number) => Observer): Matrix {
  let hidden = model.embed(tokens);
  for (let i = 0; i < model.depth; i++) hidden = model.block(i, hidden, observe?.(i));
  return model.logits(hidden);
}
