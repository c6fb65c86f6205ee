import type { BlockShape, ModelConfig } from '../checkpoint/config.ts';
import type { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Value } from '../graph/graph.ts';
import { llama } from './llama.ts';
import { opt } from './opt.ts';

/**
 * What a family says about its checkpoints: which tensors there are, and how a block computes. Weights are inputs of the
 * programs, so one program serves every block with the same {@link BlockLayout.variant}.
 */
export interface Family {
  readonly embedding: (config: ModelConfig) => EmbeddingLayout;
  readonly block: (config: ModelConfig, index: number) => BlockLayout;
  /** Writes one decoder block: x [batch · tokens, hidden] → the same shape. */
  readonly writeBlock: (config: ModelConfig, writer: BlockWriter, x: Value) => Value;
  readonly head: (config: ModelConfig) => HeadLayout;
  /** Writes everything after the last block up to the head's matrix product: x [rows, hidden] → [rows, embeddingWidth]. */
  readonly writeFinal: (config: ModelConfig, writer: ParameterWriter, x: Value) => Value;
}

/** A tensor of the checkpoint that a program takes as an input. */
export interface Parameter {
  /** The program's input name. */
  readonly name: string;
  /** Its name in the checkpoint. */
  readonly tensor: string;
  readonly shape: readonly number[];
  /** Prunable linear layers: [out, in]. */
  readonly linear: boolean;
}

export interface EmbeddingLayout {
  readonly table: Parameter;
  /** Learned positions: row t + offset is added at position t. */
  readonly positions?: { readonly parameter: Parameter; readonly offset: number };
  /** opt-350m: embedding [tokens, width] · projectionᵀ → [tokens, hidden]. */
  readonly projection?: Parameter;
}

export interface BlockLayout {
  /** Blocks with equal variants run the same program. */
  readonly variant: string;
  /** Attention window in tokens, where the block has one. */
  readonly window: number | undefined;
  readonly shape: BlockShape;
  readonly parameters: readonly Parameter[];
}

export interface HeadLayout {
  /** Parameters of writeFinal. */
  readonly parameters: readonly Parameter[];
  /** [vocabulary, embeddingWidth]. */
  readonly weight: Parameter;
}

/** What families write with: each of these treats the rows of x alike, so a block can be written for any number of them. */
export type RowOperations = Pick<
  GraphBuilder,
  'add' | 'mul' | 'rmsNorm' | 'layerNorm' | 'silu' | 'relu' | 'gelu' | 'linear' | 'reshape'
>;

export interface ParameterWriter {
  readonly graph: RowOperations;
  /** The parameter with that input name. */
  parameter(name: string): Value;
}

/** What a family's block uses to write itself; `linear` is where inputs are observed. */
export interface BlockWriter extends ParameterWriter {
  readonly shape: BlockShape;
  /** The linear layer `name` (weight input `name`, bias input `name.bias` where `biased`), applied to x [rows, in]. */
  linear(name: string, x: Value, biased: boolean): Value;
  /** Causal attention over query, key and value [rows, heads · dim]; → [rows, heads · dim]. */
  attention(query: Value, key: Value, value: Value): Value;
  /** What the MLP's last projection reads [rows, intermediate], as far as its channels are kept. */
  channels(x: Value): Value;
}

export function familyOf(config: ModelConfig): Family {
  return config.architecture === 'OPTForCausalLM' ? opt : llama;
}

/** Every tensor that the model is made of. */
export function allParameters(config: ModelConfig): Parameter[] {
  const family = familyOf(config);
  const { table, positions, projection } = family.embedding(config);
  const head = family.head(config);
  const blocks = config.windows.flatMap((_, index) => family.block(config, index).parameters);
  const extra = [positions?.parameter, projection].filter((parameter) => parameter !== undefined);
  const weight = head.weight.tensor === table.tensor ? [] : [head.weight];
  return [table, ...extra, ...blocks, ...head.parameters, ...weight];
}
